import { LitElement, css, html } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { Summary } from '../api/types.ts';
import { callerName } from '../state/calls.ts';
import { callTime } from '../state/text.ts';
import { channelName, isWritten } from '../state/replies.ts';
import { channelIcon } from './icons.ts';
import { maskedText, maskStyles } from './masked-text.ts';
import { shared } from './shared-styles.ts';

/** Live calls, then those that just ended. Fires `call-select` with the conversation's id. */
@customElement('bc-call-list')
export class CallList extends LitElement {
  @property({ attribute: false }) live: Summary[] = [];
  @property({ attribute: false }) ended: Summary[] = [];
  @property() selected = '';
  /** Server time now, so that running times tick. */
  @property({ type: Number }) now = 0;

  static override styles = [
    shared,
    maskStyles,
    css`
      section + section {
        margin-top: var(--s6);
      }
      h2 {
        padding: 0 var(--s3) var(--s2);
      }
      .quiet {
        padding: 0 var(--s3);
      }
      li button {
        display: grid;
        grid-template-columns: 1fr auto;
        gap: 0 var(--s2);
        width: 100%;
        padding: var(--s2) var(--s3);
        border-radius: var(--radius);
      }
      li button:hover {
        background: var(--hover);
      }
      li button[aria-current="true"] {
        background: var(--accent-soft);
      }
      .name {
        font-weight: var(--weight-medium);
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .channel svg {
        display: inline-block;
        margin-inline-end: var(--s1);
        vertical-align: -3px;
        color: var(--ink-3);
      }
      time {
        font-size: var(--text-s);
        color: var(--ink-2);
      }
      .last {
        grid-column: 1 / -1;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
        padding: 0;
        color: var(--ink-2);
      }
    `,
  ];

  override render() {
    return html`
      <section aria-label="Live calls">
        <h2 class="label">Live</h2>
        ${this.live.length === 0
          ? html`<p class="quiet">No calls now. A call appears here as it begins.</p>`
          : html`<ul>${this.live.map((call) => this.row(call, this.now - Date.parse(call.started_at)))}</ul>`}
      </section>
      ${this.ended.length === 0
        ? ''
        : html`<section aria-label="Ended calls">
            <h2 class="label">Just ended</h2>
            <ul>${this.ended.map((call) => this.row(call, call.duration_ms))}</ul>
          </section>`}
    `;
  }

  private row(call: Summary, ms: number) {
    const current = call.id === this.selected;
    const words = call.last_turn?.text ?? (call.state === 'live' ? 'Nothing said yet' : 'Nothing was said');
    return html`<li>
      <button type="button" data-call=${call.id} aria-current=${current} @click=${() => this.choose(call.id)}>
        <span class="name">${isWritten(call) ? html`<span class="channel" title=${channelName(call)}>${channelIcon(call.channel)}<span class="visually-hidden">${channelName(call)}: </span></span>` : ''}${callerName(call)}</span>
        <time class="numbers">${callTime(ms)}</time>
        <span class="last quiet">${maskedText(words)}</span>
      </button>
    </li>`;
  }

  private choose(id: string): void {
    this.dispatchEvent(new CustomEvent('call-select', { detail: id, bubbles: true, composed: true }));
  }
}
