import { LitElement, html, type PropertyValues } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { Citation, SpokenCard } from '../api/types.ts';
import { type CardView, wordsOf } from '../state/conversation.ts';
import { monthText } from '../state/text.ts';
import { cardStyles } from './card-styles.ts';
import { checkIcon, chevronIcon } from './icons.ts';
import './proven.ts';
import { shared } from './shared-styles.ts';

/**
 * One card: the answer, where it comes from, what can be done with it. Folded to a line when a newer one is in front.
 * Fires `card-insert`, `card-edited`, `card-dismiss`, `open-passage` and `reveal-turn`.
 */
@customElement('bc-card')
export class Card extends LitElement {
  @property({ attribute: false }) card: CardView | undefined;
  /** Its number key; 0 for cards that have been pushed out. */
  @property({ type: Number }) number = 0;
  @property({ type: Boolean, reflect: true }) front = false;
  @property({ type: Boolean, reflect: true }) unfolded = false;
  /** Pointer or focus is on a card: a voice that comes now waits. */
  @property({ type: Boolean }) held = false;
  @state() private voice: SpokenCard | null = null;
  /** What the editor began with. The area's own words are nobody else's business: whatever comes meanwhile leaves them alone. */
  @state() private edited: string | null = null;
  @state() private why = false;
  @query('.line, .answer, .spoken') private handle!: HTMLElement | null;
  @query('textarea') private area!: HTMLTextAreaElement | null;

  static override styles = [shared, cardStyles];

  /** The text that inserting uses: the agent's own words where there are some. */
  get words(): string {
    return this.card ? wordsOf({ ...this.card, voice: this.voice }) : '';
  }

  get editing(): boolean {
    return this.edited !== null;
  }

  override willUpdate(changed: PropertyValues<this>): void {
    const before = changed.get('card');
    const isNew = changed.has('card') && before?.card_id !== this.card?.card_id;
    // Nothing that the agent is reading changes under the eyes.
    if (isNew || !this.held) this.voice = this.card?.voice ?? null;
  }

  override focus(): void {
    this.handle?.focus();
  }

  async edit(): Promise<void> {
    this.edited ??= this.words;
    await this.updateComplete;
    this.area?.focus();
    this.area?.setSelectionRange(this.area.value.length, this.area.value.length);
  }

  override render() {
    const card = this.card;
    if (!card) return '';
    const open = this.front || this.unfolded || this.editing;
    return html`<article aria-label=${card.title} class=${open ? 'open' : 'folded'} data-card=${card.card_id}>
      ${this.front ? '' : this.line(card)}
      ${open ? this.body(card) : ''}
    </article>`;
  }

  private line(card: CardView) {
    return html`<button type="button" class="line" aria-expanded=${this.unfolded} @click=${() => (this.unfolded = !this.unfolded)}>
      <span class="chevron">${chevronIcon}</span>
      ${this.number > 0 ? html`<kbd>${this.number}</kbd>` : ''}
      <span class="line-title">${card.title}</span>
      ${this.used(card)}
    </button>`;
  }

  private body(card: CardView) {
    const source = [card.article_title, card.heading].filter(Boolean).join(' › ') || card.title;
    const date = monthText(card.valid_from);
    const citation = card.citations[0];
    return html`
      ${card.withdrawn !== null ? html`<p class="withdrawn" role="note">Withdrawn: ${card.withdrawn}. Don’t use it.</p>` : ''}
      ${this.edited !== null
        ? this.editor(card, this.edited)
        : this.answer(card, citation)}
      <p class="source quiet">
        ${citation
          ? html`<button type="button" class="link" @click=${() => this.open(citation)}>${source}${date ? html`<span class="date numbers"> · ${date}</span>` : ''}</button>`
          : html`<span>${source}</span>`}
        ${card.citations.slice(1).map((more, i) => html`<button type="button" class="link" @click=${() => this.open(more)}>[${i + 2}]</button>`)}
        <button type="button" class="why-button" aria-expanded=${this.why} @click=${() => (this.why = !this.why)}>Why?</button>
      </p>
      ${this.editing ? '' : this.actions(card)}
      ${this.why ? this.reasons(card) : ''}
    `;
  }

  /** What the agent can say: own words, else spoken ones with the quotation below, else the quotation. */
  private answer(card: CardView, citation: Citation | undefined) {
    const quoted = (words: string, look: string) =>
      html`<button type="button" class=${look} title="Open the passage" ?disabled=${!citation} @click=${() => this.open(citation)}>${words}</button>`;
    if (!this.voice || card.verdict?.text) {
      return html`${quoted(this.words, 'answer')}${card.verbatim ? html`<p class="quiet">Word for word: say it as it stands.</p>` : ''}`;
    }
    return html`${this.voice.sentences.map((sentence) => html`<bc-proven class="spoken" .sentence=${sentence}></bc-proven>`)}
      ${quoted(`“${card.text}”`, 'quotation quiet')}`;
  }

  private actions(card: CardView) {
    // Without a focus, `e` and `x` are about the card in front: only there may they be promised.
    const hint = (key: string) => (this.front ? html`<kbd>${key}</kbd>` : '');
    return html`<div class="actions">
      <button type="button" class="button ${this.front ? 'primary' : ''}" ?disabled=${card.withdrawn !== null} @click=${() => this.fire('card-insert', this.words)}>
        ${this.number > 0 ? html`<kbd>${this.number}</kbd>` : ''} Insert
      </button>
      <button type="button" class="button" ?disabled=${card.withdrawn !== null} @click=${() => this.edit()}>${hint('e')} Edit</button>
      <button type="button" class="button" @click=${() => this.fire('card-dismiss')}>${hint('x')} Dismiss</button>
      <span class="space"></span>
      ${this.front ? this.used(card) : ''}
    </div>`;
  }

  private reasons(card: CardView) {
    return html`<div class="why">
      <ul>${card.why.map((reason) => html`<li>${reason}</li>`)}</ul>
      ${card.trigger_turn
        ? html`<button type="button" class="link" @click=${() => this.fire('reveal-turn', card.trigger_turn)}>Show what was said</button>`
        : ''}
    </div>`;
  }

  private editor(card: CardView, words: string) {
    return html`<form @submit=${this.save} @keydown=${this.editorKeys}>
      <textarea rows="4" aria-label="Your words for: ${card.title}" .value=${words}></textarea>
      <div class="actions">
        <button class="button primary">Save and insert</button>
        <button type="button" class="button" @click=${this.cancel}>Cancel</button>
        <span class="space"></span>
        <span class="quiet hint">Ctrl + Enter saves</span>
      </div>
    </form>`;
  }

  private used(card: CardView) {
    const words: Record<string, string> = { accepted: 'inserted', edited: 'inserted, edited' };
    const word = words[card.verdict?.verdict ?? ''];
    return word ? html`<span class="used quiet">${checkIcon} ${word}</span>` : '';
  }

  private editorKeys(event: KeyboardEvent): void {
    if (event.key === 'Escape') {
      event.stopPropagation();
      void this.cancel();
    } else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      void this.save(event);
    }
  }

  private async save(event: Event): Promise<void> {
    event.preventDefault();
    const text = this.area?.value.trim() ?? '';
    if (text === '') return;
    // Unchanged words are simply accepted.
    if (text === this.words) this.fire('card-insert', text);
    else this.fire('card-edited', text);
    await this.cancel();
  }

  private async cancel(): Promise<void> {
    this.edited = null;
    await this.updateComplete;
    this.focus();
  }

  private open(citation: Citation | undefined): void {
    if (citation) this.fire('open-passage', citation);
  }

  private fire(name: string, value: unknown = undefined): void {
    this.dispatchEvent(new CustomEvent(name, { detail: { card: this.card, value }, bubbles: true, composed: true }));
  }
}
