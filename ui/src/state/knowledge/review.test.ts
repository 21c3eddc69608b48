import { describe, expect, test } from 'vitest';
import type { ArticleDetail, ArticleLine } from '../../api/knowledge-types.ts';
import { actsOf, agoText, dayText, facts, nextAfter, queueOf, returnedFor, step, stepsToPublish } from './review.ts';

const NOW = Date.parse('2026-11-28T10:00:00Z');
const article = (changes: Partial<ArticleDetail> = {}): ArticleDetail => ({
  id: 'a', title: 'A', body: '', revision: 2, state: 'in_review', audience: ['agent'], products: [], language: 'en', valid_from: null, valid_until: null,
  review_by: null, source: null, verbatim: false, passages: [], author: 'Ravi', approver: null, action: 'submitted', by: 'Ravi',
  changed_at: '2026-11-25T10:00:00Z', comment: null, published_revision: null, newest_revision: 2, newest_state: 'in_review', provenance: [], ...changes,
});
const line = (id: string, changed_at: string) => ({ id, changed_at }) as ArticleLine;

test('what waits in review comes first, the longest waiting in front', () => {
  const queue = queueOf([line('b', '2026-11-02'), line('a', '2026-11-01')], [line('c', '2026-10-01')]);
  expect(queue.map((one) => one.id)).toEqual(['a', 'b', 'c']);
});

describe('what can be done', () => {
  test('depends on the state', () => {
    expect(stepsToPublish({ state: 'draft' })).toEqual(['submit', 'publish']);
    expect(stepsToPublish({ state: 'in_review' })).toEqual(['publish']);
    expect(stepsToPublish({ state: 'published' })).toEqual([]);
    expect(actsOf(article())).toEqual({ publish: true, approve: true, return: true, retire: true });
    expect(actsOf(article({ approver: 'Anna' }))).toMatchObject({ publish: true, approve: false });
    expect(actsOf(article({ state: 'draft' }))).toEqual({ publish: true, approve: false, return: false, retire: true });
    expect(actsOf(article({ state: 'published' }))).toEqual({ publish: false, approve: false, return: false, retire: true });
    expect(actsOf(article({ state: 'retired' }))).toEqual({ publish: false, approve: false, return: false, retire: false });
  });

  test('is nothing to an older revision', () => {
    expect(Object.values(actsOf(article({ newest_revision: 3 })))).toEqual([false, false, false, false]);
  });
});

test('the queue goes on where one was', () => {
  expect([nextAfter(['a', 'b', 'c'], 'b'), nextAfter(['a', 'b', 'c'], 'c'), nextAfter(['a'], 'a'), nextAfter([], 'a')]).toEqual(['c', 'b', '', '']);
  const ids = ['a', 'b', 'c'];
  expect([step(ids, 'a', 1), step(ids, 'c', 1), step(ids, 'a', -1), step(ids, '', 1), step(ids, '', -1), step([], '', 1)]).toEqual(['b', 'c', 'a', 'a', 'c', '']);
});

test('the facts say what it is, whether it is new, and who wrote it when', () => {
  expect(facts(article(), NOW)).toEqual(['in review', 'new article', 'Ravi, 3 days ago']);
  const origin = (conversation_id: string) => ({ sentence: 's', conversation_id, turns: [] });
  const change = article({ published_revision: 1, approver: 'Anna', provenance: [origin('c-1'), origin('c-2'), origin('c-1')], valid_until: '2026-12-31', verbatim: true });
  expect(facts(change, NOW)).toEqual(['in review from 2 calls', 'changes what is published', 'approved by Anna', 'Ravi, 3 days ago', 'word for word', 'holds until 31 Dec 2026']);
  expect(facts(article({ state: 'published', published_revision: 2 }), NOW)[1]).toBe('revision 2');
});

test('a reason counts until something else was done', () => {
  const history = (...actions: string[]) => actions.map((action, at) => ({ revision: at + 1, state: 'draft' as const, action, title: '', author: '', by: 'Anna', approver: null, at: '', comment: action }));
  expect(returnedFor(history('drafted', 'submitted', 'returned'))?.comment).toBe('returned');
  expect(returnedFor(history('drafted', 'submitted', 'returned', 'drafted'))).toBeUndefined();
  expect(returnedFor([])).toBeUndefined();
});

test('days read as people say them', () => {
  const days = (count: number) => agoText(new Date(NOW - count * 86_400_000).toISOString(), NOW);
  expect([days(0), days(1), days(12), days(90), agoText('never', NOW)]).toEqual(['today', 'yesterday', '12 days ago', '3 months ago', '']);
  // A browser whose clock is behind must not speak of the future.
  expect(days(-1)).toBe('today');
  expect([dayText('2026-06-01'), dayText('someday')]).toEqual(['1 Jun 2026', 'someday']);
});
