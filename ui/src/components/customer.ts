import { LitElement, css, html } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { ConversationView } from '../state/conversation.ts';
import { customerName, stripSays } from '../state/crm.ts';
import { callTime, isForAgents } from '../state/text.ts';
import { shared } from './shared-styles.ts';

const endWords: Record<string, string> = {
  hangup: 'hung up', disconnected: 'the line was lost', timeout: 'nobody spoke any more', shutdown: 'the service was stopped',
  crash: 'the service stopped unexpectedly',
};

/** Who is on the line, above the call. Fires `hand-over`, and `open-customer` for all that is known. */
@customElement('bc-customer')
export class Customer extends LitElement {
  @property({ attribute: false }) view: ConversationView | undefined;
  @property({ type: Number }) now = 0;
  /** A CRM is configured: its answer has its place before it comes. */
  @property({ type: Boolean, reflect: true }) hasCrm = false;
  /** Only shown: nothing can be done from here. */
  @property({ type: Boolean }) readonly = false;

  static override styles = [
    shared,
    css`
      /* Its own width counts, not the window's: it also stands in a corner of somebody's page. */
      :host {
        container-type: inline-size;
      }
      .strip {
        display: flex;
        align-items: baseline;
        gap: var(--s1) var(--s4);
        min-height: var(--s12);
        padding: var(--s3) var(--s4);
        overflow: hidden;
      }
      h2 {
        font-size: var(--text-l);
        font-weight: var(--weight-bold);
        line-height: var(--leading-tight);
        white-space: nowrap;
      }
      .time {
        display: inline-flex;
        align-items: center;
        gap: var(--s2);
        color: var(--ink-2);
        white-space: nowrap;
      }
      .live::before {
        content: '';
        width: var(--s2);
        height: var(--s2);
        border-radius: 50%;
        background: var(--accent);
      }
      :host([hascrm]) .strip {
        align-items: center;
      }
      /* A name that comes late moves nothing. */
      :host([hascrm]) h2 {
        flex: none;
        width: calc(13 * var(--text-m));
        overflow: hidden;
        text-overflow: ellipsis;
      }
      .facts {
        flex: 1;
        min-width: 0;
        text-align: end;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
        color: var(--ink-2);
        font-size: var(--text-s);
      }
      button.facts {
        align-self: center;
        min-height: var(--target);
        padding-inline: var(--s2);
        margin-inline-end: calc(-1 * var(--s2));
        border-radius: var(--radius-s);
      }
      button.facts:hover {
        background: var(--hover);
        color: var(--ink);
      }
      button.facts {
        display: flex;
        align-items: center;
        justify-content: end;
      }
      .cut {
        overflow: hidden;
        text-overflow: ellipsis;
      }
      /* Where there is little room, it is the last to go. */
      .tier {
        flex: none;
        color: var(--ink);
        font-weight: var(--weight-bold);
      }
      .choose {
        color: var(--accent);
        font-weight: var(--weight-bold);
      }
      .bones i {
        display: inline-block;
        width: min(calc(16 * var(--text-m)), 70%);
        margin: 0;
      }
      .strip .hand-over {
        align-self: center;
      }
      @container (max-width: 899px) {
        .strip {
          min-height: 0;
          padding: var(--s2) var(--s3);
          justify-content: space-between;
        }
        .strip h2,
        :host([hascrm]) h2 {
          width: auto;
          font-size: var(--text-m);
          overflow: hidden;
          text-overflow: ellipsis;
        }
        .strip .facts,
        .strip .hand-over {
          display: none;
        }
        :host([hascrm]) .strip {
          flex-wrap: wrap;
          row-gap: 0;
        }
        :host([hascrm]) h2 {
          flex: 1;
          min-width: 0;
        }
        :host([hascrm]) .facts {
          display: flex;
          align-items: center;
          justify-content: start;
          flex: 1 0 100%;
          padding-inline: 0;
          margin: 0;
          min-height: 24px;
          text-align: start;
        }
      }
    `,
  ];

  override render() {
    const { view } = this;
    if (!view) return '';
    const name = customerName(view);
    return html`<div class="strip">
      <h2 title=${name}>${name}</h2>
      ${this.time(view)}
      ${view.state === 'live' && !this.readonly ? this.handOver() : ''}
      ${this.facts(view)}
    </div>`;
  }

  private facts(view: ConversationView) {
    const attributes = Object.entries(view.attributes).filter(([key]) => isForAgents(key)).map(([, value]) => value);
    const says = stripSays(view, this.hasCrm, attributes, this.now);
    switch (says.is) {
      case 'waiting':
        return html`<span class="facts bones" role="img" aria-label="The CRM is being asked"><i></i></span>`;
      case 'facts':
        return this.opening(html`<span class="cut">${says.facts.join(' · ')}</span>${says.tier ? html`<span class="tier">&nbsp;· ${says.tier}</span>` : ''}`);
      case 'choose':
        return this.opening(html`${says.words}: who is it?`, 'choose');
      case 'unknown':
        return this.opening(html`${says.words}`);
      case 'words':
        return this.hasCrm && view.crm ? this.opening(html`${says.words}`) : html`<p class="facts quiet">${says.words}</p>`;
    }
  }

  private opening(words: unknown, look = '') {
    const fire = () => this.dispatchEvent(new CustomEvent('open-customer', { bubbles: true, composed: true }));
    return html`<button type="button" class="facts numbers ${look}" title="All that the CRM knows (c)" @click=${fire}>${words}</button>`;
  }

  private handOver() {
    const fire = () => this.dispatchEvent(new CustomEvent('hand-over', { bubbles: true, composed: true }));
    return html`<button type="button" class="button hand-over" @click=${fire}>Hand over</button>`;
  }

  private time(view: ConversationView) {
    if (view.state === 'live') return html`<span class="time live numbers">${callTime(this.now - Date.parse(view.started_at))}</span>`;
    const reason = view.end_reason ? endWords[view.end_reason] : '';
    return html`<span class="time numbers">Ended · ${callTime(view.duration_ms)}${reason ? ` · ${reason}` : ''}</span>`;
  }
}
