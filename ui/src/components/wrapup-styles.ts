import { css } from 'lit';

/** The look of the wrap-up: sheets of paper under each other, none above the rest. */
export const wrapUpStyles = css`
  :host {
    display: grid;
    gap: var(--s3);
    padding: var(--s1);
  }
  section {
    padding: var(--s4) var(--s4) var(--s3);
    border: 1px solid var(--line);
    border-radius: var(--radius);
    background: var(--surface);
  }
  .top {
    display: flex;
    align-items: center;
    gap: var(--s2);
    margin-bottom: var(--s2);
  }
  h2 {
    flex: 1;
    font-size: var(--text-m);
    font-weight: var(--weight-bold);
  }
  h3 {
    margin-top: var(--s2);
    font-size: var(--text-s);
    font-weight: var(--weight-bold);
    color: var(--ink-3);
  }
  .discarded {
    background: none;
    border-style: dashed;
  }
  .state {
    display: inline-flex;
    align-items: center;
    gap: var(--s1);
    color: var(--accent);
    font-size: var(--text-s);
  }
  .discarded .state {
    color: var(--ink-3);
  }
  .actions,
  .choices {
    display: flex;
    flex-wrap: wrap;
    gap: var(--s2);
    margin-top: var(--s3);
  }
  .choices {
    align-items: end;
    margin: 0 0 var(--s3);
  }
  label {
    display: grid;
    gap: 2px;
    font-size: var(--text-s);
    color: var(--ink-2);
  }
  label.wide {
    flex: 1 1 12rem;
  }
  select,
  input,
  textarea {
    min-height: var(--target);
    padding: var(--s1) var(--s2);
    border: 1px solid var(--line-strong);
    border-radius: var(--radius-s);
    background: var(--surface);
    color: var(--ink);
    font: inherit;
  }
  textarea {
    display: block;
    width: 100%;
    resize: vertical;
    line-height: var(--leading);
  }
  .subject {
    font-weight: var(--weight-medium);
    margin-bottom: var(--s2);
  }
  .part + .part {
    margin-top: var(--s2);
  }
  .author {
    margin-top: var(--s2);
    color: var(--ink-3);
    font-size: var(--text-s);
  }
  .author ul {
    margin-top: var(--s1);
    padding-inline-start: var(--s4);
  }
  .author li + li {
    margin-top: var(--s1);
  }
  .fixed {
    color: var(--ink-2);
    white-space: pre-line;
  }
  .follow-up + .follow-up {
    margin-top: var(--s2);
    padding-top: var(--s2);
    border-top: 1px solid var(--line);
  }
  /* Of one height from its first sentence to its last: what stands below must not move with each. */
  .grows {
    padding-block: var(--s2);
    border-style: dashed;
    background: none;
  }
  .grows .so-far {
    height: 8rem;
    overflow-y: auto;
    color: var(--ink-2);
    font-size: var(--text-s);
  }
  .newer {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: var(--s2);
    margin-top: var(--s3);
  }
  .choice + .choice {
    margin-top: var(--s2);
  }
  .quotes {
    padding-inline-start: var(--s3);
    color: var(--ink-2);
    font-size: var(--text-s);
  }
  .button[aria-disabled='true'] {
    color: var(--ink-3);
    cursor: default;
  }
  .facts {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: var(--s2);
  }
  .facts .quiet {
    flex: 1;
  }
  .chip[aria-pressed='true'] {
    border-color: var(--accent);
    background: var(--accent-soft);
    font-weight: var(--weight-medium);
  }
`;
