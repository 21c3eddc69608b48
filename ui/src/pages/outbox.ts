import '../theme.ts';
import { LitElement, css, html } from 'lit';
import { customElement, query, queryAll } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import type { Announcer } from '../components/announcer.ts';
import type { KeyMap } from '../components/keymap.ts';
import type { OutboxRow } from '../components/outbox/row.ts';
import { fieldStyles } from '../components/field-styles.ts';
import { shared } from '../components/shared-styles.ts';
import { type OutboxAction, type OutboxTab, countOf, emptyText, outboxAction, outboxKeys, outboxTabs, systemName } from '../state/outbox.ts';
import { isTyping } from './focus.ts';
import { OutboxSession } from './outbox-session.ts';
import { columnStyles, frameStyles } from './page-styles.ts';
import { broken, leave, loading, stepTo } from './page.ts';
import '../components/announcer.ts';
import '../components/connection.ts';
import '../components/keymap.ts';
import '../components/knowledge/top.ts';
import '../components/outbox/health.ts';
import '../components/outbox/row.ts';
import '../components/tabs.ts';

/** `/outbox`: what goes to other systems, the dead letters first, and what can be done about them. */
@customElement('backchannel-outbox')
export class OutboxPage extends LitElement {
  @query('bc-announcer') private announcer!: Announcer;
  @query('bc-keymap') private keyMap!: KeyMap;
  @queryAll('bc-outbox-row') private rows!: NodeListOf<OutboxRow>;
  private readonly session = new OutboxSession(this, (text) => this.announcer.show(text));
  private clock: ReturnType<typeof setInterval> | undefined;

  static override styles = [
    shared,
    fieldStyles,
    frameStyles,
    columnStyles,
    css`
      .column {
        max-width: 880px;
      }
      bc-health {
        flex: 1 1 16rem;
      }
      .filter {
        display: flex;
        align-items: center;
        gap: var(--s2);
        color: var(--ink-2);
        font-size: var(--text-s);
      }
      .all {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        justify-content: space-between;
        gap: var(--s2);
        min-height: var(--s8);
        margin-bottom: var(--s3);
      }
      bc-outbox-row {
        margin-bottom: var(--s3);
      }
      .button[aria-disabled='true'] {
        color: var(--ink-3);
      }
    `,
  ];

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener('keydown', this.pressed);
    // "next in 40 s" counts down.
    this.clock = setInterval(() => this.requestUpdate(), 1_000);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener('keydown', this.pressed);
    clearInterval(this.clock);
  }

  override render() {
    const { session } = this;
    return html`
      <bc-top name="Outbox" .me=${session.me} @help=${() => this.keyMap.toggle()}>
        <bc-tabs
          name="State" .tabs=${outboxTabs.map(({ id, name }) => ({ id, name, count: countOf(session.tally, id, session.system) }))} .selected=${session.tab}
          @tab-select=${(event: CustomEvent<OutboxTab>) => session.show(event.detail)}
        ></bc-tabs>
      </bc-top>
      <main
        @write-retry=${(event: CustomEvent<number>) => session.retry(event.detail)}
        @write-discard=${(event: CustomEvent<number>) => session.discard(event.detail)}
      >
        <div class="column">
          <div class="bar">
            <bc-health .systems=${session.systems}></bc-health>
            ${this.filter()}
            ${session.stream === 'reconnecting' ? html`<bc-connection .state=${session.stream}></bc-connection>` : ''}
          </div>
          ${session.broken === '' ? this.list() : broken(session.broken, () => session.load())}
        </div>
      </main>
      <bc-keymap .keys=${outboxKeys}></bc-keymap>
      <bc-announcer></bc-announcer>
    `;
  }

  private filter() {
    const { session } = this;
    const names = [...new Set([...(session.systems ?? []).map((one) => one.name), ...session.tally.map((one) => one.destination)])];
    if (names.length < 2) return '';
    return html`<label class="filter">System
      <select @change=${(event: Event) => session.choose((event.target as HTMLSelectElement).value)}>
        <option value="">All</option>
        ${names.map((name) => html`<option value=${name} ?selected=${name === session.system}>${systemName(session.systems ?? [], name)}</option>`)}
      </select></label>`;
  }

  private list() {
    const { session } = this;
    const { shown } = session;
    if (!shown) return loading;
    const dead = shown.filter((one) => one.state === 'failed').length;
    return html`
      ${this.above(dead)}
      ${shown.length === 0 ? html`<p class="empty">${emptyText(session.tab)}</p>` : ''}
      <div role="list" aria-label=${outboxTabs.find((one) => one.id === session.tab)?.name ?? ''}>
        ${repeat(shown, (one) => one.id, (one) => html`<bc-outbox-row
          role="listitem" .item=${one} .systems=${session.systems ?? []} .now=${session.now} .busy=${session.busy.has(one.id)}
        ></bc-outbox-row>`)}
      </div>
      ${session.next === null ? '' : html`<button type="button" class="button" @click=${() => session.more()}>Older ones</button>`}
    `;
  }

  /** What came since the list was read waits here: nothing moves under the eyes. */
  private above(dead: number) {
    const { session } = this;
    const all = session.tab === 'failed' && dead > 1;
    if (!all && session.news === 0 && !session.progress) return '';
    return html`<div class="all">
      ${all || session.progress
        ? html`<button type="button" class="button numbers" aria-disabled=${session.progress !== null} @click=${() => session.retryAll()}>
            ${session.progress ? `Trying again: ${session.progress.done} of ${session.progress.of}` : `Try all ${dead} again`}
          </button>`
        : html`<span></span>`}
      ${session.news > 0
        ? html`<button type="button" class="button numbers" @click=${() => session.load()}>${session.news} ${session.news === 1 ? 'change' : 'changes'} since: show</button>`
        : ''}
    </div>`;
  }

  private readonly pressed = (event: KeyboardEvent): void => {
    const action = outboxAction(event, isTyping(event));
    if (!action || event.defaultPrevented) return;
    if (this.do(action)) event.preventDefault();
  };

  /** Does what the key says; false leaves the key to the browser. */
  private do(action: OutboxAction): boolean {
    const current = this.current();
    switch (action) {
      case 'next':
      case 'previous':
        return stepTo([...this.rows], action === 'next' ? 1 : -1);
      case 'retry':
        current?.retry();
        return current !== undefined;
      case 'discard':
        current?.discard();
        return current !== undefined;
      case 'help':
        this.keyMap.toggle();
        return true;
      case 'close': {
        if (this.keyMap.close() || [...this.rows].some((row) => row.keep())) return true;
        return leave();
      }
      default:
        this.session.show(action);
        return true;
    }
  }

  private current(): OutboxRow | undefined {
    return [...this.rows].find((row) => row.matches(':focus-within'));
  }
}
