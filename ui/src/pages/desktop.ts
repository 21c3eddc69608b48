import '../theme.ts';
import { LitElement, html } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import type { ContactChoice, CrmWrite, OutcomeOrder } from '../api/crm-types.ts';
import type { Citation, Decision, EmailOrder, Question } from '../api/types.ts';
import type { Announcer } from '../components/announcer.ts';
import type { Ask } from '../components/ask.ts';
import type { Cards } from '../components/cards.ts';
import type { Colleagues } from '../components/colleagues.ts';
import type { CustomerPanel } from '../components/customer-panel.ts';
import type { HandOver } from '../components/handover.ts';
import type { Header } from '../components/header.ts';
import type { KeyMap } from '../components/keymap.ts';
import type { OutcomePanel } from '../components/outcome.ts';
import type { Reply, WrittenReply } from '../components/reply.ts';
import { shared } from '../components/shared-styles.ts';
import type { Transcript } from '../components/transcript.ts';
import type { WrapUpPanel } from '../components/wrapup.ts';
import { type CardView, type ConversationView, openSuggestions } from '../state/conversation.ts';
import { hasDrafts } from '../state/wrapup.ts';
import { callerName } from '../state/calls.ts';
import { type Action, actionFor } from '../state/keys.ts';
import { channelName, isWritten } from '../state/replies.ts';
import { degradedSentence } from '../state/text.ts';
import { copyText } from './clipboard.ts';
import { DesktopSession } from './desktop-session.ts';
import { desktopStyles } from './desktop-styles.ts';
import { deepActiveElement, focusStays, isTyping } from './focus.ts';
import '../components/all.ts';

type Tab = 'cards' | 'transcript' | 'customer';
const TABS = [{ id: 'cards', name: 'Cards' }, { id: 'transcript', name: 'Transcript' }, { id: 'customer', name: 'Customer' }];
type CardEvent<T = undefined> = CustomEvent<{ card: CardView; value: T }>;

/** `/desktop`: puts the parts side by side, and turns keys and their events into acts of the session. */
@customElement('backchannel-desktop')
export class Desktop extends LitElement {
  @state() private tab: Tab = 'cards';
  @state() private narrow = matchMedia('(max-width: 899px)').matches;
  /** The customer has a place of their own beside the call. */
  @state() private wide = matchMedia('(min-width: 1300px)').matches;
  /** Where they have none, they stand over the transcript. */
  @state() private customerOpen = false;
  @state() private passage: (Pick<Citation, 'article_id'> & Partial<Citation>) | null = null;
  /** The turn that a card answers, lit for a moment. */
  @state() private markedTurn: string | null = null;
  /** Closed by Escape until the next question. */
  @state() private answersOpen = true;
  /** The hand-over that was read and closed. */
  @state() private packClosed: string | null = null;
  @state() private news = false;
  @state() private now = Date.now();
  @query('bc-announcer') private announcer!: Announcer;
  @query('bc-cards') private cards!: Cards | null;
  @query('bc-ask') private askBox!: Ask | null;
  @query('bc-header') private header!: Header;
  @query('bc-colleagues') private colleagues!: Colleagues | null;
  @query('bc-customer-panel') private customerPanel!: CustomerPanel | null;
  @query('bc-handover') private handOver!: HandOver | null;
  @query('bc-keymap') private keyMap!: KeyMap;
  @query('bc-outcome') private outcome!: OutcomePanel | null;
  @query('bc-wrapup') private wrapUp!: WrapUpPanel | null;
  @query('bc-transcript') private transcript!: Transcript | null;
  @query('bc-reply') private reply!: Reply | null;
  private readonly session = new DesktopSession(this, {
    show: (text) => this.announcer.show(text),
    announce: (text) => this.announcer.announce(text),
  });
  private clock: ReturnType<typeof setInterval> | undefined;
  /** Where the focus returns when the passage closes. */
  private opener: HTMLElement | null = null;

  static override styles = [shared, desktopStyles];

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener('keydown', this.pressed);
    matchMedia('(max-width: 899px)').addEventListener('change', (event) => (this.narrow = event.matches));
    matchMedia('(min-width: 1300px)').addEventListener('change', (event) => (this.wide = event.matches));
    this.clock = setInterval(() => (this.now = this.session.now), 1_000);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener('keydown', this.pressed);
    clearInterval(this.clock);
  }

  override render() {
    const { session } = this;
    const { view } = session;
    return html`
      <bc-header
        .me=${session.me} .live=${session.crm.named(session.live)} .ended=${session.crm.named(session.ended)} .selected=${session.selected} .stream=${session.stream} .now=${this.now}
        .behindMs=${view?.state === 'live' ? view.behind_ms : null} .unwritten=${session.crm.unwritten}
        @call-select=${this.choose} @help=${() => this.keyMap.toggle()} @sign-out=${() => session.signOut()} @speak=${this.speak} @hush=${this.hush}
      ><bc-microphone .state=${session.microphone}></bc-microphone></bc-header>
      ${session.selected === '' ? this.idle() : this.call(view)}
      <bc-keymap></bc-keymap>
      <bc-announcer></bc-announcer>
    `;
  }

  private idle() {
    const { session } = this;
    if (!session.ready) return html`<main class="bones" aria-label="Loading"><i></i><i></i></main>`;
    return html`${this.degraded()}<bc-idle
      role="main" .live=${session.live} .ended=${session.ended} .microphone=${session.microphone} .now=${this.now}
      @call-select=${this.choose} @speak=${this.speak} @hush=${this.hush}
    ></bc-idle>`;
  }

  /** What works less well than it should, said below the cards that it concerns; there it moves nothing. */
  private degraded() {
    const { degraded } = this.session;
    return degraded.length === 0 ? '' : html`<p class="degraded" role="note">${degraded.map((d) => degradedSentence(d.what, d.detail)).join(' ')}</p>`;
  }

  private call(view: ConversationView | undefined) {
    const { session } = this;
    const column = Boolean(view) && this.wide && session.crm.hasCrm(view);
    return html`<main
      class="call ${column ? 'with-customer' : ''}"
      @card-insert=${(event: CardEvent<string>) => this.insert(event.detail.card, event.detail.value)}
      @card-edited=${(event: CardEvent<string>) => this.insertEdited(event.detail.card, event.detail.value)}
      @card-dismiss=${(event: CardEvent) => this.dismiss(event.detail.card)}
      @open-passage=${(event: CardEvent<Citation>) => this.open(event.detail.value)}
      @close-passage=${this.closePassage}
      @reveal-turn=${(event: CardEvent<string>) => this.reveal(event.detail.value)}
      @copy-answer=${(event: CardEvent<string>) => this.copy(event.detail.value)}
      @reply-send=${(event: CustomEvent<WrittenReply>) => this.send(event.detail)}
      @reply-again=${(event: CustomEvent<string>) => session.replies.again(event.detail)}
      @wrapup-review=${(event: CustomEvent<Decision>) => session.review(event.detail)}
      @wrapup-email=${(event: CustomEvent<EmailOrder>) => session.writeEmail(event.detail)}
      @contact-choose=${(event: CustomEvent<ContactChoice>) => session.crm.choose(event.detail)}
      @outcome-put=${(event: CustomEvent<OutcomeOrder>) => session.crm.put(event.detail)}
      @outcome-retry=${(event: CustomEvent<CrmWrite>) => session.crm.retry(event.detail)}
      @outcome-again=${() => session.crm.loadOutcome()}
      @experts-look=${() => session.help.look()}
      @team-ask=${(event: CustomEvent<string>) => this.askTeam(event.detail)}
      @open-customer=${() => this.toCustomer()}
      @close-customer=${() => this.closeCustomer()}
      @close-handover=${() => (this.packClosed = this.session.view?.wrapup?.hand_over?.wrapup_id ?? null)}
      @hand-over=${() => this.toHandOver()}
      @close-answers=${() => (this.answersOpen = false)}
      @cards-entered=${(event: CustomEvent<CardView[]>) => this.cardsEntered(event.detail)}
      @unmute=${() => this.mute(false)}
      @tab-select=${(event: CustomEvent<Tab>) => this.show(event.detail)}
      @call-select=${this.choose} @speak=${this.speak} @hush=${this.hush} @ask=${this.ask}
    >
      <nav class="calls" aria-label="Calls">
        <bc-call-list .live=${session.crm.named(session.live)} .ended=${session.crm.named(session.ended)} .selected=${session.selected} .now=${this.now}></bc-call-list>
        ${session.microphone.is === 'streaming' ? '' : html`<bc-microphone .state=${session.microphone}></bc-microphone>`}
      </nav>
      ${view && column ? html`<section class="panel about" aria-label="Customer" tabindex="-1">${this.customer(view)}</section>` : ''}
      ${view ? this.panels(view) : this.without()}
    </main>`;
  }

  /** The chosen call is not here yet, or can't be shown. */
  private without() {
    if (!this.session.problem) return html`<div class="bones" aria-label="Loading"><i style="width:70%"></i><i></i><i style="width:85%"></i></div>`;
    return html`<div class="problem">
      <p>This call can’t be shown. ${this.session.problem}</p>
      <button type="button" class="button" @click=${() => this.session.select('')}>Back to all calls</button>
    </div>`;
  }

  private panels(view: ConversationView) {
    const { session } = this;
    // Once the call is over, its summary says more.
    const pack = view.state === 'live' ? view.wrapup?.hand_over : null;
    const cards = html`<section class="panel cards" aria-label="Cards" tabindex="-1" ?hidden=${this.narrow && this.tab !== 'cards'}>
      ${pack && pack.wrapup_id !== this.packClosed ? html`<bc-handover .pack=${pack}></bc-handover>` : ''}
      ${view.state === 'ended' && session.crm.systems.length > 0
        ? html`<bc-outcome
            .view=${view} .outcome=${session.crm.outcome} .systems=${session.crm.systems} .problem=${session.crm.outcomeProblem} .busy=${session.crm.putting}
            .taken=${session.crm.taken}
          ></bc-outcome>`
        : ''}
      ${view.wrapup && (view.state === 'ended' || hasDrafts(view.wrapup))
        ? html`<bc-wrapup .wrapup=${view.wrapup} .asked=${session.asked} .ordering=${session.ordering}></bc-wrapup>`
        : ''}
      ${view.state === 'ended' && view.wrapup && view.cards.length === 0 ? '' : html`<bc-cards .view=${view}></bc-cards>`}
    </section>`;
    const answers = this.answersOpen && view.questions.length > 0 ? html`<bc-answers role="region" aria-label="Answers" .questions=${view.questions}></bc-answers>` : '';
    return html`
      <div class="strip">
        <bc-customer .view=${view} .now=${this.now} .hasCrm=${session.crm.hasCrm(view)}></bc-customer>
        ${this.stripRow(view)}
      </div>
      ${this.narrow ? html`<bc-tabs name="Call views" .tabs=${TABS} .selected=${this.tab} .news=${this.newsIn(view)}></bc-tabs>` : ''}
      <div class="panel transcript" ?hidden=${this.narrow && this.tab !== 'transcript'}>
        <bc-transcript .view=${view} .markedTurn=${this.markedTurn}></bc-transcript>
        ${isWritten(view) && view.state === 'live'
          ? html`<bc-reply .conversation=${view.id} .channel=${channelName(view)} .busy=${session.replies.isBusy(view.id)}></bc-reply>`
          : ''}
      </div>
      <div class="side">${cards}${this.degraded()}${answers}</div>
      ${this.narrow && this.tab === 'customer'
        ? html`<section class="panel" aria-label="Customer">${this.customer(view)}</section>`
        : ''}
      <bc-ask .suggestions=${openSuggestions(view)}></bc-ask>
      ${this.customerOpen && !this.narrow && !this.wide
        ? html`<section class="panel drawer" aria-label="Customer">${this.customer(view, true)}</section>`
        : ''}
      ${this.passage ? html`<bc-passage role="complementary" aria-label="Passage" .citation=${this.passage}></bc-passage>` : ''}
    `;
  }

  private customer(view: ConversationView, closable = false) {
    const { crm, help } = this.session;
    return html`<bc-customer-panel
      .view=${view} .now=${this.now} .hasCrm=${crm.hasCrm(view)} .busy=${crm.choosing} .problem=${crm.choiceProblem} .closable=${closable}
    ></bc-customer-panel>
    <bc-colleagues
      .view=${view} .experts=${help.experts} .canLook=${crm.hasCrm(view)} .canAsk=${crm.hasTeam} .looking=${help.looking} .asking=${help.asking} .problem=${help.problem}
    ></bc-colleagues>`;
  }

  private newsIn(view: ConversationView): Tab | '' {
    if (this.news) return 'cards';
    return view.crm?.state === 'ambiguous' && this.tab !== 'customer' ? 'customer' : '';
  }

  /** Under the customer's name: the microphone while it runs, and the way to a call that began meanwhile. */
  private stripRow(view: ConversationView) {
    const { microphone, live } = this.session;
    const failed = microphone.is === 'failed';
    const speaking = microphone.is === 'streaming' || microphone.is === 'stopping' || failed;
    const next = view.state === 'ended' ? live[0] : undefined;
    if (!speaking && !next) return '';
    return html`<div class="strip-row ${failed && !next ? 'elsewhere' : ''}">
      ${speaking ? html`<bc-microphone .state=${microphone}></bc-microphone>` : ''}
      ${next ? html`<button type="button" class="button" @click=${() => this.session.select(next.id)}>Live call: ${callerName(next)}</button>` : ''}
    </div>`;
  }

  private readonly pressed = (event: KeyboardEvent): void => {
    const action = actionFor(event, isTyping(event));
    if (!action || event.defaultPrevented) return;
    // Without an open call there is nothing to act on but the help.
    if (!this.session.view && action.do !== 'help' && action.do !== 'close') return;
    if (this.act(action)) event.preventDefault();
  };

  /** Does what the key says; false leaves the key to the browser. */
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
      case 'summary':
        void this.toSummary();
        return true;
      case 'handover':
        void this.toHandOver();
        return true;
      case 'customer':
        if (this.customerOpen && !this.wide && !this.narrow) this.closeCustomer();
        else void this.toCustomer();
        return true;
      case 'put':
        return this.put();
      case 'mute':
        this.mute(!this.cards?.muted);
        return true;
      case 'help':
        this.keyMap.toggle();
        return true;
      case 'close':
        return this.close();
    }
  }

  /** Escape closes one thing at a time, the innermost first. */
  private close(): boolean {
    if (this.keyMap.close() || this.header.close()) return true;
    if (deepActiveElement()?.matches('input, textarea')) {
      deepActiveElement()?.blur();
      return true;
    }
    if (this.passage) {
      this.closePassage();
      return true;
    }
    if (this.customerOpen) return this.closeCustomer();
    if (this.cards?.release()) return true;
    const had = this.answersOpen && (this.session.view?.questions.length ?? 0) > 0;
    this.answersOpen = false;
    return had;
  }

  /** Goes to the summary; one that isn't there yet, or that the call has outgrown, is written first. */
  private toSummary(): Promise<void> {
    const { view } = this.session;
    const stands = Boolean(view?.state === 'ended' && view.wrapup?.summary);
    return this.goTo('The summary', async () => stands || this.session.writeSummary(), () => this.wrapUp);
  }

  private toHandOver(): Promise<void> {
    if (this.session.view?.state !== 'live') return this.toSummary();
    const write = async () => {
      const written = await this.session.writeHandOver();
      if (written) this.packClosed = null;
      return written;
    };
    return this.goTo('The hand-over', write, () => this.handOver);
  }

  /** Takes the focus to what is written, unless it has gone elsewhere meanwhile: whoever types there must not type here. */
  private async goTo(name: string, write: () => Promise<boolean>, part: () => WrapUpPanel | HandOver | null): Promise<void> {
    const call = this.session.selected;
    const stays = focusStays();
    // A model takes seconds; without one it is there at once.
    const slow = setTimeout(() => this.session.selected === call && this.announcer.show(`${name} is being written …`), 400);
    const written = await write();
    clearTimeout(slow);
    if (!written) return;
    if (!stays()) return this.announcer.show(`${name} is written.`);
    this.show('cards');
    await this.updateComplete;
    await part()?.updateComplete;
    part()?.focus();
  }

  private async toCustomer(): Promise<void> {
    if (!this.session.view) return;
    this.show('customer');
    if (!this.narrow && !this.wide) {
      this.passage = null;
      this.opener ??= deepActiveElement();
      this.customerOpen = true;
    }
    await this.updateComplete;
    await this.customerPanel?.updateComplete;
    this.customerPanel?.focus();
  }

  private closeCustomer(): boolean {
    this.customerOpen = false;
    this.opener?.focus();
    this.opener = null;
    return true;
  }

  /** The first time it shows what would be put; only from there the key puts it. */
  private put(): boolean {
    if (!this.outcome) return false;
    if (this.outcome.matches(':focus-within')) return this.outcome.put();
    this.show('cards');
    void this.updateComplete.then(() => this.outcome?.focus());
    return true;
  }

  private async askTeam(note: string): Promise<void> {
    if (await this.session.help.ask(note)) this.colleagues?.sent();
  }

  private async send(reply: WrittenReply): Promise<void> {
    const conversation = this.session.selected;
    if (!(await this.session.replies.send(reply))) return;
    this.reply?.sent(conversation, reply.text);
    this.announcer.announce('Reply sent');
  }

  /** Into the reply, where there is one; what became of the card is told when it is sent. */
  private putIntoReply(card: CardView, words: string): boolean {
    if (!this.reply) return false;
    this.show('transcript');
    void this.updateComplete.then(() => this.reply?.put(words, card.card_id));
    return true;
  }

  private insert(card: CardView, words: string): void {
    if (this.putIntoReply(card, words)) return;
    const edited = card.verdict?.verdict === 'edited';
    void this.copy(words);
    // Inserting again what was edited before says nothing new.
    if (!edited && card.verdict?.verdict !== 'accepted') void this.session.verdict(card.card_id, 'accepted');
  }

  private insertEdited(card: CardView, text: string): void {
    if (this.putIntoReply(card, text)) return;
    void this.copy(text);
    void this.session.verdict(card.card_id, 'edited', text);
  }

  private dismiss(card: CardView): void {
    const hadFocus = this.cards?.current()?.matches(':focus-within') ?? false;
    void this.session.verdict(card.card_id, 'dismissed');
    this.announcer.announce('Card dismissed');
    // Somebody who works through the cards by key goes on from the next one.
    if (hadFocus) void this.updateComplete.then(() => this.cards?.updateComplete).then(() => this.cards?.step(1));
  }

  private async copy(text: string): Promise<void> {
    this.announcer.show((await copyText(text)) ? 'Copied. Say it, or paste it into your reply.' : 'The browser didn’t allow copying.');
    // A page that embeds the desktop puts the words straight into its own reply box.
    this.dispatchEvent(new CustomEvent('backchannel-insert', { detail: { text }, bubbles: true, composed: true }));
  }

  private mute(on: boolean): void {
    this.cards?.setMuted(on);
    this.announcer.show(on ? 'Cards are muted for this call.' : 'Cards are back.');
  }

  private open(citation: Citation): void {
    this.customerOpen = false;
    this.opener ??= deepActiveElement();
    this.passage = citation;
  }

  private closePassage(): void {
    this.passage = null;
    this.opener?.focus();
    this.opener = null;
  }

  private async reveal(turnId: string): Promise<void> {
    this.passage = null;
    this.customerOpen = false;
    this.opener = null;
    this.show('transcript');
    this.markedTurn = turnId;
    await this.updateComplete;
    this.transcript?.reveal(turnId);
    setTimeout(() => (this.markedTurn = null), 4_000);
  }

  private cardsEntered(cards: CardView[]): void {
    const newest = cards[0];
    if (!newest) return;
    this.announcer.announce(`New card: ${newest.text}`);
    if (this.tab !== 'cards') this.news = true;
  }

  private show(tab: Tab): void {
    this.tab = tab;
    if (tab === 'cards') this.news = false;
  }

  private choose(event: CustomEvent<string>): void {
    this.passage = null;
    this.customerOpen = false;
    this.opener = null;
    this.answersOpen = true;
    this.session.select(event.detail);
  }

  private ask(event: CustomEvent<Question>): void {
    this.answersOpen = true;
    void this.session.ask(event.detail);
  }

  private readonly speak = (): void => this.session.speak();
  private readonly hush = (): void => this.session.hush();
}
