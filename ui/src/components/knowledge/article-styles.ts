import { css } from 'lit';
import { maskStyles } from '../masked-text.ts';

/** Head, text with its side, and foot; the side goes below the text until there is room for both. */
export const articleStyles = [
  maskStyles,
  css`
    :host {
      display: grid;
      grid-template-rows: auto minmax(0, 1fr) auto;
      min-height: 0;
      height: 100%;
      background: var(--surface);
    }
    .head {
      display: flex;
      flex-wrap: wrap;
      align-items: end;
      gap: var(--s2) var(--s4);
      padding: var(--s4) var(--s5) var(--s3);
      border-bottom: 1px solid var(--line);
    }
    .titles {
      flex: 1 1 300px;
      min-width: 0;
    }
    h2 {
      font-size: var(--text-l);
      line-height: var(--leading-tight);
      font-weight: var(--weight-bold);
      overflow-wrap: anywhere;
    }
    .facts {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      gap: var(--s1) var(--s2);
      margin-top: var(--s1);
    }
    .against {
      display: inline-flex;
      align-items: center;
      gap: var(--s1);
      min-height: 24px;
      padding: 0 var(--s2);
      border-radius: var(--radius-s);
      background: var(--mark);
      color: var(--mark-ink);
    }
    .why > ul > li {
      margin-top: var(--s2);
    }
    .map {
      display: flex;
      align-items: center;
      gap: var(--s2);
      color: var(--ink-3);
    }
    .looks {
      display: flex;
      color: var(--ink);
      border: 1px solid var(--line);
      border-radius: var(--radius-s);
      overflow: hidden;
    }
    .look {
      min-height: var(--target);
      padding: 0 var(--s3);
      font-size: var(--text-s);
      color: var(--ink-2);
    }
    .look + .look {
      border-inline-start: 1px solid var(--line);
    }
    .look:hover {
      background: var(--hover);
    }
    .look[aria-pressed='true'] {
      background: var(--accent-soft);
      color: var(--ink);
      font-weight: var(--weight-medium);
    }
    .look:focus-visible {
      outline-offset: -2px;
    }
    .body {
      overflow-y: auto;
      overscroll-behavior: contain;
    }
    .main {
      padding: var(--s5);
    }
    .proposed {
      font-size: 1.07rem;
    }
    .side {
      padding: var(--s5);
      border-top: 1px solid var(--line);
      background: var(--bg);
    }
    .side > * + * {
      margin-top: var(--s6);
    }
    .note {
      max-width: var(--measure);
      margin-bottom: var(--s4);
      padding: var(--s2) var(--s3);
      border-inline-start: var(--bar) solid var(--line-strong);
      border-radius: var(--radius-s);
      background: var(--surface-sunk);
    }
    .rules dl {
      display: grid;
      grid-template-columns: auto minmax(0, 1fr);
      gap: var(--s1) var(--s4);
      margin-top: var(--s2);
      font-size: var(--text-s);
    }
    .rules dd {
      overflow-wrap: anywhere;
    }
    summary {
      min-height: 24px;
      cursor: pointer;
      border-radius: var(--radius-s);
    }
    .history li {
      display: grid;
      margin-top: var(--s2);
      font-size: var(--text-s);
    }
    .two {
      display: grid;
      gap: var(--s6);
    }
    .two > div {
      min-width: 0;
    }
    .two h3 {
      min-height: 36px;
      line-height: 36px;
    }
    .two h3::first-letter {
      text-transform: uppercase;
    }
    .choose {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      gap: var(--s2);
      min-height: 36px;
    }
    select {
      flex: 1;
      min-width: 0;
      max-width: 280px;
      min-height: var(--target);
      font: inherit;
      font-size: var(--text-s);
      color: var(--ink);
      background: var(--surface);
      border: 1px solid var(--line-strong);
      border-radius: var(--radius-s);
    }
    @media (max-width: 599px) {
      .map kbd {
        display: none;
      }
      .head,
      .main,
      .side {
        padding-inline: var(--s4);
      }
    }
    @media (min-width: 900px) {
      .two {
        grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
      }
    }
    @media (min-width: 1300px) {
      .body {
        display: grid;
        grid-template-columns: minmax(0, 1fr) 400px;
        overflow: hidden;
      }
      .body.beside {
        grid-template-columns: minmax(0, 1fr);
      }
      .main,
      .side {
        overflow-y: auto;
        overscroll-behavior: contain;
      }
      .main {
        padding: var(--s6) var(--s8);
      }
      .head {
        padding-inline: var(--s8) var(--s5);
      }
      .side {
        border-top: 0;
        border-inline-start: 1px solid var(--line);
      }
    }
  `,
];
