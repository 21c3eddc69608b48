import { LitElement, css, html } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { MicrophoneState } from '../audio/microphone.ts';
import type { Summary } from '../api/types.ts';
import { shared } from './shared-styles.ts';
import './call-list.ts';
import './microphone-bar.ts';

/** No call is open: what will appear, how to try it now, what just ended. */
@customElement('bc-idle')
export class Idle extends LitElement {
  @property({ attribute: false }) live: Summary[] = [];
  @property({ attribute: false }) ended: Summary[] = [];
  @property({ attribute: false }) microphone: MicrophoneState = { is: 'off' };
  @property({ type: Number }) now = 0;

  static override styles = [
    shared,
    css`
      :host {
        overflow-y: auto;
      }
      .page {
        max-width: 520px;
        margin: 0 auto;
        padding: clamp(var(--s8), 12vh, 120px) var(--s5) var(--s8);
      }
      h2 {
        font-size: var(--text-xl);
        line-height: var(--leading-tight);
        font-weight: var(--weight-bold);
        letter-spacing: -0.01em;
      }
      p {
        margin: var(--s3) 0 var(--s6);
        color: var(--ink-2);
        text-wrap: pretty;
      }
      bc-call-list {
        margin: var(--s12) calc(-1 * var(--s3)) 0;
      }
    `,
  ];

  override render() {
    return html`<div class="page">
      <h2>No call right now</h2>
      <p>
        The next call opens here by itself: its words a second after they are said, and the answer beside them when the customer asks something that
        your knowledge base knows. To see it now, speak to it: your microphone plays the customer.
      </p>
      <bc-microphone large .state=${this.microphone}></bc-microphone>
      ${this.live.length + this.ended.length > 0
        ? html`<bc-call-list .live=${this.live} .ended=${this.ended} .now=${this.now}></bc-call-list>`
        : ''}
    </div>`;
  }
}
