import { client } from '../api/client.ts';
import type { ConversationFeed } from '../api/conversation-feed.ts';
import type { ContactChoice, CrmWrite, Outcome, OutcomeOrder, SystemHealth } from '../api/crm-types.ts';
import { Problem, sentenceFor } from '../api/problem.ts';
import type { Summary } from '../api/types.ts';
import type { ConversationView } from '../state/conversation.ts';
import { isSame, withCrmContext, withCrmWrite } from '../state/crm.ts';
import type { Voice } from './desktop-session.ts';

// Drafts of the end come in a row: the plan is read when the last is there.
const SETTLE_MS = 300;
const OUTBOX_PAGE = '200';
const HEALTH_EVERY_MS = 30_000;

/** What the desk needs of the session that it belongs to. */
export interface Desk {
  feed: () => ConversationFeed | undefined;
  say: Voice;
  /** Tells of a failure, and of which call it is. */
  fail: (feed: ConversationFeed, sentence: string) => void;
  changed: () => void;
}

/** The CRM's part of the desktop: who it is, and what goes back. One call at a time, like the session. */
export class CrmDesk {
  systems: SystemHealth[] = [];
  outcome: Outcome | undefined;
  /** Why there is no plan. */
  outcomeProblem = '';
  /** A choice of a contact is on its way. */
  choosing = false;
  choiceProblem = '';
  putting = false;
  /** The last order that the service took, of the call that is looked at. */
  taken: OutcomeOrder | undefined;
  /** By call: who the CRM says it is. */
  private readonly names = new Map<string, string>();
  private askedAt = 0;
  /** Which systems there are was read once. */
  private isKnown = false;
  private read = '';
  /** Of the call that is looked at: what it began with is no news. */
  private last: { id: string; state: string | undefined } | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly desk: Desk) {}

  /** Known before the first call: whether to wait for a CRM at all. */
  async begin(): Promise<void> {
    this.askedAt = Date.now();
    try {
      this.systems = await client.systems();
      this.isKnown = true;
    } catch (error) {
      // A service that is older than its pages has none, and never will.
      this.isKnown ||= error instanceof Problem && error.status === 404;
      return;
    }
    // The call may have been there first.
    const view = this.desk.feed()?.view;
    if (view) this.follow(view);
    this.desk.changed();
  }

  /** As often as it is called, it asks only now and then. */
  look(): void {
    const isWorthIt = !this.isKnown || this.systems.length > 0;
    if (isWorthIt && Date.now() - this.askedAt > HEALTH_EVERY_MS) void this.begin();
  }

  /** Dead letters of all calls: whoever has gone on to the next call must not miss them. */
  get unwritten(): number {
    return this.systems.reduce((sum, one) => sum + one.failed, 0);
  }

  hasCrm(view: ConversationView | undefined): boolean {
    return Boolean(view?.crm) || this.systems.some((one) => one.kind === 'crm');
  }

  get hasTeam(): boolean {
    return this.systems.some((one) => one.kind === 'team');
  }

  /** The lists know no CRM: calls that were looked at bear their customer's name there, too. */
  named(calls: Summary[]): Summary[] {
    return calls.map((call) => {
      const name = this.names.get(call.id);
      return name ? { ...call, parties: call.parties.map((party) => (party.role === 'customer' ? { ...party, name } : party)) } : call;
    });
  }

  /** Another call is looked at. */
  leave(): void {
    clearTimeout(this.timer);
    this.outcome = undefined;
    this.outcomeProblem = '';
    this.choiceProblem = '';
    this.choosing = false;
    this.putting = false;
    this.taken = undefined;
    this.read = '';
  }

  /** Says who it is when that is known, and reads the plan of a call that is over whenever it moved. */
  follow(view: ConversationView): void {
    const state = view.crm?.state;
    const name = view.crm?.contact?.name;
    if (name) this.names.set(view.id, name);
    else this.names.delete(view.id);
    const isNews = this.last?.id === view.id && this.last.state !== state && !this.choosing;
    this.last = { id: view.id, state };
    if (isNews && view.crm) this.desk.say.announce(chosenAloud(view.crm.state, view.crm.contact?.name));
    if (view.state !== 'ended' || this.systems.length === 0) return;
    const now = planKey(view);
    if (now === this.read) return;
    const first = this.read === '';
    this.read = now;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.loadOutcome(), first ? 0 : SETTLE_MS);
    if (first) void this.begin();
  }

  async loadOutcome(): Promise<void> {
    const feed = this.desk.feed();
    if (!feed) return;
    try {
      const outcome = await client.outcome(feed.id);
      if (feed.closed) return;
      this.outcome = outcome;
      this.outcomeProblem = '';
    } catch (error) {
      if (feed.closed) return;
      this.outcomeProblem = sentenceFor(error);
    }
    this.desk.changed();
  }

  async choose(choice: ContactChoice): Promise<void> {
    const feed = this.desk.feed();
    if (!feed || this.choosing) return;
    this.choosing = true;
    this.choiceProblem = '';
    this.desk.changed();
    try {
      const crm = await client.chooseContact(feed.id, choice);
      // The event of the same choice may have come first, and it has the number.
      feed.update((view) => withCrmContext(view, crm, view.crm_sequence));
      if (!feed.closed) this.desk.say.announce(chosenAloud(crm.state, crm.contact?.name));
    } catch (error) {
      if (feed.closed) this.desk.fail(feed, `That wasn’t saved. ${sentenceFor(error)}`);
      else this.choiceProblem = sentenceFor(error);
    }
    // Another call has a choice of its own.
    if (!feed.closed) this.choosing = false;
    this.desk.changed();
  }

  async put(order: OutcomeOrder): Promise<void> {
    const feed = this.desk.feed();
    if (!feed || this.putting) return;
    this.putting = true;
    this.desk.changed();
    try {
      const { items } = await client.putOutcome(feed.id, order);
      feed.update((view) => items.reduce((now, write) => (now.writes.some((one) => isSame(one, write)) ? now : withCrmWrite(now, write, 0)), view));
      if (!feed.closed) {
        this.taken = order;
        this.desk.say.announce('It is on its way. You can go on.');
        await this.loadOutcome();
      }
    } catch (error) {
      this.desk.fail(feed, `Nothing was put into the CRM. ${sentenceFor(error)}`);
      // A colleague was first: the rows show what stands.
      if (error instanceof Problem && error.status === 409 && !feed.closed) await this.loadOutcome();
    }
    if (!feed.closed) this.putting = false;
    this.desk.changed();
  }

  /** A dead letter is tried again by its place in the outbox, which the conversation doesn't know. */
  async retry(write: CrmWrite): Promise<void> {
    const feed = this.desk.feed();
    if (!feed) return;
    try {
      const { items } = await client.outbox({ conversation: feed.id, state: 'failed', limit: OUTBOX_PAGE });
      const dead = items.find((one) => isSame(one, write));
      if (!dead) return feed.refresh();
      await client.retryWrite(dead.id);
      const known = feed.view?.writes.find((one) => isSame(one, write));
      const { problem: _, ...rest } = write;
      // Unless the stream was faster.
      if (known?.state === 'failed') feed.update((view) => withCrmWrite(view, { ...rest, state: 'waiting' }, known.sequence ?? 0));
    } catch (error) {
      if (error instanceof Problem && error.status === 409) feed.refresh();
      this.desk.fail(feed, `It isn’t tried again. ${sentenceFor(error)}`);
    }
  }
}

function planKey(view: ConversationView): string {
  const { wrapup } = view;
  const drafts = wrapup ? [wrapup.summary, wrapup.email, wrapup.disposition, ...wrapup.follow_ups].map((one) => `${one?.wrapup_id}#${one?.sequence}`) : [];
  const reviews = Object.entries(wrapup?.verdicts ?? {}).map(([id, review]) => `${id}${review.verdict}${review.text?.length ?? ''}`);
  return JSON.stringify([view.crm?.state, view.crm?.contact?.id, drafts, reviews, view.writes.length]);
}

function chosenAloud(state: string, name: string | null | undefined): string {
  if (state === 'known') return `The customer is ${name ?? 'known'}.`;
  if (state === 'unavailable') return 'The CRM can’t be reached.';
  return state === 'ambiguous' ? 'Several contacts fit: c shows them.' : 'The customer is not in the CRM.';
}
