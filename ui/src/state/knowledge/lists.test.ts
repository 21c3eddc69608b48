import { describe, expect, test } from 'vitest';
import type { ArticleHit, ArticleLine, DayUse, KnowledgeGap } from '../../api/knowledge-types.ts';
import { closingText, gapFacts, handlingText, reasonTexts } from './gaps.ts';
import { knowledgeAction, knowledgeKeys } from './keys.ts';
import { hashOf, placeOf } from './place.ts';
import { allRows, emptyText, gapRows, hitRows, queueRows } from './rows.ts';
import { dayAfter, staleOf } from './stale.ts';
import { heights, sums, weeksOf } from './use.ts';

const TODAY = '2026-11-28';
const NOW = Date.parse('2026-11-28T10:00:00Z');
const line = (id: string, changes: Partial<ArticleLine> = {}): ArticleLine => ({
  id, title: id, state: 'published', revision: 1, published_revision: 1, products: [], audience: [], language: 'en', review_by: null, valid_until: null, author: 'Ravi', approver: null,
  changed_at: '2026-11-27T09:00:00Z', ...changes,
});

describe('stale articles', () => {
  test('are due, over, or end soon; the longest overdue first', () => {
    const lines = [
      line('due', { review_by: '2026-11-28' }), line('later', { review_by: '2026-11-29' }), line('ends', { valid_until: '2026-12-20' }),
      line('over', { valid_until: '2026-11-01', review_by: '2026-11-15' }), line('holds', { valid_until: '2027-12-31' }), line('none'),
    ];
    expect(staleOf(lines, TODAY).map(({ line: { id }, why }) => [id, why])).toEqual([
      ['over', 'has not held since 1 Nov 2026'], ['due', 'review was due 28 Nov 2026'], ['ends', 'holds until 20 Dec 2026'],
    ]);
  });

  test('are published, and not retired', () => {
    const due = { review_by: '2026-01-01' };
    expect(staleOf([line('draft', { ...due, published_revision: null }), line('gone', { ...due, state: 'retired' })], TODAY)).toEqual([]);
    expect([dayAfter('2026-02-27', 2), dayAfter('2026-11-28', -28)]).toEqual(['2026-03-01', '2026-10-31']);
  });
});

describe('use', () => {
  const day = (at: string, offered: number, accepted = 0, edited = 0, dismissed = 0): DayUse => ({ day: at, offered, accepted, edited, dismissed });
  test('is counted by weeks that begin on Monday', () => {
    const weeks = weeksOf({ days: [day('2020-01-01', 99), day('2026-11-22', 1), day('2026-11-23', 2, 1, 1), day('2026-11-28', 4, 0, 0, 3)] }, TODAY);
    expect(weeks).toHaveLength(12);
    expect(weeks.slice(-2)).toEqual([
      { from: '2026-11-16', offered: 1, used: 0, dismissed: 0 }, { from: '2026-11-23', offered: 6, used: 2, dismissed: 3 },
    ]);
    expect(sums(weeks)).toEqual({ offered: 7, used: 2, dismissed: 3 });
  });

  test('is drawn against the highest week, and an unused article against nothing', () => {
    const weeks = weeksOf({ days: [day('2026-11-17', 2), day('2026-11-25', 4, 1)] }, TODAY);
    expect(heights(weeks, 'offered').slice(-2)).toEqual([0.5, 1]);
    expect(heights(weeks, 'used').at(-1)).toBe(0.25);
    expect(heights(weeksOf({ days: [] }, TODAY), 'offered')).toEqual(Array(12).fill(0));
  });
});

test('a place survives its address', () => {
  for (const place of [
    { tab: 'review', id: 'billing/refunds & more', query: '' }, { tab: 'search', id: 'billing/refunds', query: 'how long? #1' }, { tab: 'gaps', id: '', query: '' },
  ] as const) expect(placeOf(hashOf(place))).toEqual(place);
  expect(placeOf('')).toEqual({ tab: 'review', id: '', query: '' });
  expect(placeOf('#nowhere/x')).toEqual({ tab: 'review', id: '', query: '' });
  expect(placeOf('#stale/50%')).toEqual({ tab: 'stale', id: '50%', query: '' });
});

test('keys act only when nobody types, and none but moving repeats', () => {
  const press = (key: string, more = {}) => ({ key, ctrlKey: false, metaKey: false, altKey: false, repeat: false, ...more });
  expect(['a', 'r', 'e', 'm', '/', '?', '2'].map((key) => knowledgeAction(press(key), false))).toEqual(['approve', 'return', 'edit', 'merge', 'search', 'help', 'tab2']);
  expect([knowledgeAction(press('a'), true), knowledgeAction(press('Escape'), true), knowledgeAction(press('a', { ctrlKey: true }), false)]).toEqual([undefined, 'close', undefined]);
  expect([knowledgeAction(press('a', { repeat: true }), false), knowledgeAction(press('j', { repeat: true }), false)]).toEqual([undefined, 'next']);
  for (const key of ['j', 'k', 'a', 'r', 'e', 'm', 't', 'c', '/', '?']) expect(knowledgeKeys.some((one) => one.keys.includes(key)), key).toBe(true);
});

test('rows say where each thing stands', () => {
  const queue = [line('a', { state: 'in_review', published_revision: null, conflict_count: 1 }), line('b', { state: 'in_review' }), line('c', { state: 'draft' })];
  expect(queueRows(queue, new Set(['b']), NOW)).toEqual([
    { id: 'a', title: 'a', note: 'new · Ravi, yesterday', heading: 'In review', warns: true },
    { id: 'b', title: 'b', note: 'change · Ravi, yesterday · not saved', warns: false },
    { id: 'c', title: 'c', note: 'change · Ravi, yesterday', heading: 'Drafts', warns: false },
  ]);
  const hit = (article_id: string, heading: string, why: string[]) => ({ article_id, title: 'Refunds', heading, why }) as ArticleHit;
  expect(hitRows([hit('r', 'How long', ['a', 'b']), hit('r', 'Other', ['c']), hit('s', 'Refunds', ['d'])]).map((row) => row.note)).toEqual(['How long. Found by a; b', 'Found by d']);
  expect([emptyText('gaps', ''), emptyText('search', ''), emptyText('search', 'x')].every((text, at, all) => text !== '' && all.indexOf(text) === at)).toBe(true);
});

test('a gap says what it costs and whether it closed', () => {
  const gap = (changes: Partial<KnowledgeGap>): KnowledgeGap => ({
    id: 'g', question: 'q', context: null, count: 14, conversations: 12, handling_ms: { mean: null, total: 0 }, first_seen: '2026-11-01T08:00:00Z',
    last_seen: '2026-11-28T08:00:00Z', reasons: { abstained: 9, dismissed: 0, asked: 2, searched: 0 }, samples: [], nearest: null,
    state: 'open', article_id: null, published_at: null, asked_since_publication: null, answered_since: null, ...changes,
  });
  expect(gapFacts(gap({ handling_ms: { mean: 560_000, total: 6_720_000 } }), NOW)).toEqual(['14 times in 12 calls', '1 h 52 min of calls', 'last today']);
  expect(gapRows([gap({ count: 1, conversations: 1 })], NOW)[0]?.note).toBe('once in one call · last today');
  expect(reasonTexts(gap({}))).toEqual(['9 got no card', '2 asked by agents, without an answer']);
  expect([handlingText(0), handlingText(59 * 60_000), handlingText(60 * 60_000)]).toEqual(['1 min', '59 min', '1 h 0 min']);
  expect(closingText(gap({}))).toBe('');
  const since = (state: string, asked_since_publication: number, answered_since: number) => closingText(gap({ state, asked_since_publication, answered_since }));
  expect(since('open', 3, 1)).toBe('Published, and still open: of 3 questions since, 1 got an answer.');
  expect(since('open', 0, 0)).toContain('isn’t found');
  expect(since('closed', 1, 1)).toBe('Closed: an article answers it, and of one question since, 1 got an answer.');
  expect(since('closed', 0, 0)).toContain('nobody has asked since');
});

describe('what is published', () => {
  test('is listed by name, and says when there is more', () => {
    const items = [line('billing/fees', { title: 'Late fees' }), line('wifi/slow')];
    expect(allRows({ items, next: null })).toEqual([
      { id: 'billing/fees', title: 'Late fees', note: 'billing/fees', heading: '2 published articles' },
      { id: 'wifi/slow', title: 'wifi/slow', note: 'wifi/slow' },
    ]);
    expect(allRows({ items, next: 'x' })[0]?.heading).toBe('The first 2 by name; search finds the others');
    expect(allRows({ items: items.slice(1), next: null })[0]?.heading).toBe('One published article');
  });
});
