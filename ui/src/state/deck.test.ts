import { expect, test } from 'vitest';
import type { CardView } from './conversation.ts';
import { dealt, emptyDeck, held, muted, released } from './deck.ts';

const card = (id: string, change: Partial<CardView> = {}): CardView => ({
  card_id: id, kind: 'answer', title: id, text: id, citations: [], why: [], verdict: null, voice: null, withdrawn: null, ...change,
});
const cards = (...ids: string[]) => ids.map((id) => card(id));
const dismissed = (id: string) => card(id, { verdict: { verdict: 'dismissed', text: null } });

test('the newest stands in front and never more than three are visible', () => {
  const deck = dealt(emptyDeck, cards('a', 'b', 'c', 'd'));
  expect([deck.visible, deck.earlier]).toEqual([['d', 'c', 'b'], ['a']]);
});

test('a new card waits while the deck is held, and enters when it is let go', () => {
  const holding = dealt(held(dealt(emptyDeck, cards('a')), true), cards('a', 'b'));
  expect([holding.visible, holding.waiting]).toEqual([['a'], ['b']]);
  expect(held(holding, false).visible).toEqual(['b', 'a']);
});

test('several that waited enter in their order', () => {
  const holding = dealt(held(dealt(emptyDeck, cards('a')), true), cards('a', 'b', 'c'));
  expect(held(holding, false).visible).toEqual(['c', 'b', 'a']);
});

test('asking for the waiting cards lets them in though the pointer rests', () => {
  const holding = dealt(held(dealt(emptyDeck, cards('a')), true), cards('a', 'b'));
  expect(released(holding)).toMatchObject({ visible: ['b', 'a'], waiting: [], held: true });
});

test('dealing twice changes nothing', () => {
  const once = dealt(emptyDeck, cards('a', 'b'));
  expect(dealt(once, cards('a', 'b'))).toEqual(once);
});

test('a dismissed card goes at once, even under the pointer, and does not come back', () => {
  const deck = dealt(held(dealt(emptyDeck, cards('a', 'b')), true), [card('a'), dismissed('b')]);
  expect(deck.visible).toEqual(['a']);
  expect(dealt(emptyDeck, [card('a'), dismissed('b')]).visible).toEqual(['a']);
});

test('a withdrawn card stays under the pointer until it leaves', () => {
  const withdrawn = [card('a', { withdrawn: 'article retired' })];
  const holding = dealt(held(dealt(emptyDeck, cards('a')), true), withdrawn);
  expect(holding.visible).toEqual(['a']);
  expect(dealt(held(holding, false), withdrawn).visible).toEqual([]);
});

test('muted cards wait until they are wanted again', () => {
  const silent = dealt(muted(emptyDeck, true), cards('a', 'b'));
  expect([silent.visible, silent.waiting]).toEqual([[], ['a', 'b']]);
  expect(held(held(silent, true), false).visible).toEqual([]);
  expect(muted(silent, false).visible).toEqual(['b', 'a']);
});
