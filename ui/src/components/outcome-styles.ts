import { css } from 'lit';

/** One sheet above the drafts, with the one thing on it that is to be pressed. */
export const outcomeStyles = css`
  section {
    padding: var(--s4) var(--s4) var(--s3);
    border: 1px solid var(--line);
    border-radius: var(--radius);
    background: var(--surface-raised);
    box-shadow: var(--shadow-front);
  }
  .top {
    display: flex;
    align-items: baseline;
    flex-wrap: wrap;
    gap: 0 var(--s2);
    margin-bottom: var(--s2);
  }
  h2 {
    flex: 1;
    white-space: nowrap;
    font-size: var(--text-l);
    line-height: var(--leading-tight);
    font-weight: var(--weight-bold);
  }
  .case {
    display: flex;
    align-items: center;
    gap: var(--s3);
    margin-bottom: var(--s2);
    color: var(--ink-2);
    font-size: var(--text-s);
  }
  .case select {
    flex: 1;
    min-width: 0;
    text-overflow: ellipsis;
  }
  li {
    display: grid;
    grid-template-columns: 18px minmax(0, 1fr);
    gap: 0 var(--s3);
    padding: var(--s2) 0;
  }
  li + li {
    border-top: 1px solid var(--line);
  }
  li > input,
  .mark {
    margin-top: 2px;
  }
  .mark {
    display: grid;
    place-items: center;
    width: 18px;
    height: 18px;
    color: var(--accent);
  }
  .mark i {
    width: var(--s2);
    height: var(--s2);
    border: 2px solid var(--ink-3);
    border-radius: 50%;
  }
  .failed .mark,
  .discarded .mark {
    color: var(--ink);
  }
  .line {
    display: flex;
    flex-wrap: wrap;
    align-items: baseline;
    gap: 0 var(--s3);
  }
  label,
  .title {
    flex: 1 1 auto;
    font-weight: var(--weight-medium);
  }
  .done .title,
  .discarded .title {
    color: var(--ink-2);
  }
  .rest,
  .trouble {
    grid-column: 2;
  }
  .preview {
    display: -webkit-box;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 2;
    overflow: hidden;
    overflow-wrap: anywhere;
    color: var(--ink-2);
    font-size: var(--text-s);
  }
  .done .preview,
  .discarded .preview,
  .waiting .preview {
    -webkit-line-clamp: 1;
    color: var(--ink-3);
  }
  .new {
    margin-bottom: var(--s2);
    padding-inline-start: var(--s3);
    border-inline-start: 2px solid var(--line-strong);
  }
  .yours {
    color: var(--accent);
    font-weight: var(--weight-medium);
  }
  .when {
    font-size: var(--text-s);
  }
  .link {
    min-height: 24px;
    color: var(--accent);
    font-size: var(--text-s);
    text-decoration: underline;
    text-underline-offset: 3px;
  }
  .quiet a {
    color: var(--accent);
  }
  .days {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: var(--s1) var(--s2);
    margin-top: var(--s1);
  }
  .ask {
    font-size: var(--text-s);
    font-weight: var(--weight-medium);
  }
  .trouble {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: space-between;
    gap: var(--s1) var(--s3);
    margin-top: var(--s1);
    font-size: var(--text-s);
  }
  .trouble p {
    flex: 1 1 12rem;
  }
  .failed .trouble {
    padding: var(--s2) var(--s3);
    border-radius: var(--radius-s);
    background: var(--surface-sunk);
    font-weight: var(--weight-medium);
  }
  .resting {
    margin-top: var(--s2);
    padding: var(--s2) var(--s3);
    border-radius: var(--radius-s);
    background: var(--surface-sunk);
    color: var(--ink-2);
    font-size: var(--text-s);
  }
  .actions {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: var(--s3);
    margin-top: var(--s3);
  }
  .put {
    min-height: var(--s8);
    padding-inline: var(--s4);
  }
  .button.primary[aria-disabled='true'] {
    background: var(--surface-sunk);
    border-color: var(--line);
    color: var(--ink-3);
  }
`;
