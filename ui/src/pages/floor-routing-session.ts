import type { ReactiveController, ReactiveControllerHost } from 'lit';
import { client } from '../api/client.ts';
import { Problem, sentenceFor } from '../api/problem.ts';
import type { AgentState, QueueState, RouteAssigned, RouteRecommended } from '../api/routing-types.ts';
import { EventStream, type StreamState } from '../api/stream.ts';
import type { Envelope, Me } from '../api/types.ts';
import type { PackState } from '../components/routing/decision.ts';
import { type Comparison, readComparison } from '../state/routing/comparison.ts';
import { type DecisionRow, merged, ROWS_MAX, rowOf, wantedConversation, withAssignment, withConversation } from '../state/routing/decisions.ts';
import { type Answered, withAnswer } from '../state/routing/floor.ts';
import { type FloorTab, floorTabs } from '../state/routing/keys.ts';
import { type PlanFacts, readPlan } from '../state/routing/plan.ts';
import { toSignIn } from './page.ts';

const TYPES = 'types=route.recommended,route.assigned';
// One decision says several things in a moment; the numbers are read when it is quiet.
const SETTLE_MS = 400;
// No event tells of presence, nor of who gave up.
const POLL_MS = 5_000;
// A stream doesn't say where the past ends: after that long, nothing more of it comes.
const PAST_MS = 800;

export interface Found {
  wanted: string;
  rows: DecisionRow[];
  state: 'looking' | 'done' | 'unknown';
}

/** Everything the page knows, and all that it asks of the service. The page draws it and owns the keys. */
export class FloorSession implements ReactiveController {
  me: Me | undefined;
  tab: FloorTab = 'queues';
  queues: QueueState[] | undefined;
  agents: AgentState[] | undefined;
  plan: PlanFacts | null = null;
  /** Why nothing is routed. */
  off: '' | 'none' | 'off' = '';
  rows: DecisionRow[] | undefined;
  /** What came while somebody reads: it waits above. */
  above: DecisionRow[] = [];
  readonly open = new Set<string>();
  readonly packs = new Map<string, PackState>();
  found: Found | null = null;
  answered: Answered[] = [];
  comparison: Comparison | undefined;
  mistake = '';
  loadAt = 0;
  stream: StreamState = 'connecting';
  /** Why there is nothing to show. */
  broken = '';
  /** When the numbers were read, and since when the page looks. */
  readMs = 0;
  readonly openedMs = Date.now() + client.clockOffsetMs;
  private events: EventStream | undefined;
  private past: EventStream | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private poll: ReturnType<typeof setInterval> | undefined;
  private searches = 0;

  constructor(private readonly host: ReactiveControllerHost, private readonly announce: (text: string) => void) {
    host.addController(this);
  }

  get now(): number {
    return Date.now() + client.clockOffsetMs;
  }

  hostConnected(): void {
    const [tab, wanted = ''] = location.hash.slice(1).split('/');
    this.tab = floorTabs.find((one) => one.id === tab)?.id ?? 'queues';
    void this.begin(this.tab === 'decisions' ? decodeURIComponent(wanted) : '');
    this.poll = setInterval(() => {
      if (!document.hidden) void this.look();
    }, POLL_MS);
  }

  hostDisconnected(): void {
    this.events?.close();
    this.past?.close();
    clearTimeout(this.timer);
    clearInterval(this.poll);
  }

  show(tab: FloorTab): void {
    this.tab = tab;
    // Nobody reads the list while another tab is open.
    if (tab === 'decisions') this.showNews();
    this.address();
    this.host.requestUpdate();
  }

  async load(): Promise<void> {
    try {
      const [queues, agents, decisions] = await Promise.all([client.queues(), client.routedAgents(), client.routingDecisions(ROWS_MAX), this.readPlan()]);
      this.set(queues, agents);
      this.rows = merged(this.rows ?? [], decisions.map((one) => rowOf(one)));
      this.broken = '';
    } catch (error) {
      if (error instanceof Problem && error.status === 401) return toSignIn();
      // A service without routing has nothing at these addresses.
      if (error instanceof Problem && error.status === 404) {
        this.off = 'none';
        [this.queues, this.agents, this.rows] = [[], [], []];
      } else this.broken = sentenceFor(error);
    }
    this.host.requestUpdate();
  }

  showNews(): void {
    if (this.above.length === 0) return;
    this.rows = merged(this.rows ?? [], this.above);
    this.above = [];
    this.host.requestUpdate();
  }

  toggle(id: string): void {
    if (!this.open.delete(id)) {
      this.open.add(id);
      void this.findConversation(id);
    }
    this.host.requestUpdate();
  }

  async togglePack(id: string): Promise<void> {
    const conversation = this.rowOf(id)?.conversation;
    if (this.packs.delete(id) || !conversation) return this.host.requestUpdate();
    this.packs.set(id, 'loading');
    this.host.requestUpdate();
    let pack: PackState;
    try {
      pack = await client.pack(conversation);
    } catch (error) {
      pack = { problem: sentenceFor(error) };
    }
    // It may have been closed meanwhile.
    if (this.packs.has(id)) this.packs.set(id, pack);
    this.host.requestUpdate();
  }

  /** All decisions of one conversation, from its own events: the list holds the last ones of everybody only. */
  async search(text: string): Promise<void> {
    const search = (this.searches += 1);
    this.past?.close();
    this.past = undefined;
    const wanted = wantedConversation(text);
    const isIts = (row: DecisionRow) => row.conversation === wanted || row.decision.work_item_id === wanted;
    this.found = wanted === '' ? null : { wanted, rows: [...this.above, ...(this.rows ?? [])].filter(isIts), state: 'looking' };
    this.address();
    this.host.requestUpdate();
    if (!this.found) return this.showNews();
    const conversation = await this.conversationOf(wanted);
    if (search !== this.searches || !this.found) return;
    if (conversation === null) {
      this.found.state = this.found.rows.length > 0 ? 'done' : 'unknown';
      return this.host.requestUpdate();
    }
    this.past = new EventStream({
      path: `/v1/conversations/${encodeURIComponent(conversation)}/events?${TYPES}`, after: '0', onState: () => undefined,
      onEvent: (event) => {
        const { found } = this;
        if (!found || search !== this.searches) return;
        if (isOf(event, 'route.recommended')) found.rows = merged(found.rows, [rowOf(event.data as RouteRecommended, conversation)]);
        if (isOf(event, 'route.assigned')) found.rows = withAssignment(found.rows, event.data as RouteAssigned);
        this.host.requestUpdate();
      },
    });
    setTimeout(() => {
      if (search !== this.searches || !this.found) return;
      this.found.state = 'done';
      this.host.requestUpdate();
    }, PAST_MS);
  }

  async read(file: File): Promise<void> {
    try {
      this.comparison = readComparison(await file.text());
      this.mistake = '';
      // Where it matters most: at the heaviest load.
      const loads = this.comparison.loads.map((one) => one.load ?? 0);
      this.loadAt = loads.indexOf(Math.max(...loads));
      this.announce(`${file.name} is open.`);
    } catch (error) {
      this.mistake = sentenceFor(error);
    }
    this.host.requestUpdate();
  }

  chooseLoad(at: number): void {
    this.loadAt = at;
    this.host.requestUpdate();
  }

  private async begin(wanted: string): Promise<void> {
    try {
      this.me = await client.me();
    } catch (error) {
      if (error instanceof Problem && (error.status === 401 || error.status === 403)) return toSignIn();
    }
    this.events = new EventStream({
      path: `/v1/events?${TYPES}`,
      onEvent: (event) => this.receive(event),
      onState: (state) => {
        const cameBack = state === 'open' && this.stream === 'reconnecting';
        this.stream = state;
        this.host.requestUpdate();
        if (cameBack) void this.load();
      },
    });
    await this.load();
    if (wanted !== '') await this.search(wanted);
  }

  private receive(event: Envelope): void {
    if (isOf(event, 'route.recommended')) this.recommended(event.data as RouteRecommended, event.subject);
    else if (isOf(event, 'route.assigned')) {
      const assigned = event.data as RouteAssigned;
      this.answered = withAnswer(this.answered, assigned);
      if (this.rows) this.rows = withAssignment(this.rows, assigned);
      this.above = withAssignment(this.above, assigned);
    }
    this.settle();
    this.host.requestUpdate();
  }

  private recommended(decision: RouteRecommended, subject: string): void {
    // Work without a conversation is told under its own name.
    const row = rowOf(decision, subject === decision.work_item_id ? undefined : subject);
    const isRead = this.tab === 'decisions' && (this.rows?.length ?? 0) > 0;
    if (isRead) this.above = merged(this.above, [row]);
    else this.rows = merged(this.rows ?? [], [row]);
    // Another plan came into force.
    if (this.plan?.epoch !== decision.epoch) void this.readPlan().catch(() => undefined);
  }

  private settle(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.look(), SETTLE_MS);
  }

  private async look(): Promise<void> {
    if (this.off === 'none' || this.broken !== '') return this.load();
    try {
      const [queues, agents] = await Promise.all([client.queues(), client.routedAgents()]);
      this.set(queues, agents);
    } catch {
      // What stands is shown with its time until the next look.
    }
    this.host.requestUpdate();
  }

  private set(queues: QueueState[], agents: AgentState[]): void {
    this.queues = queues;
    this.agents = agents;
    this.readMs = this.now;
  }

  private async readPlan(): Promise<void> {
    try {
      this.plan = await readPlan(await client.routingPlan());
      this.off = this.plan.mode === 'off' ? 'off' : '';
    } catch (error) {
      if (error instanceof Problem && error.status === 404) {
        this.plan = null;
        this.off = 'none';
      } else if (error instanceof Problem) throw error;
      // A plan that this page can't read hides promises and skills, and nothing else.
      else this.plan = null;
    }
  }

  private async findConversation(id: string): Promise<void> {
    const row = this.rowOf(id);
    if (!row || row.conversation !== undefined) return;
    const item = row.decision.work_item_id;
    const conversation = await client.workItem(item).then((found) => found.conversation_id, () => null);
    if (this.rows) this.rows = withConversation(this.rows, item, conversation);
    this.above = withConversation(this.above, item, conversation);
    if (this.found) this.found.rows = withConversation(this.found.rows, item, conversation);
    this.host.requestUpdate();
  }

  /** A work item's name does as well. */
  private async conversationOf(wanted: string): Promise<string | null> {
    try {
      return (await client.conversation(wanted)).id;
    } catch {
      return client.workItem(wanted).then((found) => found.conversation_id, () => null);
    }
  }

  private rowOf(id: string): DecisionRow | undefined {
    return [...(this.found?.rows ?? []), ...(this.rows ?? [])].find((row) => row.decision.decision_id === id);
  }

  private address(): void {
    const wanted = this.tab === 'decisions' && this.found ? `/${encodeURIComponent(this.found.wanted)}` : '';
    history.replaceState(null, '', `#${this.tab}${wanted}`);
  }
}

const isOf = (event: Envelope, kind: string): boolean => event.type.endsWith(kind);
