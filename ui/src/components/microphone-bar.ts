import { LitElement, css, html } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { MicrophoneState } from '../audio/microphone.ts';
import { microphoneIcon, stopIcon } from './icons.ts';
import { shared } from './shared-styles.ts';

/** "Speak to it": the button, the level while it streams, the reason when it can't. Fires `speak` and `hush`. */
@customElement('bc-microphone')
export class MicrophoneBar extends LitElement {
  @property({ attribute: false }) state: MicrophoneState = { is: 'off' };
  /** It is what the page is about; elsewhere it stands back behind the call. */
  @property({ type: Boolean }) large = false;

  static override styles = [
    shared,
    css`
      .row {
        display: flex;
        align-items: center;
        gap: var(--s3);
        flex-wrap: wrap;
      }
      .large {
        min-height: 40px;
        padding-inline: var(--s4);
        font-size: var(--text-m);
      }
      meter {
        position: absolute;
        opacity: 0;
        pointer-events: none;
        width: 1px;
        height: 1px;
      }
      .bars {
        display: inline-flex;
        align-items: center;
        gap: 3px;
        height: var(--s5);
      }
      .bars i {
        width: 3px;
        height: 100%;
        border-radius: 2px;
        background: var(--accent);
        transform-origin: center;
      }
      .failed {
        max-width: 52ch;
        margin-top: var(--s2);
        color: var(--ink-2);
        font-size: var(--text-s);
      }
    `,
  ];

  override render() {
    const state = this.state;
    if (state.is === 'streaming') {
      return html`<div class="row">
        <button type="button" class="button" @click=${() => this.fire('hush')}>${stopIcon} Stop</button>
        ${this.meter(state.level)}
        <span class="quiet">You are the customer</span>
      </div>`;
    }
    if (state.is === 'stopping') return html`<span class="quiet">Writing down the last words …</span>`;
    const waiting = { asking: 'Waiting for your permission …', connecting: 'Connecting …' }[state.is as string];
    return html`<div class="row">
        <button type="button" class="button ${this.large ? 'primary large' : ''}" ?disabled=${Boolean(waiting)} @click=${() => this.fire('speak')}>${microphoneIcon} Speak to it</button>
        ${waiting ? html`<span class="quiet">${waiting}</span>` : ''}
      </div>
      ${state.is === 'failed' ? html`<p class="failed" role="alert">${state.why}</p>` : ''}`;
  }

  private meter(level: number) {
    // Five bars around the middle, each with its own share, read as a voice rather than as a gauge.
    const shares = [0.45, 0.8, 1, 0.7, 0.4];
    return html`<meter min="0" max="1" .value=${level} aria-label="Microphone level"></meter>
      <span class="bars" aria-hidden="true">
        ${shares.map((share) => html`<i style="transform:scaleY(${Math.max(0.12, level * share).toFixed(2)})"></i>`)}
      </span>`;
  }

  private fire(name: string): void {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true }));
  }
}
