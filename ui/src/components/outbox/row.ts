import { LitElement, css, html } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { OutboxItem, SystemHealth } from '../../api/crm-types.ts';
import { firstWords } from '../../state/outcome.ts';
import { operationName, systemName, triesText, whenText } from '../../state/outbox.ts';
import { checkIcon, warnIcon } from '../icons.ts';
import { shared } from '../shared-styles.ts';

const stateWords: Record<OutboxItem['state'], string> = {
  waiting: 'Waiting', sending: 'Being written', done: 'Written', failed: 'Failed', discarded: 'Thrown away',
};

/** One effect: what, for whom, how far, and what can be done. Fires `write-retry` and `write-discard` with its id. */
@customElement('bc-outbox-row')
export class OutboxRow extends LitElement {
  @property({ attribute: false }) item: OutboxItem | undefined;
  @property({ attribute: false }) systems: SystemHealth[] = [];
  @property({ type: Number }) now = 0;
  /** An act is on its way. */
  @property({ type: Boolean }) busy = false;
  /** Thrown away is what can't be had back: it is asked once. */
  @state() private asking = false;
  @query('article') private whole!: HTMLElement;

  static override styles = [
    shared,
    css`
      article {
        display: grid;
        grid-template-columns: 18px minmax(0, 1fr);
        gap: 0 var(--s3);
        padding: var(--s4);
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--surface);
      }
      .mark {
        padding-top: 3px;
        color: var(--ink-2);
      }
      .done .mark {
        color: var(--accent);
      }
      .mark i {
        display: block;
        width: 10px;
        height: 10px;
        margin: 3px;
        border: 2px solid var(--ink-3);
        border-radius: 50%;
      }
      .top {
        display: flex;
        flex-wrap: wrap;
        align-items: baseline;
        gap: 0 var(--s3);
      }
      h2 {
        flex: 1 1 12rem;
        font-size: var(--text-m);
        font-weight: var(--weight-bold);
        overflow-wrap: anywhere;
      }
      .why {
        margin-top: var(--s1);
        font-weight: var(--weight-medium);
        overflow-wrap: anywhere;
      }
      .discarded h2,
      .done h2 {
        font-weight: var(--weight-medium);
      }
      .facts {
        margin-top: var(--s1);
      }
      .facts a {
        color: var(--accent);
      }
      details {
        margin-top: var(--s1);
        font-size: var(--text-s);
      }
      summary {
        display: block;
        min-height: 24px;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
        color: var(--ink-2);
        cursor: pointer;
      }
      summary::before {
        content: '▸ ';
        color: var(--ink-3);
      }
      details[open] summary {
        color: var(--ink-3);
      }
      details[open] summary::before {
        content: '▾ ';
      }
      pre {
        margin: var(--s2) 0 0;
        padding: var(--s3);
        border-radius: var(--radius-s);
        background: var(--surface-sunk);
        font: inherit;
        white-space: pre-wrap;
        overflow-wrap: anywhere;
      }
      .acts {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: var(--s2);
        margin-top: var(--s3);
      }
      .acts .plain:first-child {
        margin-inline-start: calc(-1 * var(--s3));
      }
      .button[aria-disabled='true'] {
        color: var(--ink-3);
        cursor: default;
      }
      .ask {
        flex: 1 1 14rem;
        font-size: var(--text-s);
        font-weight: var(--weight-medium);
      }
    `,
  ];

  override focus(): void {
    this.whole.focus();
  }

  /** Opens the question; when it stands already, that is the second yes. */
  discard(): void {
    if (!this.free || this.busy) return;
    if (this.asking) this.fire('write-discard');
    else void this.ask();
  }

  retry(): void {
    if (this.item?.state === 'failed' && !this.busy) this.fire('write-retry');
  }

  /** Keeps what was to be thrown away; says whether that was the question. */
  keep(): boolean {
    const was = this.asking;
    this.asking = false;
    if (was) void this.updateComplete.then(() => this.focus());
    return was;
  }

  override render() {
    const { item } = this;
    if (!item) return '';
    const where = systemName(this.systems, item.destination);
    const name = operationName(item.operation);
    return html`<article class=${item.state} tabindex="-1" aria-label="${name}, ${where}, ${stateWords[item.state]}">
      <span class="mark">${item.state === 'done' ? checkIcon : item.state === 'failed' ? warnIcon : html`<i></i>`}</span>
      <div>
        <div class="top"><h2>${name}</h2><span class="quiet numbers">${stateWords[item.state]} · ${whenText(item.updated_at, this.now)}</span></div>
        ${item.problem ? html`<p class="why">${item.problem}</p>` : ''}
        <p class="facts quiet numbers">${this.facts(item, where)}</p>
        ${item.text ? html`<details><summary>${firstWords(item.text)}</summary><pre>${item.text}</pre></details>` : ''}
        ${this.free ? this.acts(item, name) : ''}
      </div>
    </article>`;
  }

  /** It can still be done something about. */
  private get free(): boolean {
    return this.item?.state === 'failed' || this.item?.state === 'waiting';
  }

  private facts(item: OutboxItem, where: string) {
    const whom = item.contact_name ?? (item.contact_id ? `contact ${item.contact_id}` : '');
    const parts = [where, whom, triesText(item, this.now), item.by ? `put by ${item.by}` : 'by a rule', item.remote_id ? `no. ${item.remote_id} there` : ''].filter(Boolean);
    const call = item.conversation_id ? html` · <a href="/desktop#${encodeURIComponent(item.conversation_id)}">the call</a>` : '';
    return html`${parts.join(' · ')}${call}`;
  }

  private acts(item: OutboxItem, name: string) {
    if (this.asking) {
      return html`<div class="acts" role="group" aria-label="Throw away">
        <span class="ask">Throw it away? It is not tried again. Where an answer was lost, it may have been written all the same.</span>
        <button type="button" class="button sure" aria-disabled=${this.busy} aria-label="Throw away: ${name}" @click=${() => this.discard()}>Throw away</button>
        <button type="button" class="button" @click=${() => this.keep()}>Keep it</button>
      </div>`;
    }
    return html`<div class="acts">
      ${item.state === 'failed'
        ? html`<button type="button" class="button" aria-disabled=${this.busy} aria-label="Try again: ${name}" @click=${() => this.retry()}>Try again</button>`
        : ''}
      <button type="button" class="button plain" aria-label="Throw away…: ${name}" @click=${() => this.discard()}>Throw away…</button>
    </div>`;
  }

  private async ask(): Promise<void> {
    this.asking = true;
    await this.updateComplete;
    // On the harmless one: Enter alone throws nothing away.
    this.renderRoot.querySelector<HTMLElement>('.acts .button:last-child')?.focus();
  }

  private fire(name: string): void {
    this.asking = false;
    this.dispatchEvent(new CustomEvent(name, { detail: this.item?.id, bubbles: true, composed: true }));
    this.focus();
  }
}
