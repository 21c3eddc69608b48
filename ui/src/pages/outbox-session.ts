import type { ReactiveController, ReactiveControllerHost } from 'lit';
import { client } from '../api/client.ts';
import type { CrmWrite, OutboxItem, SystemHealth, Tally } from '../api/crm-types.ts';
import { Problem, sentenceFor } from '../api/problem.ts';
import { EventStream, type StreamState } from '../api/stream.ts';
import type { Envelope, Me } from '../api/types.ts';
import { type OutboxTab, outboxTabs, withWrite } from '../state/outbox.ts';
import { toSignIn } from './page.ts';

const PAGE = '50';
// One effect says several things in a moment; the numbers are read when it is quiet.
const SETTLE_MS = 400;
// What an open page shows of the systems' health is never older.
const POLL_MS = 15_000;

/** Everything the page knows, and every act that reaches the service. The page draws it and owns the keys. */
export class OutboxSession implements ReactiveController {
  me: Me | undefined;
  tab: OutboxTab = 'failed';
  /** The system whose rows are shown; empty for all. */
  system = '';
  items: OutboxItem[] | undefined;
  next: string | null = null;
  tally: Tally[] = [];
  systems: SystemHealth[] | undefined;
  stream: StreamState = 'connecting';
  /** Why there is no list. */
  broken = '';
  /** Rows of which an act is on its way. */
  readonly busy = new Set<number>();
  /** How many of a row of acts are done, while it runs. */
  progress: { done: number; of: number } | null = null;
  /** Rows that are not in the list which was read. */
  news = 0;
  private events: EventStream | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private poll: ReturnType<typeof setInterval> | undefined;
  /** An answer that comes late for another tab is dropped. */
  private reads = 0;

  constructor(private readonly host: ReactiveControllerHost, private readonly say: (text: string) => void) {
    host.addController(this);
  }

  get now(): number {
    return Date.now() + client.clockOffsetMs;
  }

  /** What is shown: rows that moved on stay in their place until the list is read anew. */
  get shown(): OutboxItem[] | undefined {
    return this.system === '' ? this.items : this.items?.filter((one) => one.destination === this.system);
  }

  hostConnected(): void {
    const wanted = outboxTabs.find((one) => one.id === location.hash.slice(1));
    if (wanted) this.tab = wanted.id;
    void this.begin();
    this.poll = setInterval(() => void this.look(), POLL_MS);
  }

  hostDisconnected(): void {
    this.events?.close();
    clearTimeout(this.timer);
    clearInterval(this.poll);
  }

  show(tab: OutboxTab): void {
    this.tab = tab;
    history.replaceState(null, '', `#${tab}`);
    this.items = undefined;
    void this.load();
  }

  async choose(system: string): Promise<void> {
    this.system = system;
    this.host.requestUpdate();
    // Its first row may be some pages away.
    while (this.system === system && this.shown?.length === 0 && this.next !== null) if (!(await this.more())) return;
  }

  async load(): Promise<void> {
    const read = (this.reads += 1);
    this.news = 0;
    this.host.requestUpdate();
    try {
      const states = outboxTabs.find((one) => one.id === this.tab)!.states;
      const pages = await Promise.all(states.map((state) => client.outbox({ state, limit: PAGE })));
      if (read !== this.reads) return;
      this.items = pages.flatMap((page) => page.items);
      this.next = pages[0]?.next ?? null;
      this.tally = pages[0]?.tally ?? [];
      this.broken = '';
    } catch (error) {
      if (read !== this.reads) return;
      if (error instanceof Problem && error.status === 401) return toSignIn();
      this.broken = sentenceFor(error);
    }
    this.host.requestUpdate();
  }

  /** The next page, below what is read; false where it didn't come. */
  async more(): Promise<boolean> {
    const read = this.reads;
    if (this.next === null) return false;
    try {
      const state = outboxTabs.find((one) => one.id === this.tab)!.states[0]!;
      const page = await client.outbox({ state, limit: PAGE, cursor: this.next });
      if (read !== this.reads) return false;
      this.items = [...(this.items ?? []), ...page.items];
      this.next = page.next;
    } catch (error) {
      this.say(sentenceFor(error));
      return false;
    } finally {
      this.host.requestUpdate();
    }
    return true;
  }

  async retry(id: number): Promise<boolean> {
    return this.act(id, () => client.retryWrite(id), 'It isn’t tried again.');
  }

  async discard(id: number): Promise<boolean> {
    const done = await this.act(id, () => client.discardWrite(id), 'It wasn’t thrown away.');
    if (done) this.say('Thrown away. It stands under “Discarded”.');
    return done;
  }

  /** One after the other, so that a system which has just come back isn't flooded, and the oldest first: a call goes into a case that came before it. */
  async retryAll(): Promise<void> {
    const { tab, system } = this;
    if (this.progress) return;
    const counted = this.tally.filter((one) => one.state === 'failed' && (system === '' || one.destination === system));
    this.progress = { done: 0, of: counted.reduce((sum, one) => sum + one.count, 0) };
    this.host.requestUpdate();
    // The list ends with the newest; the oldest may be some pages away.
    while (this.next !== null) {
      if ((await this.more()) && this.tab === tab && this.system === system) continue;
      this.progress = null;
      return this.host.requestUpdate();
    }
    const dead = (this.shown ?? []).filter((one) => one.state === 'failed').sort((a, b) => a.id - b.id);
    let failed = 0;
    for (const [done, one] of dead.entries()) {
      this.progress = { done, of: dead.length };
      this.host.requestUpdate();
      if (!(await this.retry(one.id))) failed += 1;
      // Nobody is there, or somebody else has to look first.
      if (failed >= 3) break;
    }
    this.progress = null;
    this.host.requestUpdate();
  }

  private async act(id: number, ask: () => Promise<OutboxItem>, failed: string): Promise<boolean> {
    if (this.busy.has(id)) return false;
    this.busy.add(id);
    this.host.requestUpdate();
    try {
      this.replace(await ask());
      return true;
    } catch (error) {
      this.say(`${failed} ${sentenceFor(error)}`);
      if (error instanceof Problem && error.status === 409) void this.load();
      return false;
    } finally {
      this.busy.delete(id);
      this.settle();
      this.host.requestUpdate();
    }
  }

  private replace(item: OutboxItem): void {
    // The stream may have been faster.
    this.items = this.items?.map((one) => (one.id === item.id && Date.parse(one.updated_at) <= Date.parse(item.updated_at) ? { ...one, ...item } : one));
  }

  private async begin(): Promise<void> {
    try {
      this.me = await client.me();
    } catch (error) {
      if (error instanceof Problem && (error.status === 401 || error.status === 403)) return toSignIn();
    }
    this.events = new EventStream({
      path: '/v1/events?types=crm.write',
      onEvent: (event) => this.receive(event),
      onState: (state) => {
        const cameBack = state === 'open' && this.stream === 'reconnecting';
        this.stream = state;
        this.host.requestUpdate();
        if (cameBack) void this.load();
      },
    });
    await Promise.all([this.load(), this.look()]);
  }

  private receive(event: Envelope): void {
    const { items } = this;
    if (items) this.items = withWrite(items, event.subject, event.data as CrmWrite, event.time);
    const write = event.data as CrmWrite;
    const states = outboxTabs.find((one) => one.id === this.tab)!.states;
    if (this.items === items && states.includes(write.state)) this.news += 1;
    this.settle();
    this.host.requestUpdate();
  }

  /** Counts and health after what has just moved; the rows stay as they are. */
  private settle(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.look(), SETTLE_MS);
  }

  private async look(): Promise<void> {
    try {
      const [systems, outbox] = await Promise.all([client.systems(), client.outbox({ limit: '1' })]);
      this.systems = systems;
      this.tally = outbox.tally;
    } catch {
      // What stands is shown until the next look; the stream's own state says that something is wrong.
    }
    this.host.requestUpdate();
  }
}
