import { LitElement, css, html } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { StreamState } from '../api/stream.ts';
import { secondsText } from '../state/text.ts';
import { shared } from './shared-styles.ts';

/** "connected · 0.7 s behind", in a few words, in the corner. */
@customElement('bc-connection')
export class Connection extends LitElement {
  @property() state: StreamState = 'connecting';
  /** How far the transcript is behind the voices; null when nobody speaks. */
  @property({ type: Number }) behindMs: number | null = null;
  /** In a corner the mark alone says that all is well. */
  @property({ type: Boolean, reflect: true }) small = false;

  static override styles = [
    shared,
    css`
      .state {
        display: flex;
        align-items: center;
        gap: var(--s2);
        color: var(--ink-2);
        font-size: var(--text-s);
        white-space: nowrap;
      }
      .dot {
        width: var(--s2);
        height: var(--s2);
        border-radius: 50%;
        background: var(--accent);
      }
      /* Shape as well as colour says that it is not connected. */
      .reconnecting .dot,
      .connecting .dot {
        background: none;
        border: 2px solid var(--ink-3);
      }
      .reconnecting {
        color: var(--ink);
        font-weight: var(--weight-medium);
      }
      :host([small]) .behind,
      :host([small]) .open .word {
        position: absolute;
        width: 1px;
        height: 1px;
        overflow: hidden;
        clip-path: inset(50%);
      }
      @media (max-width: 599px) {
        .behind,
        .open .word {
          position: absolute;
          width: 1px;
          height: 1px;
          overflow: hidden;
          clip-path: inset(50%);
        }
      }
    `,
  ];

  override render() {
    const words = { connecting: 'connecting…', open: 'connected', reconnecting: 'reconnecting…' };
    const behind = this.state === 'open' && this.behindMs !== null;
    return html`<span class="state numbers ${this.state}" title=${words[this.state]}>
      <span class="dot"></span><span class="word">${words[this.state]}</span>
      ${behind ? html`<span class="behind quiet">· ${secondsText(this.behindMs!)} behind</span>` : ''}
    </span>`;
  }
}
