// Which cards stand on the screen. Separate from the conversation: the log says what was offered, the deck what is shown now.
import type { CardView } from './conversation.ts';

/** More than three can't be taken in while talking. */
export const MOST_VISIBLE = 3;

export interface Deck {
  /** Newest first; the first is the large one. */
  visible: string[];
  /** Offered while the deck was held or muted, oldest first. */
  waiting: string[];
  /** Pushed out by newer ones, newest first. */
  earlier: string[];
  /** Pointer or focus is on a card: nothing may move under it. */
  held: boolean;
  muted: boolean;
}

export const emptyDeck: Deck = { visible: [], waiting: [], earlier: [], held: false, muted: false };

/** Brings the deck in line with the conversation's cards: new offers enter or wait, dismissed and withdrawn ones leave. */
export function dealt(deck: Deck, cards: CardView[]): Deck {
  const known = new Set([...deck.visible, ...deck.waiting, ...deck.earlier]);
  const gone = new Set(cards.filter(isGone).map((card) => card.card_id));
  const fresh = cards.filter((card) => !known.has(card.card_id) && !gone.has(card.card_id)).map((card) => card.card_id);
  // A withdrawn card under the pointer stays, marked, until the pointer leaves; a dismissed one goes at once.
  const leaves = (id: string) => gone.has(id) && !(deck.held && isWithdrawnOnly(cards, id));
  const next: Deck = {
    ...deck,
    visible: deck.visible.filter((id) => !leaves(id)),
    waiting: [...deck.waiting, ...fresh].filter((id) => !gone.has(id)),
    earlier: deck.earlier.filter((id) => !gone.has(id)),
  };
  return deck.held || deck.muted ? next : released(next);
}

/** The pointer or the focus came onto a card, or left the last one. */
export function held(deck: Deck, on: boolean): Deck {
  if (deck.held === on) return deck;
  const next = { ...deck, held: on };
  return on || deck.muted ? next : released(next);
}

/** For this call the agent wants no cards; they are kept, in case that changes. */
export function muted(deck: Deck, on: boolean): Deck {
  const next = { ...deck, muted: on };
  return on || deck.held ? next : released(next);
}

/** The agent asks for the waiting cards: they enter although the pointer still rests here. */
export function released(deck: Deck): Deck {
  const order = [...deck.waiting].reverse().concat(deck.visible);
  return { ...deck, waiting: [], visible: order.slice(0, MOST_VISIBLE), earlier: [...order.slice(MOST_VISIBLE), ...deck.earlier] };
}

/** A dismissed card is out of the way for good, also after a reload. */
function isGone(card: CardView): boolean {
  return card.withdrawn !== null || card.verdict?.verdict === 'dismissed';
}

function isWithdrawnOnly(cards: CardView[], id: string): boolean {
  const card = cards.find((c) => c.card_id === id);
  return card !== undefined && card.verdict?.verdict !== 'dismissed';
}
