import { LitElement, css, html } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { ConversationView } from '../state/conversation.ts';
import { callerName } from '../state/calls.ts';
import { attributeName, callTime } from '../state/text.ts';
import { shared } from './shared-styles.ts';

const endWords: Record<string, string> = {
  hangup: 'hung up', disconnected: 'the line was lost', timeout: 'nobody spoke any more', shutdown: 'the service was stopped',
  crash: 'the service stopped unexpectedly',
};

/** Who is on the line. As a strip above the call, or (`full`) as the narrow panel's Customer tab. */
@customElement('bc-customer')
export class Customer extends LitElement {
  @property({ attribute: false }) view: ConversationView | undefined;
  @property({ type: Number }) now = 0;
  @property({ type: Boolean }) full = false;

  static override styles = [
    shared,
    css`
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
      .facts {
        flex: 1;
        min-width: 0;
        text-align: end;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .strip .hand-over {
        align-self: center;
      }
      .act {
        margin-bottom: var(--s4);
      }
      .full {
        padding: var(--s4);
      }
      dl {
        display: grid;
        grid-template-columns: auto 1fr;
        gap: var(--s2) var(--s4);
        margin: var(--s4) 0;
      }
      dt {
        color: var(--ink-3);
      }
      dd {
        overflow-wrap: anywhere;
      }
      @media (max-width: 899px) {
        .strip {
          min-height: 0;
          padding: var(--s2) var(--s3);
          justify-content: space-between;
        }
        .strip h2 {
          font-size: var(--text-m);
          overflow: hidden;
          text-overflow: ellipsis;
        }
        .strip .facts,
        .strip .hand-over {
          display: none;
        }
      }
    `,
  ];

  override render() {
    const view = this.view;
    if (!view) return '';
    return this.full ? this.panel(view) : this.strip(view);
  }

  private strip(view: ConversationView) {
    const facts = [...Object.entries(view.attributes).filter(([key]) => shown(key)).map(([, value]) => value)];
    return html`<div class="strip">
      <h2>${callerName(view)}</h2>
      ${this.time(view)}
      ${view.state === 'live' ? this.handOver() : ''}
      <p class="facts quiet">${facts.length > 0 ? facts.join(' · ') : 'No customer record'}</p>
    </div>`;
  }

  private panel(view: ConversationView) {
    const agent = view.parties.find((party) => party.role === 'agent');
    const rows: [string, string][] = [
      ['Channel', view.channel],
      ['Began', new Date(view.started_at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })],
      ...(view.external_id ? ([['Call id', view.external_id]] as [string, string][]) : []),
      ...(agent?.name ? ([['Agent', agent.name]] as [string, string][]) : []),
      ...Object.entries(view.attributes).filter(([key]) => shown(key)).map(([key, value]) => [attributeName(key), value] as [string, string]),
    ];
    return html`<div class="full">
      <h2>${callerName(view)}</h2>
      <dl>${rows.map(([name, value]) => html`<dt>${name}</dt><dd class="numbers">${value}</dd>`)}</dl>
      ${view.state === 'live' ? html`<p class="act">${this.handOver()}</p>` : ''}
      <p class="quiet">No CRM is connected. Name, plan and open cases will stand here once it is.</p>
    </div>`;
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

/** Technical marks of the wire say nothing to an agent. */
function shown(key: string): boolean {
  return key !== 'source' && key !== 'customer_name' && !/(_sid|stream_id|protocol)$/.test(key);
}
