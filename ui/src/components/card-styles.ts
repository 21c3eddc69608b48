import { css } from 'lit';

/** The look of a card, in front and folded. Only the front one casts a shadow. */
export const cardStyles = css`
  article {
    border-radius: var(--radius);
    background: var(--surface);
    border: 1px solid var(--line);
  }
  :host([front]) article {
    border-inline-start: var(--bar) solid var(--accent);
    background: var(--surface-raised);
    box-shadow: var(--shadow-front);
    padding: var(--s4) var(--s4) var(--s3) var(--s5);
  }
  .folded {
    border-color: transparent;
    background: none;
  }
  .line {
    display: flex;
    align-items: center;
    gap: var(--s2);
    width: 100%;
    min-height: 36px;
    padding: var(--s1) var(--s3) var(--s1) var(--s2);
    border-radius: var(--radius);
    color: var(--ink-2);
  }
  .line:focus-visible {
    outline-offset: -2px;
  }
  .line:hover {
    background: var(--hover);
    color: var(--ink);
  }
  .line-title {
    flex: 1;
    min-width: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .line kbd {
    color: var(--ink-3);
  }
  :host([unfolded]) .line-title {
    font-weight: var(--weight-medium);
    color: var(--ink);
  }
  .chevron {
    transition: rotate var(--fade);
  }
  :host([unfolded]) .chevron {
    rotate: 90deg;
  }
  :host([unfolded]:not([front])) .open {
    padding: 0 var(--s4) var(--s3) var(--s4);
  }
  :host([unfolded]:not([front])) .line {
    margin: 0 calc(-1 * var(--s4));
    width: calc(100% + 2 * var(--s4));
  }
  .answer {
    display: block;
    width: 100%;
    border-radius: var(--radius-s);
    text-wrap: pretty;
    overflow-wrap: anywhere;
    user-select: text;
  }
  .answer:disabled {
    color: inherit;
    cursor: text;
  }
  .quotation {
    display: block;
    width: 100%;
    margin-top: var(--s2);
    border-radius: var(--radius-s);
    overflow-wrap: anywhere;
    user-select: text;
  }
  :host([front]) .spoken,
  :host([front]) .answer {
    font-size: var(--text-l);
    line-height: 1.4;
    font-weight: var(--weight-medium);
  }
  .answer:not(:disabled):hover {
    text-decoration: underline;
    text-decoration-color: var(--line-strong);
    text-decoration-thickness: 1px;
    text-underline-offset: 4px;
  }
  .source {
    display: flex;
    flex-wrap: wrap;
    align-items: baseline;
    gap: 0 var(--s3);
    margin-top: var(--s2);
  }
  .link {
    color: var(--accent);
    text-decoration: underline;
    text-decoration-color: transparent;
    text-underline-offset: 3px;
    font-size: var(--text-s);
    min-height: 24px;
  }
  .link .date {
    color: var(--ink-3);
    white-space: nowrap;
  }
  .why-button {
    color: var(--ink-3);
    text-decoration: underline dotted;
    text-underline-offset: 3px;
    font-size: var(--text-s);
    min-height: 24px;
  }
  .why-button:hover {
    color: var(--ink);
  }
  .link:hover {
    text-decoration-color: currentColor;
  }
  .actions {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: var(--s2);
    margin-top: var(--s3);
  }
  .space {
    flex: 1;
  }
  .why {
    margin-top: var(--s3);
    padding-top: var(--s3);
    border-top: 1px solid var(--line);
    font-size: var(--text-s);
    color: var(--ink-2);
  }
  .why li::first-letter {
    text-transform: uppercase;
  }
  .used {
    display: inline-flex;
    align-items: center;
    gap: var(--s1);
    white-space: nowrap;
  }
  .withdrawn {
    margin-bottom: var(--s2);
    padding: var(--s1) var(--s2);
    border-radius: var(--radius-s);
    background: var(--danger-soft);
    color: var(--danger);
    font-size: var(--text-s);
  }
  textarea {
    display: block;
    width: 100%;
    font: inherit;
    line-height: var(--leading);
    color: var(--ink);
    background: var(--surface);
    border: 1px solid var(--line-strong);
    border-radius: var(--radius-s);
    padding: var(--s2) var(--s3);
    resize: vertical;
  }
`;
