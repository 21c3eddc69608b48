import { css } from 'lit';

/** Tables of the floor: columns where there is room, one block for each row where there isn't. */
export const tableStyles = css`
  table {
    width: 100%;
    border-collapse: collapse;
    font-variant-numeric: tabular-nums;
  }
  th {
    text-align: start;
    font-weight: inherit;
  }
  thead th {
    padding: 0 var(--s3) var(--s2);
    font-size: var(--text-s);
    font-weight: var(--weight-medium);
    color: var(--ink-3);
    vertical-align: bottom;
  }
  tbody th,
  td {
    padding: var(--s3);
    vertical-align: top;
  }
  tbody tr {
    border-top: 1px solid var(--line);
  }
  tbody tr:focus-visible {
    outline-offset: -2px;
    border-radius: var(--radius-s);
  }
  thead th:first-child,
  tbody th:first-child,
  td:first-child {
    padding-inline-start: 0;
  }
  tbody th strong {
    font-weight: var(--weight-bold);
    overflow-wrap: anywhere;
  }
  .number {
    text-align: end;
  }
  @media (max-width: 759px) {
    table,
    tbody,
    tbody th,
    td {
      display: block;
    }
    thead {
      display: none;
    }
    tbody tr:first-child {
      border-top: 0;
      padding-top: 0;
    }
    tbody tr {
      display: grid;
      grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
      gap: var(--s2) var(--s4);
      padding: var(--s4) 0;
    }
    tbody th,
    td {
      padding: 0;
    }
    tbody th,
    td.whole {
      grid-column: 1 / -1;
    }
    td[data-label]::before {
      content: attr(data-label);
      display: block;
      font-size: var(--text-s);
      color: var(--ink-3);
    }
    td.nothing {
      display: none;
    }
    .number {
      text-align: start;
    }
  }
`;
