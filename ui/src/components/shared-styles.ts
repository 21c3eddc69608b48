import { css } from 'lit';

/** What every element's shadow needs: boxes, focus, buttons, keys, headings that look like labels. Tokens only. */
export const shared = css`
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  :host {
    display: block;
  }
  :host([hidden]),
  [hidden] {
    display: none !important;
  }
  :focus-visible {
    outline: var(--focus-ring);
    outline-offset: 2px;
  }
  h1,
  h2,
  h3,
  p,
  ol,
  ul,
  dl,
  dd {
    margin: 0;
    padding: 0;
  }
  ol,
  ul {
    list-style: none;
  }
  button {
    font: inherit;
    color: inherit;
    background: none;
    border: 0;
    padding: 0;
    text-align: inherit;
    cursor: pointer;
  }
  .label {
    font-size: var(--text-s);
    font-weight: var(--weight-bold);
    color: var(--ink-2);
  }
  .quiet {
    font-size: var(--text-s);
    color: var(--ink-3);
  }
  .numbers {
    font-variant-numeric: tabular-nums;
  }
  .button {
    display: inline-flex;
    align-items: center;
    gap: var(--s2);
    min-height: var(--target);
    padding: var(--s1) var(--s3);
    border: 1px solid var(--line);
    border-radius: var(--radius-s);
    background: var(--surface);
    color: var(--ink);
    font-size: var(--text-s);
    white-space: nowrap;
  }
  .button:hover {
    background: var(--hover);
  }
  .button.primary {
    background: var(--accent);
    border-color: var(--accent);
    color: var(--accent-ink);
    font-weight: var(--weight-medium);
  }
  .button.primary:hover {
    background: var(--accent-strong);
  }
  .button.plain {
    border-color: transparent;
    background: none;
    color: var(--ink-2);
  }
  .button.plain:hover {
    background: var(--hover);
    color: var(--ink);
  }
  .button:disabled {
    color: var(--ink-3);
    cursor: default;
  }
  .icon-button {
    display: inline-grid;
    place-items: center;
    width: var(--s8);
    height: var(--s8);
    border-radius: var(--radius-s);
    color: var(--ink-2);
    flex: none;
  }
  .icon-button:hover {
    background: var(--hover);
    color: var(--ink);
  }
  kbd {
    font: inherit;
    font-size: var(--text-xs);
    line-height: 1;
    min-width: 1.5em;
    padding: 2px var(--s1);
    border: 1px solid currentColor;
    border-radius: var(--s1);
    text-align: center;
    opacity: 0.85;
  }
  svg {
    display: block;
    flex: none;
  }
  .visually-hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  /* A skeleton, but only after the 300 ms in which most things have come. */
  .bones {
    animation: late 1ms 300ms both;
  }
  .bones i {
    display: block;
    height: var(--s4);
    margin-bottom: var(--s3);
    border-radius: var(--radius-s);
    background: var(--surface-sunk);
  }
  @keyframes late {
    from {
      visibility: hidden;
    }
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation-duration: 1ms !important;
      transition-duration: 1ms !important;
      scroll-behavior: auto !important;
    }
  }
`;
