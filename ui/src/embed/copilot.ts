import { LitElement, html, nothing, type PropertyValues } from 'lit';
import { property, query, state } from 'lit/decorators.js';
import { askInSteps } from '../api/ask-stream.ts';
import { Client } from '../api/client.ts';
import { ConversationFeed } from '../api/conversation-feed.ts';
import { sentenceFor } from '../api/problem.ts';
import type { StreamState } from '../api/stream.ts';
import type { Citation, Question, VerdictKind } from '../api/types.ts';
import type { Announcer } from '../components/announcer.ts';
import type { Ask } from '../components/ask.ts';
import type { Cards } from '../components/cards.ts';
import { shared } from '../components/shared-styles.ts';
import type { Transcript } from '../components/transcript.ts';
import { copyText } from '../pages/clipboard.ts';
import { isTyping } from '../pages/focus.ts';
import { type CardView, type ConversationView, answerAloud, openSuggestions, withAnswer, withBroken, withVerdict, withWritten } from '../state/conversation.ts';
import { type Action, actionFor } from '../state/keys.ts';
import { copilotStyles } from './styles.ts';
import '../components/announcer.ts';
import '../components/answers.ts';
import '../components/ask.ts';
import '../components/cards.ts';
import '../components/connection.ts';
import '../components/customer-panel.ts';
import '../components/customer.ts';
import '../components/passage.ts';
import '../components/tabs.ts';
import '../components/transcript.ts';

type Tab = 'cards' | 'transcript' | 'customer';
const TABS = [{ id: 'cards', name: 'Cards' }, { id: 'transcript', name: 'Transcript' }, { id: 'customer', name: 'Customer' }];
const MARKED_MS = 4_000;
type Detail<T> = CustomEvent<{ card: CardView; value: T }>;

/**
 * `<backchannel-copilot conversation token base>`: one conversation's cards, words and customer in another site's page.
 * It sends no cookie, keeps nothing and styles nothing outside. Events that reach the page, all `backchannel-…`:
 * `card-accepted` and `card-dismissed` (`{conversation, card_id, text}`; whoever prevents the first's default has put
 * the words somewhere, else they are copied), `ended`, `token-expired` (give a new `token`).
 */
export class Copilot extends LitElement {
  @property() conversation = '';
  /** For this conversation, from `POST /v1/tokens`. */
  @property() token = '';
  /** The service's origin; where this module came from, unless told. */
  @property() base = '';
  @state() private tab: Tab = 'cards';
  @state() private view: ConversationView | undefined;
  @state() private stream: StreamState = 'connecting';
  @state() private problem = '';
  @state() private passage: (Pick<Citation, 'article_id'> & Partial<Citation>) | null = null;
  @state() private markedTurn: string | null = null;
  @state() private answersOpen = true;
  @state() private news = false;
  @state() private now = 0;
  @query('bc-announcer') private announcer!: Announcer | null;
  @query('bc-ask') private askBox!: Ask | null;
  @query('bc-cards') private cards!: Cards | null;
  @query('bc-transcript') private transcript!: Transcript | null;
  private door = new Client();
  private feed: ConversationFeed | undefined;
  private clock: ReturnType<typeof setInterval> | undefined;

  static override styles = [...copilotStyles, shared];

  override connectedCallback(): void {
    super.connectedCallback();
    this.clock = setInterval(() => (this.now = Date.now() + this.door.clockOffsetMs), 1_000);
    this.now = Date.now();
    // Moved to another place in the page, it goes on.
    if (this.hasUpdated) this.listen();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.clock);
    this.feed?.close();
    this.feed = undefined;
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('conversation') || changed.has('token') || changed.has('base')) this.listen(changed.has('conversation'));
  }

  override render() {
    return html`<div class="root" role="group" aria-label="Backchannel" lang="en" @keydown=${this.pressed}>
      ${this.view ? this.panels(this.view) : html`<p class="note">${this.waiting()}</p>`}
      <bc-announcer></bc-announcer>
    </div>`;
  }

  private waiting() {
    if (this.problem) return this.problem;
    if (this.conversation === '' || this.token === '') return 'Cards appear here as soon as the page says which conversation it is about.';
    if (this.stream === 'reconnecting') return 'Not connected. The service can’t be reached, or its settings (embed_origins) don’t name this page.';
    return nothing;
  }

  private panels(view: ConversationView) {
    const panel = (tab: Tab, body: unknown) => html`<div class="panel ${tab}" ?hidden=${this.tab !== tab}>${body}</div>`;
    return html`
      <div class="head" @open-customer=${() => this.show('customer')}>
        <bc-customer readonly .view=${view} .now=${this.now} .hasCrm=${view.crm !== null}></bc-customer>
${this.problem || (view.state === 'live' && this.stream === 'reconnecting') ? html`<bc-connection small .state=${'reconnecting'}></bc-connection>` : ''}
      </div>
      <bc-tabs
        name="Views" .tabs=${TABS} .selected=${this.tab} .news=${this.news ? 'cards' : ''} @tab-select=${(event: CustomEvent<Tab>) => this.show(event.detail)}
      ></bc-tabs>
      <div
        style="display: contents"
        @card-insert=${(event: Detail<string>) => this.insert(event.detail.card, event.detail.value)}
        @card-edited=${(event: Detail<string>) => this.insert(event.detail.card, event.detail.value, true)}
        @card-dismiss=${(event: Detail<undefined>) => this.dismiss(event.detail.card)}
        @open-passage=${(event: Detail<Citation>) => (this.passage = event.detail.value)}
        @close-passage=${() => (this.passage = null)}
        @reveal-turn=${(event: Detail<string>) => this.reveal(event.detail.value)}
        @copy-answer=${(event: Detail<string>) => this.give(event.detail.value, '')}
        @cards-entered=${(event: CustomEvent<CardView[]>) => this.entered(event.detail)}
        @close-answers=${() => (this.answersOpen = false)}
        @unmute=${() => this.cards?.setMuted(false)}
        @ask=${(event: CustomEvent<Question>) => this.ask(event.detail)}
      >
        ${panel('cards', html`${this.problem ? html`<p class="quiet">${this.problem}</p>` : ''}<bc-cards .view=${view}></bc-cards>`)}
        ${panel('transcript', html`<bc-transcript .view=${view} .markedTurn=${this.markedTurn}></bc-transcript>`)}
        ${panel('customer', html`<bc-customer-panel readonly .view=${view} .now=${this.now} .hasCrm=${view.crm !== null}></bc-customer-panel>`)}
        ${this.answersOpen && view.questions.length > 0 ? html`<bc-answers role="region" aria-label="Answers" .questions=${view.questions}></bc-answers>` : ''}
        <bc-ask .suggestions=${this.tab === 'cards' ? openSuggestions(view).slice(0, 1) : []}></bc-ask>
        ${this.passage ? html`<bc-passage role="group" aria-label="Passage" .door=${this.door} .citation=${this.passage}></bc-passage>` : ''}
      </div>
    `;
  }

  private listen(anew = true): void {
    this.feed?.close();
    this.feed = undefined;
    this.problem = '';
    if (anew) this.view = undefined;
    if (this.conversation === '' || this.token === '') return;
    this.stream = 'connecting';
    this.door = new Client({ base: (this.base || new URL(import.meta.url).origin).replace(/\/$/, ''), token: this.token });
    const before = this.view?.state;
    const id = this.conversation;
    this.feed = new ConversationFeed(
      id,
      {
        onView: (view) => {
          const ends = (this.view?.state ?? before) === 'live' && view.state === 'ended';
          this.view = view;
          if (ends) this.tell('ended', { conversation: id });
        },
        onStream: (state) => (this.stream = state),
        onProblem: (sentence) => (this.problem = sentence),
        onSignedOut: () => {
          this.problem = 'This panel’s access has run out. Load the page again.';
          this.feed?.close();
          this.tell('token-expired', { conversation: id });
        },
      },
      this.door,
    );
  }

  /** Keys that are pressed inside; those of the page around are the page's. */
  private readonly pressed = (event: KeyboardEvent): void => {
    const action = actionFor(event, isTyping(event));
    if (action && !event.defaultPrevented && this.view && this.act(action)) {
      event.preventDefault();
      event.stopPropagation();
    }
  };

  private act(action: Action): boolean {
    const current = this.cards?.current()?.card;
    switch (action.do) {
      case 'insert': {
        const shown = this.cards?.cardAt(action.index);
        if (shown?.card) this.insert(shown.card, shown.words);
        return Boolean(shown?.card);
      }
      case 'edit':
        this.show('cards');
        void this.cards?.current()?.edit();
        return true;
      case 'dismiss':
        if (current) this.dismiss(current);
        return true;
      case 'next':
      case 'previous':
        this.show('cards');
        void this.updateComplete.then(() => this.cards?.step(action.do === 'next' ? 1 : -1));
        return true;
      case 'ask':
        this.askBox?.focus();
        return true;
      case 'customer':
        this.show('customer');
        return true;
      case 'mute':
        this.cards?.setMuted(!this.cards.muted);
        return true;
      case 'close': {
        if (!this.passage) return this.cards?.release() ?? false;
        this.passage = null;
        return true;
      }
      default:
        return false;
    }
  }

  private insert(card: CardView, text: string, edited = false): void {
    void this.give(text, card.card_id);
    const stands = card.verdict?.verdict;
    if (edited) void this.verdict(card, 'edited', text);
    else if (stands !== 'edited' && stands !== 'accepted') void this.verdict(card, 'accepted');
  }

  /** The page takes the words, or else they are copied. */
  private async give(text: string, cardId: string): Promise<void> {
    if (!this.tell('card-accepted', { conversation: this.conversation, card_id: cardId, text })) return;
    this.announcer?.show((await copyText(text)) ? 'Copied. Paste it into your reply.' : 'The browser didn’t allow copying.');
  }

  private dismiss(card: CardView): void {
    void this.verdict(card, 'dismissed');
    this.tell('card-dismissed', { conversation: this.conversation, card_id: card.card_id, text: '' });
  }

  /** Shown at once; taken back with a word when the service did not take it. */
  private async verdict(card: CardView, kind: VerdictKind, text?: string): Promise<void> {
    const { feed, door } = this;
    feed?.update((view) => withVerdict(view, card.card_id, { verdict: kind, text: text ?? null }));
    try {
      await door.verdict(card.card_id, kind, text);
    } catch (error) {
      feed?.update((view) => withVerdict(view, card.card_id, card.verdict));
      this.announcer?.show(`That wasn’t saved. ${sentenceFor(error)}`);
    }
  }

  private async ask(question: Question): Promise<void> {
    const { feed, door } = this;
    if (!feed) return;
    this.answersOpen = true;
    let id = '';
    try {
      const onAsked = (asked: { question_id: string; question: string }) => {
        id = asked.question_id;
        feed.update((view) => withWritten(view, asked, []));
      };
      const answered = await askInSteps(
        feed.id, question, { onAsked, onWritten: (asked, sentences) => feed.update((view) => withWritten(view, asked, sentences)) }, door.foreign,
      );
      feed.update((view) => withAnswer(view, answered));
      this.announcer?.announce(answerAloud(answered));
    } catch (error) {
      feed.update((view) => withBroken(view, id));
      this.announcer?.show(`The question wasn’t answered. ${sentenceFor(error)}`);
    }
  }

  private async reveal(turnId: string): Promise<void> {
    this.passage = null;
    this.show('transcript');
    this.markedTurn = turnId;
    await this.updateComplete;
    this.transcript?.reveal(turnId);
    setTimeout(() => (this.markedTurn = null), MARKED_MS);
  }

  private entered(cards: CardView[]): void {
    const [newest] = cards;
    if (!newest) return;
    this.announcer?.announce(`New card: ${newest.text}`);
    if (this.tab !== 'cards') this.news = true;
  }

  private show(tab: Tab): void {
    this.tab = tab;
    if (tab === 'cards') this.news = false;
  }

  /** False when the page said that it has seen to it. */
  private tell(name: string, detail: Record<string, string>): boolean {
    return this.dispatchEvent(new CustomEvent(`backchannel-${name}`, { detail, bubbles: true, composed: true, cancelable: true }));
  }
}

customElements.define('backchannel-copilot', Copilot);
