import { LitElement, css, html } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { Me } from '../../api/types.ts';
import { currentTheme, nextTheme, type Theme } from '../../theme.ts';
import { autoIcon, keyboardIcon, moonIcon, sunIcon } from '../icons.ts';
import { shared } from '../shared-styles.ts';

/** The page's top line: where one is, the way to the other pages, and who is signed in. The tabs are slotted. Fires `help`. */
@customElement('bc-top')
export class Top extends LitElement {
  @property({ attribute: false }) me: Me | undefined;
  /** The page's name. */
  @property() name = 'Knowledge';
  @state() private theme: Theme = currentTheme();

  static override styles = [
    shared,
    css`
      header {
        display: grid;
        grid-template: auto auto / minmax(0, 1fr) auto;
        grid-template-areas: 'name tools' 'tabs tabs';
        align-items: center;
        border-bottom: 1px solid var(--line);
        background: var(--surface);
      }
      .name {
        grid-area: name;
        display: flex;
        align-items: baseline;
        gap: var(--s2);
        padding-inline-start: var(--s4);
        white-space: nowrap;
      }
      h1 {
        font-size: var(--text-m);
        font-weight: var(--weight-bold);
      }
      a {
        display: inline-block;
        padding-block: var(--s1);
        color: var(--ink-2);
        text-decoration: none;
      }
      a:hover {
        color: var(--ink);
        text-decoration: underline;
        text-underline-offset: 3px;
      }
      .tools {
        grid-area: tools;
        display: flex;
        align-items: center;
        gap: var(--s1);
        min-height: var(--s12);
        padding-inline-end: var(--s3);
      }
      .who {
        padding-inline-start: var(--s2);
        max-width: 12rem;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      /* The line below the whole is enough. */
      slot {
        --tabs-line: 0;
        grid-area: tabs;
        display: block;
      }
      @media (max-width: 599px) {
        .who,
        .keys {
          display: none;
        }
      }
      @media (min-width: 900px) {
        header {
          grid-template: auto / auto minmax(0, 1fr) auto;
          grid-template-areas: 'name tabs tools';
        }
        slot {
          align-self: stretch;
          display: grid;
          max-width: 460px;
          margin-inline-start: var(--s8);
        }
      }
    `,
  ];

  override render() {
    const themeIcon = { auto: autoIcon, light: sunIcon, dark: moonIcon }[this.theme];
    return html`<header>
      <div class="name"><a href="/">Backchannel</a><span class="quiet" aria-hidden="true">/</span><h1>${this.name}</h1></div>
      <slot></slot>
      <div class="tools">
        <button type="button" class="icon-button keys" aria-label="Keyboard map" title="Keyboard map (?)" @click=${this.help}>${keyboardIcon}</button>
        <button type="button" class="icon-button" aria-label="Theme: ${this.theme}" title="Theme: ${this.theme}" @click=${() => (this.theme = nextTheme())}>
          ${themeIcon}
        </button>
        <span class="who quiet">${this.me?.name ?? ''}</span>
      </div>
    </header>`;
  }

  private help(): void {
    this.dispatchEvent(new CustomEvent('help', { bubbles: true, composed: true }));
  }
}
