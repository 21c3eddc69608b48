import { css } from 'lit';

/** The list, and what is open beside it; where it is narrow, one or the other. */
export const knowledgeStyles = css`
  main {
    position: relative;
    min-height: 0;
  }
  .column,
  .open {
    position: absolute;
    inset: 0;
    overflow-y: auto;
    overscroll-behavior: contain;
  }
  .open {
    background: var(--surface);
  }
  .open.article {
    display: grid;
    grid-template-rows: auto minmax(0, 1fr);
    overflow: hidden;
  }
  .write {
    margin: var(--s2) var(--s4) var(--s4);
  }
  .back {
    justify-self: start;
    margin: var(--s2) var(--s3) 0;
  }
  bc-article,
  bc-article-editor {
    grid-row: 2;
  }
  bc-gap {
    padding: var(--s5);
  }
  .note,
  .empty {
    padding: var(--s6) var(--s5);
    max-width: 48ch;
    color: var(--ink-2);
  }
  .bones {
    padding: var(--s6) var(--s5);
    max-width: 48ch;
  }
  .degraded {
    padding: var(--s2) var(--s4);
  }
  bc-call-drawer {
    position: absolute;
    inset: 0;
    z-index: 10;
  }
  @media (min-width: 900px) {
    main {
      display: grid;
      grid-template-columns: 264px minmax(0, 1fr);
    }
    .column,
    .open {
      position: static;
    }
    .column {
      border-inline-end: 1px solid var(--line);
    }
    .open {
      position: relative;
      min-height: 0;
    }
    .back {
      display: none;
    }
    bc-gap {
      padding: var(--s6) var(--s8);
    }
    bc-call-drawer {
      inset-inline-start: 264px;
    }
  }
  @media (min-width: 1300px) {
    main {
      grid-template-columns: 300px minmax(0, 1fr);
    }
    /* Over the evidence: the text that rests on it stays in sight. */
    bc-call-drawer {
      inset-inline-start: auto;
      width: 400px;
      border-inline-start: 1px solid var(--line);
      box-shadow: var(--shadow-front);
    }
  }
`;
