import { css } from 'lit';

/** Fields of forms that stand inside a panel. */
export const fieldStyles = css`
  select,
  input:not([type='checkbox'], [type='radio']),
  textarea {
    min-height: var(--target);
    padding: var(--s1) var(--s2);
    border: 1px solid var(--line-strong);
    border-radius: var(--radius-s);
    background: var(--surface);
    color: var(--ink);
    font: inherit;
    font-size: var(--text-s);
  }
  textarea {
    display: block;
    width: 100%;
    resize: vertical;
    line-height: var(--leading);
  }
  input[type='checkbox'],
  input[type='radio'] {
    width: 18px;
    height: 18px;
    margin: 0;
    accent-color: var(--accent);
  }
  .button[aria-disabled='true'] {
    color: var(--ink-3);
    cursor: default;
  }
`;
