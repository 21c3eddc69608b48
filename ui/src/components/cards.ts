import { LitElement, css, html, type PropertyValues } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import type { CardView, ConversationView } from '../state/conversation.ts';
import { type Deck, dealt, emptyDeck, held, muted, released } from '../state/deck.ts';
import './card.ts';
import type { Card } from './card.ts';
import { shared } from './shared-styles.ts';

/**
 * The column of cards. It alone decides when a new card may enter: never under the agent's pointer or focus.
 * Fires `cards-entered` with the cards that have just come into view, `cards-waiting` when some must wait.
 */
@customElement('bc-cards')
export class Cards extends LitElement {
  @property({ attribute: false }) view: ConversationView | undefined;
  @state() private deck: Deck = emptyDeck;
  @state() private showEarlier = false;
  // Held by either; kept apart, since one can end while the other lasts.
  private pointerInside = false;
  private focusInside = false;
  /** Cards that have been in view: entering again, as from mute, is no news. */
  private announced = new Set<string>();

  static override styles = [
    shared,
    css`
      .column {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: var(--s1);
        padding: var(--s1);
      }
      bc-card[front] {
        margin-bottom: var(--s2);
      }
      bc-card {
        animation: enter var(--fade) ease-out;
      }
      @keyframes enter {
        from {
          opacity: 0;
        }
      }
      .earlier {
        justify-self: start;
      }
      /* Hangs over the front card's upper edge and takes no room: its coming and going must not move the card. */
      .notice {
        position: sticky;
        top: 0;
        z-index: 1;
        height: 0;
        margin-bottom: calc(-1 * var(--s1));
        justify-self: end;
      }
      .waiting {
        position: relative;
        top: calc(-1 * var(--s3));
        right: var(--s3);
        border-radius: var(--s5);
        background: var(--surface-raised);
        border-color: var(--accent);
        color: var(--accent);
        font-weight: var(--weight-medium);
      }
      .empty {
        max-width: 44ch;
        padding: var(--s4) var(--s1);
        color: var(--ink-2);
      }
    `,
  ];

  get muted(): boolean {
    return this.deck.muted;
  }

  setMuted(on: boolean): void {
    try {
      if (this.view) sessionStorage.setItem(`backchannel.muted.${this.view.id}`, on ? 'yes' : 'no');
    } catch {
      // In a frame that may keep nothing it holds until the next load.
    }
    this.move(muted(this.deck, on));
  }

  /** The card behind a number key. */
  cardAt(index: number): Card | undefined {
    return this.elements()[index];
  }

  /** The focused card, or else the one in front: what `e` and `x` are about. */
  current(): Card | undefined {
    return this.elements().find((card) => card.matches(':focus-within')) ?? this.elements()[0];
  }

  step(by: 1 | -1): void {
    const cards = this.elements();
    const at = cards.findIndex((card) => card.matches(':focus-within'));
    // Going up from the first card asks for what waits above it.
    if (at === 0 && by === -1 && this.deck.waiting.length > 0 && !this.deck.muted) return void this.letIn();
    cards[at < 0 ? 0 : Math.max(0, Math.min(cards.length - 1, at + by))]?.focus();
  }

  /** Takes the focus off the cards, so that waiting ones may enter. */
  release(): boolean {
    const inside = this.shadowRoot?.activeElement?.shadowRoot?.activeElement;
    if (!(inside instanceof HTMLElement)) return false;
    inside.blur();
    return true;
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('view')) return;
    const before = changed.get('view');
    if (before?.id !== this.view?.id) {
      this.deck = { ...emptyDeck, muted: this.keptMute() };
      this.showEarlier = false;
      // What had been offered before this page looked is shown, but it isn't news.
      this.announced = new Set(this.view?.cards.map((card) => card.card_id));
    }
    if (this.view) this.move(dealt(this.deck, this.view.cards));
  }

  // A card that is taken away while it has the focus tells nobody; without this look the column would stay held for ever.
  override updated(): void {
    this.focusInside = this.shadowRoot?.activeElement?.localName === 'bc-card';
    this.hold();
  }

  override render() {
    const view = this.view;
    if (!view) return '';
    const { visible, waiting, earlier } = this.deck;
    const rest = this.showEarlier ? earlier : [];
    return html`<div class="column" @pointerover=${this.pointerOver} @pointerleave=${this.pointerLeft} @focusin=${this.focusCame} @focusout=${this.focusLeft}>
      <div class="notice">${this.notice(waiting.length)}</div>
      ${visible.length === 0 ? this.empty(view) : ''}
      ${repeat([...visible, ...rest], (id) => id, (id, index) => this.card(id, index))}
      ${earlier.length > 0
        ? html`<button type="button" class="button plain earlier numbers" aria-expanded=${this.showEarlier} @click=${() => (this.showEarlier = !this.showEarlier)}>
            ${this.showEarlier ? 'Hide earlier cards' : `${earlier.length} earlier`}
          </button>`
        : ''}
    </div>`;
  }

  private card(id: string, index: number) {
    const card = this.view?.cards.find((c) => c.card_id === id);
    const shown = index < this.deck.visible.length;
    return card ? html`<bc-card .card=${card} .held=${this.deck.held} .number=${shown ? index + 1 : 0} ?front=${index === 0 && shown}></bc-card>` : '';
  }

  private notice(waiting: number) {
    if (this.deck.muted) {
      return html`<button type="button" class="button waiting numbers" @click=${() => this.dispatchEvent(new CustomEvent('unmute', { bubbles: true, composed: true }))}>
        <kbd>m</kbd> Cards are muted${waiting > 0 ? ` · ${waiting} came in` : ''}
      </button>`;
    }
    if (waiting === 0) return '';
    return html`<button type="button" class="button waiting numbers" @click=${this.letIn}>${waiting} new ${waiting === 1 ? 'card' : 'cards'}</button>`;
  }

  private empty(view: ConversationView) {
    if (view.cards.length > 0) return html`<p class="empty">No card is open.</p>`;
    const words = view.state === 'live'
      ? 'When the customer asks something that the knowledge base answers, the answer appears here with its source.'
      : 'No card was offered on this call.';
    return html`<p class="empty">${words}</p>`;
  }

  private async letIn(): Promise<void> {
    this.move(released(this.deck));
    await this.updateComplete;
    this.elements()[0]?.focus();
  }

  private move(deck: Deck): void {
    this.deck = deck;
    const byId = new Map(this.view?.cards.map((card) => [card.card_id, card]));
    const entered = deck.visible.filter((id) => !this.announced.has(id)).map((id) => byId.get(id)!);
    entered.forEach((card) => this.announced.add(card.card_id));
    if (entered.length > 0) this.dispatchEvent(new CustomEvent<CardView[]>('cards-entered', { detail: entered, bubbles: true, composed: true }));
  }

  private pointerOver(event: PointerEvent): void {
    // A finger leaves no pointer behind; only a mouse or a pen rests on a card.
    if (event.pointerType === 'touch') return;
    this.pointerInside = event.composedPath().some((node) => node instanceof HTMLElement && node.localName === 'bc-card');
    this.hold();
  }

  private pointerLeft(): void {
    this.pointerInside = false;
    this.hold();
  }

  private focusCame(event: FocusEvent): void {
    this.focusInside = event.composedPath().some((node) => node instanceof HTMLElement && node.localName === 'bc-card');
    this.hold();
  }

  private focusLeft(event: FocusEvent): void {
    // Focus moves from card to card, or away; between the two nothing may enter.
    this.focusInside = event.relatedTarget instanceof Node && this.renderRoot.contains(event.relatedTarget);
    this.hold();
  }

  private hold(): void {
    const before = this.deck.held;
    // A card that is being written in stays, wherever the focus is: pushed out, it would lose the agent's words.
    const next = this.pointerInside || this.focusInside || [...this.renderRoot.querySelectorAll<Card>('bc-card')].some((card) => card.editing);
    if (before === next) return;
    this.move(held(this.deck, next));
    // A withdrawn card stayed while it was being read; it leaves now.
    if (!next && this.view) this.move(dealt(this.deck, this.view.cards));
  }

  private elements(): Card[] {
    return [...this.renderRoot.querySelectorAll<Card>('bc-card')].slice(0, this.deck.visible.length);
  }

  private keptMute(): boolean {
    try {
      return this.view !== undefined && sessionStorage.getItem(`backchannel.muted.${this.view.id}`) === 'yes';
    } catch {
      return false;
    }
  }
}
