import type { ReactiveController, ReactiveControllerHost } from 'lit';
import { askInSteps } from '../api/ask-stream.ts';
import { CallsFeed } from '../api/calls-feed.ts';
import { client } from '../api/client.ts';
import { ConversationFeed } from '../api/conversation-feed.ts';
import { Problem, sentenceFor } from '../api/problem.ts';
import type { StreamState } from '../api/stream.ts';
import type { Decision, Degradation, EmailOrder, Me, Question, Summary, Verdict, VerdictKind, WrapUpSummary } from '../api/types.ts';
import { Microphone, type MicrophoneState } from '../audio/microphone.ts';
import { callerName } from '../state/calls.ts';
import { type ConversationView, answerAloud, withAnswer, withBroken, withVerdict, withWritten } from '../state/conversation.ts';
import { noWrapUp, withReview, withWrapUpEvent } from '../state/wrapup.ts';
import { CrmDesk, type Desk } from './crm-desk.ts';
import { HelpDesk } from './help-desk.ts';
import { ReplyDesk } from './reply-desk.ts';
import { toSignIn } from './page.ts';

/** How the session speaks to the agent: on the screen and aloud, or only aloud. */
export interface Voice {
  show: (text: string) => void;
  announce: (text: string) => void;
}

/** Everything the desktop knows, and every act that reaches the service. The page draws it and owns the keys. */
export class DesktopSession implements ReactiveController {
  me: Me | undefined;
  live: Summary[] = [];
  ended: Summary[] = [];
  degraded: Degradation[] = [];
  selected = '';
  view: ConversationView | undefined;
  problem = '';
  /** Lists were read at least once: only then "no calls" is a fact. */
  ready = false;
  microphone: MicrophoneState = { is: 'off' };
  /** Who it is, and what goes back into other systems. */
  readonly crm = new CrmDesk(this.surroundings());
  /** Who else knows about it. */
  readonly help = new HelpDesk(this.surroundings());
  /** Drafts that were asked for here. */
  readonly asked = new Set<string>();
  /** Calls for which an e-mail is being written. */
  private readonly orders = new Set<string>();
  /** Answers to those who write. */
  readonly replies = new ReplyDesk({
    feed: () => this.feed, fail: (feed, sentence) => this.fail(feed, sentence), changed: () => this.host.requestUpdate(),
  });
  private callsStream: StreamState = 'connecting';
  private viewStream: StreamState = 'open';
  private calls: CallsFeed | undefined;
  private feed: ConversationFeed | undefined;
  private readonly mic = new Microphone((state) => this.microphoneMoved(state));

  constructor(private readonly host: ReactiveControllerHost, private readonly say: Voice) {
    host.addController(this);
  }

  private surroundings(): Desk {
    return {
      feed: () => this.feed, say: { show: (text) => this.say.show(text), announce: (text) => this.say.announce(text) },
      fail: (feed, sentence) => this.fail(feed, sentence), changed: () => this.host.requestUpdate(),
    };
  }

  /** The worse of the two streams; a call that is over needs none of its own. */
  get stream(): StreamState {
    const own = this.view?.state === 'ended' ? 'open' : this.viewStream;
    return own === 'reconnecting' || this.callsStream === 'reconnecting' ? 'reconnecting' : own === 'open' ? this.callsStream : own;
  }

  /** An e-mail was ordered for this call and is not there yet. */
  get ordering(): boolean {
    return this.orders.has(this.selected);
  }

  /** The service's clock. */
  get now(): number {
    return Date.now() + client.clockOffsetMs;
  }

  hostConnected(): void {
    void this.begin();
    window.addEventListener('hashchange', this.followHash);
    window.addEventListener('pagehide', this.leave);
  }

  hostDisconnected(): void {
    window.removeEventListener('hashchange', this.followHash);
    window.removeEventListener('pagehide', this.leave);
    this.leave();
  }

  select(id: string): void {
    if (id === this.selected) return;
    this.feed?.close();
    this.feed = undefined;
    this.selected = id;
    this.view = undefined;
    this.crm.leave();
    this.help.leave();
    this.problem = '';
    this.viewStream = 'connecting';
    // The address keeps the choice over a reload without a new page in the history.
    history.replaceState(null, '', id === '' ? location.pathname : `#${id}`);
    if (id !== '') {
      this.feed = new ConversationFeed(id, {
        onView: (view) => this.set(() => this.viewMoved(view)),
        onStream: (state) => this.set(() => (this.viewStream = state)),
        onProblem: (sentence) => this.set(() => (this.problem = sentence)),
        onSignedOut: () => toSignIn(),
      });
    }
    this.host.requestUpdate();
  }

  /** Shown at once; taken back with a word when the service did not take it. */
  async verdict(cardId: string, kind: VerdictKind, text?: string): Promise<void> {
    const feed = this.feed;
    if (!feed) return;
    const before = feed.view?.cards.find((card) => card.card_id === cardId)?.verdict ?? null;
    const now: Verdict = { verdict: kind, text: text ?? null };
    feed.update((view) => withVerdict(view, cardId, now));
    try {
      await client.verdict(cardId, kind, text);
    } catch (error) {
      feed.update((view) => withVerdict(view, cardId, before));
      this.fail(feed, `That wasn’t saved. ${sentenceFor(error)}`);
    }
  }

  async ask(question: Question): Promise<void> {
    const feed = this.feed;
    if (!feed) return;
    let id = '';
    try {
      const answered = await askInSteps(feed.id, question, {
        onAsked: (asked) => {
          id = asked.question_id;
          feed.update((view) => withWritten(view, asked, []));
        },
        onWritten: (asked, sentences) => feed.update((view) => withWritten(view, asked, sentences)),
      });
      feed.update((view) => withAnswer(view, answered));
      // It is drawn where the answers stand; only the ear needs telling.
      if (!feed.closed) this.say.announce(answerAloud(answered));
    } catch (error) {
      feed.update((view) => withBroken(view, id));
      this.fail(feed, `The question wasn’t answered. ${sentenceFor(error)}`);
    }
  }

  /** Shown at once; taken back with a word when the service did not take it. */
  async review(decision: Decision): Promise<void> {
    const feed = this.feed;
    if (!feed) return;
    const { id, verdict, text } = decision;
    const before = feed.view?.wrapup?.verdicts[id] ?? null;
    const show = (review: typeof before) => feed.update((view) => ({ ...view, wrapup: withReview(view.wrapup ?? noWrapUp, id, review) }));
    show({ verdict, text: text ?? null });
    try {
      await client.review(feed.id, decision);
    } catch (error) {
      show(before);
      // What took the draft's place may have been kept out by the verdict that was shown.
      if (error instanceof Problem && error.status === 409) feed.refresh();
      this.fail(feed, `That wasn’t saved. ${sentenceFor(error)}`);
    }
  }

  async writeEmail(order: EmailOrder): Promise<void> {
    const feed = this.feed;
    if (!feed || this.orders.has(feed.id)) return;
    this.set(() => this.orders.add(feed.id));
    try {
      const email = await client.writeEmail(feed.id, order);
      this.asked.add(email.wrapup_id);
      feed.update((view) => ({ ...view, wrapup: withWrapUpEvent(view.wrapup, 'wrapup.email', email, { sequence: email.sequence }) }));
      if (feed.closed) return;
      const stands = feed.view?.wrapup?.email?.wrapup_id === email.wrapup_id;
      this.say.announce(stands ? 'The e-mail was written again.' : 'Another e-mail was written; the one that was decided about stays.');
    } catch (error) {
      this.fail(feed, `No such e-mail was written. ${sentenceFor(error)}`);
    } finally {
      this.set(() => this.orders.delete(feed.id));
    }
  }

  /** True when there is a summary to look at now. */
  writeSummary(): Promise<boolean> {
    return this.write('summary', (id) => client.writeSummary(id));
  }

  /** True when there is a pack for whoever takes the call on. */
  writeHandOver(): Promise<boolean> {
    return this.write('hand-over', (id) => client.writeHandOver(id));
  }

  private async write(name: string, ask: (id: string) => Promise<WrapUpSummary>): Promise<boolean> {
    const feed = this.feed;
    if (!feed) return false;
    try {
      const written = await ask(feed.id);
      this.asked.add(written.wrapup_id);
      feed.update((view) => ({ ...view, wrapup: withWrapUpEvent(view.wrapup, 'wrapup.summary', written, { sequence: written.sequence }) }));
      return !feed.closed;
    } catch (error) {
      this.fail(feed, `No ${name} was written. ${sentenceFor(error)}`);
      return false;
    }
  }

  /** What failed is told also to whoever has turned to another call, and then of which it is. */
  private fail(feed: ConversationFeed, sentence: string): void {
    this.say.show(feed.closed && feed.view ? `In another call (${callerName(feed.view)}): ${sentence}` : sentence);
  }

  speak(): void {
    void this.mic.start();
  }

  hush(): void {
    this.mic.stop();
  }

  async signOut(): Promise<void> {
    await client.signOut().catch(() => undefined);
    location.assign('/');
  }

  private async begin(): Promise<void> {
    try {
      this.me = await client.me();
    } catch (error) {
      if (error instanceof Problem && (error.status === 401 || error.status === 403)) return toSignIn();
      // The streams below keep trying and say so.
    }
    void this.crm.begin();
    this.calls = new CallsFeed({
      onCalls: (live, ended) => this.callsMoved(live, ended),
      onDegraded: (degraded) => this.set(() => (this.degraded = degraded)),
      onStream: (state) => this.set(() => this.callsStreamMoved(state)),
      onSignedOut: () => toSignIn(),
    });
    this.followHash();
    this.host.requestUpdate();
  }

  private viewMoved(view: ConversationView): void {
    this.view = view;
    this.crm.follow(view);
  }

  private callsMoved(live: Summary[], ended: Summary[]): void {
    this.live = live;
    this.ended = ended;
    this.ready = true;
    this.crm.look();
    // Somebody who looks at nothing gets the newest call; a chosen one, even an ended one, is never taken away.
    const [newest] = live;
    if (this.selected === '' && newest) this.select(newest.id);
    this.host.requestUpdate();
  }

  private callsStreamMoved(state: StreamState): void {
    const cameBack = state === 'open' && this.callsStream === 'reconnecting';
    this.callsStream = state;
    if (!cameBack) return;
    // One stream found the service again: the other need not wait out its pause.
    this.feed?.retryNow();
    if (!this.me) void client.me().then((me) => this.set(() => (this.me = me)), () => undefined);
  }

  private microphoneMoved(state: MicrophoneState): void {
    const began = state.is === 'streaming' && this.microphone.is !== 'streaming';
    this.microphone = state;
    if (began) this.select(state.conversationId);
    this.host.requestUpdate();
  }

  private readonly followHash = (): void => {
    this.select(decodeURIComponent(location.hash.slice(1)));
  };

  private readonly leave = (): void => {
    this.mic.dispose();
    this.feed?.close();
    this.calls?.close();
  };

  private set(change: () => void): void {
    change();
    this.host.requestUpdate();
  }
}
