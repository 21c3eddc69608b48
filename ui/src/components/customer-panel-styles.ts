import { css } from 'lit';

/** A column of plain facts: the eye goes to the open cases. */
export const customerPanelStyles = css`
  :host {
    padding: var(--s4);
    overflow-wrap: anywhere;
  }
  .top {
    display: flex;
    gap: var(--s2);
    min-height: var(--target);
    align-items: center;
  }
  h2 {
    flex: 1;
    min-width: 0;
  }
  .name {
    font-size: var(--text-l);
    line-height: var(--leading-tight);
    font-weight: var(--weight-bold);
    margin-bottom: var(--s1);
  }
  .name .urgent {
    display: inline-block;
    font-size: var(--text-s);
    vertical-align: 2px;
  }
  a.button {
    text-decoration: none;
  }
  h3 {
    margin: var(--s5) 0 var(--s2);
    font-size: var(--text-s);
    font-weight: var(--weight-bold);
    color: var(--ink-2);
  }
  dl {
    display: grid;
    grid-template-columns: max-content minmax(0, 1fr);
    gap: var(--s1) var(--s4);
  }
  dt {
    color: var(--ink-3);
  }
  dl + .button,
  p + .button {
    margin-top: var(--s3);
  }
  .link {
    min-height: 24px;
    color: var(--accent);
    text-decoration: underline;
    text-underline-offset: 3px;
  }
  .missing {
    margin-top: var(--s3);
    padding: var(--s2) var(--s3);
    border-radius: var(--radius-s);
    background: var(--surface-sunk);
    color: var(--ink-2);
    font-size: var(--text-s);
  }
  .problem {
    margin-top: var(--s2);
    font-size: var(--text-s);
    font-weight: var(--weight-medium);
  }
  .case {
    padding-inline-start: var(--s3);
    border-inline-start: 2px solid var(--line-strong);
  }
  .case + .case {
    margin-top: var(--s4);
  }
  .case-top {
    display: flex;
    align-items: baseline;
    gap: var(--s2);
  }
  .subject {
    flex: 1;
    min-width: 0;
    font-weight: var(--weight-bold);
    color: var(--ink);
  }
  a.subject {
    text-decoration-color: var(--line-strong);
    text-underline-offset: 3px;
  }
  .priority {
    flex: none;
    font-size: var(--text-s);
    color: var(--ink-2);
  }
  .urgent {
    padding: 0 var(--s2);
    border: 1px solid var(--ink-3);
    border-radius: var(--s4);
    color: var(--ink);
    font-weight: var(--weight-medium);
  }
  .activity {
    display: grid;
  }
  .activity + .activity,
  .case .activity {
    padding-top: var(--s2);
  }
  /* A digest is read at a glance; the whole is a pointer away. */
  .text {
    display: -webkit-box;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 2;
    overflow: hidden;
    font-size: var(--text-s);
  }
  details {
    margin-top: var(--s1);
  }
  summary {
    min-height: 24px;
    cursor: pointer;
  }
  .bones {
    padding: 0;
  }
`;
