import { css } from 'lit';

/** How an article's text looks, in the review and in the editor's preview. */
export const proseStyles = css`
  .prose {
    max-width: var(--measure);
    overflow-wrap: anywhere;
  }
  .prose > * + * {
    margin-top: var(--s3);
  }
  .prose .heading {
    margin-top: var(--s5);
    font-size: var(--text-m);
    font-weight: var(--weight-bold);
  }
  .prose .heading:first-child {
    margin-top: 0;
  }
  .prose ul,
  .prose ol {
    padding-inline-start: var(--s5);
  }
  .prose ul {
    list-style: disc;
  }
  .prose ol {
    list-style: decimal;
  }
  .prose li + li {
    margin-top: var(--s1);
  }
  .prose li::marker {
    color: var(--ink-3);
  }
  .prose blockquote {
    margin: var(--s3) 0 0;
    padding-inline-start: var(--s4);
    border-inline-start: 2px solid var(--line-strong);
    color: var(--ink-2);
  }
  .prose code,
  .prose pre {
    font-family: var(--font-mono);
    font-size: 0.9em;
    background: var(--surface-sunk);
    border-radius: var(--s1);
  }
  .prose code {
    padding: 1px var(--s1);
  }
  .prose pre {
    margin: var(--s3) 0 0;
    padding: var(--s3);
    white-space: pre-wrap;
  }
  .prose a {
    color: var(--accent);
    text-underline-offset: 3px;
  }
  .prose table {
    border-collapse: collapse;
    display: block;
    overflow-x: auto;
    max-width: 100%;
  }
  .prose th,
  .prose td {
    padding: var(--s1) var(--s3);
    border: 1px solid var(--line);
    text-align: start;
    vertical-align: top;
  }
  .prose hr {
    border: 0;
    border-top: 1px solid var(--line);
  }
`;
