import { css, unsafeCSS } from 'lit';
import tokens from '../tokens.css?inline';

// The page's own size of letters must not change ours, and its rules end at the shadow's edge; what is inherited is stopped here.
const BASE_PX = 15;
const own = tokens
  .replace(/:root\[[^{]*\{[^}]*\}/g, '')
  .replace(/color-scheme:[^;]*;/, '')
  .replaceAll(':root', '.root')
  .replace(/([\d.]+)rem/g, (_, rem: string) => `${Math.round(Number(rem) * BASE_PX * 100) / 100}px`);

/** Light or dark as the page says (`color-scheme`), or by the element's own `theme`. */
export const copilotStyles = [
  css`
    ${unsafeCSS(own)}
  `,
  css`
    :host {
      display: block;
      height: 600px;
      min-width: 280px;
    }
    :host([hidden]) {
      display: none;
    }
    .root {
      all: initial;
      color-scheme: inherit;
      display: grid;
      grid-template: auto auto minmax(0, 1fr) auto auto / minmax(0, 1fr);
      position: relative;
      height: 100%;
      contain: content;
      box-sizing: border-box;
      font: 15px / var(--leading) var(--font);
      color: var(--ink);
      background: var(--bg);
      border: 1px solid var(--line);
      border-radius: var(--radius);
    }
    :host([theme='light']) .root {
      color-scheme: light;
    }
    :host([theme='dark']) .root {
      color-scheme: dark;
    }
    .head {
      grid-row: 1;
      display: grid;
      grid-template-columns: minmax(0, 1fr) auto;
      align-items: center;
      padding-inline-end: var(--s3);
      background: var(--surface);
      border-bottom: 1px solid var(--line);
    }
    bc-tabs {
      grid-row: 2;
    }
    .panel,
    .note {
      grid-row: 3;
      min-height: 0;
      overflow-y: auto;
      overscroll-behavior: contain;
    }
    .cards {
      padding: var(--s3);
    }
    .transcript {
      overflow: hidden;
    }
    bc-transcript {
      height: 100%;
    }
    .note {
      padding: var(--s5) var(--s4);
      max-width: 44ch;
      color: var(--ink-2);
    }
    bc-answers {
      grid-row: 4;
      max-height: 220px;
    }
    bc-ask {
      grid-row: 5;
    }
    bc-passage {
      position: absolute;
      inset: 0;
      z-index: 10;
    }
  `,
];
