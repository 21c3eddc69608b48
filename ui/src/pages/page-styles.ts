import { css } from 'lit';

/** A page of the size of its window: what stands on top, and below it what scrolls. */
export const frameStyles = css`
  :host {
    display: grid;
    grid-template-rows: auto minmax(0, 1fr);
    height: 100vh;
    height: 100dvh;
    min-width: 320px;
  }
  .note .button {
    margin-top: var(--s3);
  }
`;

/** One column that scrolls, with a bar above it. */
export const columnStyles = css`
  main {
    min-height: 0;
    overflow-y: auto;
    padding: var(--s4) var(--s3) var(--s12);
  }
  .column {
    margin: 0 auto;
  }
  .bar {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: var(--s2) var(--s4);
    min-height: var(--s8);
    margin-bottom: var(--s4);
  }
  .empty,
  .note {
    max-width: 56ch;
    padding: var(--s6) 0;
    color: var(--ink-2);
  }
  @media (min-width: 900px) {
    main {
      padding: var(--s6) var(--s6) var(--s12);
    }
  }
`;
