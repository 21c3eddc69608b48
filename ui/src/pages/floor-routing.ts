import '../theme.ts';
import { LitElement, css, html } from 'lit';
import { customElement, query, queryAll, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import type { Announcer } from '../components/announcer.ts';
import { fieldStyles } from '../components/field-styles.ts';
import type { KeyMap } from '../components/keymap.ts';
import type { ComparisonView } from '../components/routing/comparison.ts';
import type { RouteDecision } from '../components/routing/decision.ts';
import { shared } from '../components/shared-styles.ts';
import { alikeText, type DecisionRow, type Fold, folded } from '../state/routing/decisions.ts';
import { agentLines, agentsText, floorText, queueLines } from '../state/routing/floor.ts';
import { type FloorAction, type FloorTab, floorAction, floorKeys, floorTabs } from '../state/routing/keys.ts';
import { counted } from '../state/routing/words.ts';
import { FloorSession } from './floor-routing-session.ts';
import { isTyping } from './focus.ts';
import { columnStyles, frameStyles } from './page-styles.ts';
import { broken, leave, loading, stepTo } from './page.ts';
import '../components/announcer.ts';
import '../components/connection.ts';
import '../components/keymap.ts';
import '../components/knowledge/top.ts';
import '../components/routing/agents.ts';
import '../components/routing/comparison.ts';
import '../components/routing/decision.ts';
import '../components/routing/off.ts';
import '../components/routing/queues.ts';
import '../components/tabs.ts';

// Numbers that were read longer ago are said to be old.
const STALE_MS = 15_000;

/** `/floor/routing`: who waits and who is there, every decision with its reasons, and what a policy is worth. */
@customElement('backchannel-floor-routing')
export class FloorRouting extends LitElement {
  @query('bc-announcer') private announcer!: Announcer;
  @query('bc-keymap') private keyMap!: KeyMap;
  @query('input[type=search]') private field!: HTMLInputElement | null;
  @query('bc-comparison') private comparison!: ComparisonView | null;
  @query('bc-route-queues, bc-route-agents, bc-comparison') private table!: (HTMLElement & { rows(): HTMLElement[] }) | null;
  @queryAll('bc-route-decision') private decisions!: NodeListOf<RouteDecision>;
  @state() private wantedAgents = '';
  private readonly session = new FloorSession(this, (text) => this.announcer.announce(text));
  private shownTab = '';
  private clock: ReturnType<typeof setInterval> | undefined;

  static override styles = [
    shared,
    fieldStyles,
    frameStyles,
    columnStyles,
    css`
      .column {
        max-width: 1200px;
      }
      .column.narrow {
        max-width: 960px;
      }
      .bar {
        justify-content: space-between;
      }
      h2 {
        flex: 1 1 16rem;
        font-size: var(--text-l);
        font-weight: var(--weight-bold);
        line-height: var(--leading-tight);
      }
      .state {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: var(--s1) var(--s4);
      }
      .mode {
        padding: 0 var(--s2);
        border: 1px dashed var(--line-strong);
        border-radius: var(--radius-s);
        font-size: var(--text-s);
        font-weight: var(--weight-medium);
        color: var(--ink-2);
      }
      form {
        display: flex;
        flex: 1 1 20rem;
        gap: var(--s2);
        max-width: 30rem;
      }
      input[type='search'] {
        flex: 1;
        min-width: 0;
      }
      bc-route-decision {
        margin-bottom: var(--s2);
      }
      .alike {
        margin: 0 0 var(--s2) var(--s4);
      }
      .alike summary {
        padding: var(--s1) 0;
        cursor: pointer;
        overflow-wrap: anywhere;
      }
      .panel {
        padding: var(--s2) var(--s4) var(--s2);
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--surface);
      }
      .panel.first {
        padding-top: var(--s4);
      }
      .off {
        padding-top: var(--s6);
      }
      .off.above {
        margin-bottom: var(--s6);
      }
    `,
  ];

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener('keydown', this.pressed);
    // Whoever waits goes on waiting.
    this.clock = setInterval(() => this.requestUpdate(), 1_000);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener('keydown', this.pressed);
    clearInterval(this.clock);
  }

  override updated(): void {
    const { tab } = this.session;
    // Another view begins at its top.
    if (tab !== this.shownTab) this.renderRoot.querySelector('main')?.scrollTo(0, 0);
    this.shownTab = tab;
  }

  override render() {
    const { session } = this;
    return html`
      <bc-top name="Routing" .me=${session.me} @help=${() => this.keyMap.toggle()}>
        <bc-tabs name="View" .tabs=${floorTabs} .selected=${session.tab} .news=${session.above.length > 0 ? 'decisions' : ''}
          @tab-select=${(event: CustomEvent<FloorTab>) => session.show(event.detail)}></bc-tabs>
      </bc-top>
      <main
        @decision-toggle=${(event: CustomEvent<string>) => session.toggle(event.detail)}
        @pack-toggle=${(event: CustomEvent<string>) => session.togglePack(event.detail)}
        @comparison-file=${(event: CustomEvent<File>) => session.read(event.detail)}
        @load-select=${(event: CustomEvent<number>) => session.chooseLoad(event.detail)}
      >${this.view()}</main>
      <bc-keymap .keys=${floorKeys}></bc-keymap>
      <bc-announcer></bc-announcer>
    `;
  }

  private view() {
    const { session } = this;
    // A comparison needs no service at all.
    if (session.tab === 'comparison') {
      return html`<div class="column"><bc-comparison .comparison=${session.comparison} .at=${session.loadAt} .mistake=${session.mistake}></bc-comparison></div>`;
    }
    if (session.broken !== '') {
      return html`<div class="column">${broken(session.broken, () => session.load())}</div>`;
    }
    if (!session.queues || !session.agents || !session.rows) {
      return html`<div class="column">${loading}</div>`;
    }
    // What was decided before it was switched off can still be read.
    if (session.off !== '' && (session.tab !== 'decisions' || session.rows.length === 0)) {
      return html`<div class="column off"><bc-routing-off .why=${session.off}></bc-routing-off></div>`;
    }
    switch (session.tab) {
      case 'queues': return this.queues();
      case 'decisions': return this.list();
      default: return this.agents();
    }
  }

  private queues() {
    const { session } = this;
    const lines = queueLines(session.queues ?? [], session.plan, session.answered, { readMs: session.readMs, nowMs: session.now, openedMs: session.openedMs });
    return html`<div class="column">
      <div class="bar"><h2>${floorText(lines)}</h2>${this.state()}</div>
      ${lines.length === 0
        ? html`<p class="empty">The plan has no queues. They stand here as soon as it has some.</p>`
        : html`<div class="panel first"><bc-route-queues .lines=${lines}></bc-route-queues></div>`}
    </div>`;
  }

  private agents() {
    const { session } = this;
    const agents = session.agents ?? [];
    const lines = agentLines(agents, session.plan, this.wantedAgents);
    return html`<div class="column">
      <div class="bar"><h2 class="numbers">${agentsText(agents)}</h2>${this.state()}
        <form role="search" @submit=${(event: Event) => event.preventDefault()}>
          <input type="search" aria-label="Find agents" placeholder="Name, skill or queue" .value=${this.wantedAgents}
            @input=${(event: Event) => (this.wantedAgents = (event.target as HTMLInputElement).value)} />
        </form>
      </div>
      ${lines.length === 0
        ? html`<p class="empty">${agents.length === 0 ? 'The plan has no agents. They stand here as soon as it has some.' : 'No agent fits these words.'}</p>`
        : html`<div class="panel first"><bc-route-agents .lines=${lines}></bc-route-agents></div>`}
    </div>`;
  }

  private list() {
    const { session } = this;
    const { found } = session;
    const rows = found ? found.rows : (session.rows ?? []);
    return html`<div class="column narrow">
      <div class="bar">
        <form role="search" @submit=${this.searched}>
          <input type="search" aria-label="Find a conversation" placeholder="Conversation" .value=${found?.wanted ?? ''} @search=${this.cleared} />
          <button class="button">Find</button>
        </form>
        ${this.state()}
        ${!found && session.above.length > 0
          ? html`<button type="button" class="button numbers" @click=${() => session.showNews()}>${counted(session.above.length, 'new decision')}: show</button>`
          : ''}
        ${found ? html`<button type="button" class="button" @click=${() => session.search('')}>All decisions</button>` : ''}
      </div>
      ${session.off === '' ? '' : html`<p class="note">Routing is off now. These decisions are from before.</p>`}
      ${rows.length === 0 ? html`<p class="empty">${this.nothing()}</p>` : ''}
      <div role="list" aria-label="Decisions">${repeat(folded(rows), (fold) => (fold.alike.at(-1) ?? fold.first).decision.decision_id, (fold) => this.fold(fold))}</div>
    </div>`;
  }

  private nothing(): string {
    const { found } = this.session;
    switch (found?.state) {
      case undefined: return 'Nothing was decided yet. As soon as somebody waits, who should take it stands here, with the reasons.';
      case 'looking': return 'Looking…';
      case 'unknown': return `There is no conversation “${found?.wanted}” here.`;
      default: return `Nobody was recommended for “${found?.wanted}” yet.`;
    }
  }

  /** Keyed by its oldest: what comes above doesn't close it. */
  private fold({ first, alike }: Fold) {
    return html`${this.row(first)}
      ${alike.length === 0
        ? ''
        : html`<div role="listitem"><details class="alike"><summary class="quiet">${alikeText(alike)}</summary>
            <div role="list" aria-label="Alike">${repeat(alike, (row) => row.decision.decision_id, (row) => this.row(row))}</div>
          </details></div>`}`;
  }

  private row(row: DecisionRow) {
    const id = row.decision.decision_id;
    return html`<bc-route-decision role="listitem" .row=${row} .open=${this.session.open.has(id)} .pack=${this.session.packs.get(id)}></bc-route-decision>`;
  }

  /** What everything on the page has to be read with. */
  private state() {
    const { session } = this;
    const isStale = session.now - session.readMs > STALE_MS;
    return html`<div class="state">
      ${session.plan?.mode === 'shadow' ? html`<span class="mode">shadow: recommended only</span>` : ''}
      ${isStale ? html`<span class="quiet numbers">numbers from ${new Date(session.readMs).toLocaleTimeString('en-GB')}</span>` : ''}
      ${session.stream === 'reconnecting' ? html`<bc-connection .state=${session.stream}></bc-connection>` : ''}
    </div>`;
  }

  private searched(event: SubmitEvent): void {
    event.preventDefault();
    void this.session.search(this.field?.value ?? '');
  }

  /** The field's own cross was pressed. */
  private cleared(): void {
    if (this.field?.value === '' && this.session.found) void this.session.search('');
  }

  private readonly pressed = (event: KeyboardEvent): void => {
    const action = floorAction(event, isTyping(event));
    if (!action || event.defaultPrevented) return;
    if (this.do(action)) event.preventDefault();
  };

  /** Does what the key says; false leaves the key to the browser. */
  private do(action: FloorAction): boolean {
    const { session } = this;
    const current = [...this.decisions].find((one) => one.matches(':focus-within'));
    switch (action) {
      case 'next':
      case 'previous':
        return stepTo(this.rows(), action === 'next' ? 1 : -1);
      case 'open':
        if (session.tab === 'comparison') this.comparison?.choose();
        else current?.toggle();
        return session.tab === 'comparison' || current !== undefined;
      case 'news':
        session.showNews();
        return true;
      case 'search':
        this.field?.focus();
        this.field?.select();
        return this.field !== null;
      case 'conversation': {
        const conversation = current?.row?.conversation;
        if (conversation) location.assign(`/desktop#${encodeURIComponent(conversation)}`);
        return Boolean(conversation);
      }
      case 'pack':
        current?.togglePack();
        return current !== undefined;
      case 'load':
        if (session.comparison) session.chooseLoad((session.loadAt + 1) % session.comparison.loads.length);
        return session.comparison !== undefined;
      case 'help':
        this.keyMap.toggle();
        return true;
      case 'close': {
        if (this.keyMap.close()) return true;
        if (current?.open) {
          current.toggle();
          current.focus();
          return true;
        }
        return leave();
      }
      default:
        session.show(action);
        return true;
    }
  }

  private rows(): HTMLElement[] {
    if (this.session.tab !== 'decisions') return this.table?.rows() ?? [];
    // What is folded can't be stepped to.
    return [...this.decisions].filter((one) => !one.closest('details:not([open])'));
  }
}
