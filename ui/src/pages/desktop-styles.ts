import { css } from 'lit';

/** The page's grid: one column with tabs, two from 900 px, three from 1300 px. */
export const desktopStyles = css`
  :host {
    display: grid;
    grid-template-rows: auto auto minmax(0, 1fr);
    height: 100vh;
    height: 100dvh;
    min-width: 320px;
  }
  bc-header {
    grid-row: 1;
  }
  .degraded {
    grid-row: 2;
    padding: var(--s2) var(--s4);
    border-top: 1px solid var(--line);
    background: var(--surface-sunk);
    color: var(--ink-2);
    font-size: var(--text-s);
  }
  bc-idle,
  .call {
    grid-row: 3;
    min-height: 0;
  }
  .call {
    position: relative;
    display: grid;
    grid-template: auto auto minmax(0, 1fr) auto auto auto / minmax(0, 1fr);
    grid-template-areas: 'strip' 'tabs' 'panel' 'note' 'answers' 'ask';
  }
  .strip {
    grid-area: strip;
    border-bottom: 1px solid var(--line);
    background: var(--surface);
  }
  .strip-row {
    padding: 0 var(--s4) var(--s3);
    display: flex;
    align-items: center;
    gap: var(--s3);
    flex-wrap: wrap;
  }
  bc-tabs {
    grid-area: tabs;
  }
  .panel {
    grid-area: panel;
    min-height: 0;
    overflow-y: auto;
    overscroll-behavior: contain;
  }
  .panel:focus-visible {
    outline-offset: -2px;
  }
  bc-transcript {
    height: 100%;
  }
  .transcript {
    display: flex;
    flex-direction: column;
    overflow: hidden;
  }
  .transcript bc-transcript {
    flex: 1;
    height: auto;
  }
  .cards {
    padding: var(--s3);
  }
  /* Narrow, its two parts take places of the page's own grid; the elements stay the same when the window is resized. */
  .side {
    display: contents;
  }
  .side .degraded {
    grid-area: note;
  }
  bc-answers {
    grid-area: answers;
    max-height: 40vh;
  }
  bc-ask {
    grid-area: ask;
  }
  .calls {
    display: none;
  }
  bc-passage {
    position: absolute;
    inset: 0;
    z-index: 10;
  }
  bc-outcome {
    padding: var(--s1);
    margin-bottom: var(--s2);
  }
  .drawer {
    z-index: 5;
    background: var(--surface);
  }
  .problem,
  .bones {
    grid-area: panel;
    padding: var(--s6) var(--s4);
    max-width: 44ch;
  }
  .problem .button {
    margin-top: var(--s4);
  }

  @media (min-width: 900px) {
    .call {
      grid-template: auto minmax(0, 1fr) auto / minmax(0, 1fr) minmax(380px, 44%);
      grid-template-areas: 'strip strip' 'panel side' 'ask side';
    }
    .side {
      grid-area: side;
      display: grid;
      grid-template: minmax(0, 1fr) auto auto / minmax(0, 1fr);
      min-height: 0;
      border-inline-start: 1px solid var(--line);
    }
    .side .panel,
    .side .degraded {
      grid-area: auto;
    }
    .side bc-answers {
      grid-area: auto;
      max-height: 45vh;
    }
    .cards {
      padding: var(--s4);
    }
    bc-passage {
      grid-area: panel;
      position: relative;
      inset: auto;
      z-index: 5;
    }
    .problem,
    .bones {
      grid-area: panel;
    }
  }

  @media (min-width: 1300px) {
    .call {
      grid-template: auto minmax(0, 1fr) auto / 264px minmax(0, 1fr) minmax(440px, 38%);
      grid-template-areas: 'calls strip strip' 'calls panel side' 'calls ask side';
    }
    .calls {
      grid-area: calls;
      display: flex;
      flex-direction: column;
      min-height: 0;
      border-inline-end: 1px solid var(--line);
    }
    .call.with-customer {
      grid-template: auto minmax(0, auto) minmax(0, 1fr) auto / 304px minmax(0, 1fr) minmax(440px, 38%);
      grid-template-areas: 'calls strip strip' 'calls panel side' 'about panel side' 'about ask side';
    }
    .with-customer .calls {
      max-height: 44vh;
    }
    .about {
      grid-area: about;
      border-block-start: 1px solid var(--line);
      border-inline-end: 1px solid var(--line);
    }
    .calls bc-call-list {
      flex: 1;
      overflow-y: auto;
      padding: var(--s4) var(--s2);
    }
    .calls bc-microphone {
      padding: var(--s3) var(--s4);
      border-top: 1px solid var(--line);
    }
    /* The list's own button says it there. */
    .elsewhere {
      display: none;
    }
    .side .panel.cards {
      padding: var(--s5);
    }
  }
`;
