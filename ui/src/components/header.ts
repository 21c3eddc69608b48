import { LitElement, css, html } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { StreamState } from '../api/stream.ts';
import type { Me, Summary } from '../api/types.ts';
import { currentTheme, nextTheme, type Theme } from '../theme.ts';
import { autoIcon, downIcon, keyboardIcon, moonIcon, sunIcon } from './icons.ts';
import { shared } from './shared-styles.ts';
import './call-list.ts';
import './connection.ts';

/** The top line: what is live, whether we hear it, and who is signed in. What is slotted stands under the list of calls. */
@customElement('bc-header')
export class Header extends LitElement {
  @property({ attribute: false }) me: Me | undefined;
  @property({ attribute: false }) live: Summary[] = [];
  @property({ attribute: false }) ended: Summary[] = [];
  @property() selected = '';
  @property() stream: StreamState = 'connecting';
  @property({ type: Number }) behindMs: number | null = null;
  @property({ type: Number }) now = 0;
  /** Writes into other systems that somebody has to look at. */
  @property({ type: Number }) unwritten = 0;
  @state() private open: 'calls' | 'agent' | '' = '';
  @state() private theme: Theme = currentTheme();

  static override styles = [
    shared,
    css`
      header {
        display: flex;
        align-items: center;
        gap: var(--s2);
        min-height: var(--s12);
        padding: 0 var(--s3) 0 var(--s4);
        border-bottom: 1px solid var(--line);
        background: var(--surface);
      }
      h1 {
        font-size: var(--text-m);
        font-weight: var(--weight-bold);
      }
      .space {
        flex: 1;
      }
      .menu {
        position: relative;
      }
      .count {
        color: var(--ink-2);
      }
      .unwritten {
        padding: var(--s1);
        color: var(--ink);
        font-size: var(--text-s);
        font-weight: var(--weight-medium);
        white-space: nowrap;
        text-underline-offset: 3px;
      }
      .popover {
        position: absolute;
        top: calc(100% + var(--s1));
        z-index: 20;
        width: 300px;
        max-width: calc(100vw - var(--s6));
        max-height: 70vh;
        overflow: auto;
        padding: var(--s3) var(--s2);
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--surface-raised);
      }
      .popover.right {
        right: 0;
        width: 220px;
      }
      .below {
        padding: var(--s4) var(--s3) var(--s1);
      }
      .who {
        padding: 0 var(--s3) var(--s3);
      }
      .popover .button {
        width: 100%;
      }
      /* The list has its own column there; the count alone remains. */
      @media (min-width: 1300px) {
        .count svg {
          display: none;
        }
        .count {
          pointer-events: none;
        }
      }
      @media (max-width: 599px) {
        header {
          gap: var(--s1);
          padding: 0 var(--s2) 0 var(--s3);
        }
        /* No room to be seen, but still the page's name for those who hear it. */
        h1 {
          position: absolute;
          clip-path: inset(50%);
        }
        .menu > .button {
          padding-inline: var(--s2);
        }
        .keys {
          display: none;
        }
      }
    `,
  ];

  override render() {
    const count = `${this.live.length} live`;
    const themeIcon = { auto: autoIcon, light: sunIcon, dark: moonIcon }[this.theme];
    return html`<header>
      <h1>Backchannel</h1>
      <div class="menu" @focusout=${this.leave}>
        <button type="button" class="button plain count numbers" aria-expanded=${this.open === 'calls'} @click=${() => this.toggle('calls')}>
          ${count} ${downIcon}
        </button>
        ${this.open === 'calls'
          ? html`<div class="popover" @call-select=${this.close} @speak=${this.close}>
              <bc-call-list .live=${this.live} .ended=${this.ended} .selected=${this.selected} .now=${this.now}></bc-call-list>
              <div class="below"><slot></slot></div>
            </div>`
          : ''}
      </div>
      ${this.unwritten > 0 ? html`<a class="unwritten numbers" href="/outbox">${this.unwritten} not written</a>` : ''}
      <span class="space"></span>
      <bc-connection .state=${this.stream} .behindMs=${this.behindMs}></bc-connection>
      <button type="button" class="icon-button keys" aria-label="Keyboard map" title="Keyboard map (?)" @click=${() => this.fire('help')}>
        ${keyboardIcon}
      </button>
      <button type="button" class="icon-button" aria-label="Theme: ${this.theme}" title="Theme: ${this.theme}" @click=${this.turnTheme}>
        ${themeIcon}
      </button>
      <div class="menu" @focusout=${this.leave}>
        <button type="button" class="button plain" aria-expanded=${this.open === 'agent'} @click=${() => this.toggle('agent')}>
          ${this.me?.name ?? '…'} ${downIcon}
        </button>
        ${this.open === 'agent'
          ? html`<div class="popover right">
              <p class="who quiet">${this.me?.role.replaceAll('_', ' ')} · ${this.me?.tenant}${this.me?.demo ? ' · demo' : ''}<br />version ${this.me?.version}</p>
              <button type="button" class="button plain" @click=${() => this.fire('sign-out')}>Sign out</button>
            </div>`
          : ''}
      </div>
    </header>`;
  }

  /** Escape closes an open menu; says whether there was one. */
  close(): boolean {
    const was = this.open !== '';
    this.open = '';
    return was;
  }

  private toggle(menu: 'calls' | 'agent'): void {
    this.open = this.open === menu ? '' : menu;
  }

  private leave(event: FocusEvent): void {
    const menu = event.currentTarget as HTMLElement;
    // What is slotted into the menu is the header's child, not the menu's.
    if (event.relatedTarget instanceof Node && (menu.contains(event.relatedTarget) || this.contains(event.relatedTarget))) return;
    // Safari gives a clicked button no focus: a lost focus without a new place must not close under the pointer.
    if (event.relatedTarget !== null) this.open = '';
  }

  private turnTheme(): void {
    this.theme = nextTheme();
  }

  private fire(name: string): void {
    this.open = '';
    this.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true }));
  }
}
