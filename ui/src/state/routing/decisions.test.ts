import { expect, test } from 'vitest';
import type { RouteAssigned, RouteCandidate, RouteRecommended } from '../../api/routing-types.ts';
import { alikeText, folded, marginText, merged, ROWS_MAX, rowOf, scored, wantedConversation, withAssignment, withConversation } from './decisions.ts';

const candidate = (agent: string, score: number, terms: Record<string, number>): RouteCandidate => ({
  agent, score, terms: Object.entries(terms).map(([name, value]) => ({ name, value, why: `why ${name}` })),
});
const decision = (id: string, changes: Partial<RouteRecommended> = {}): RouteRecommended => ({
  decision_id: id, work_item_id: `i-${id}`, queue: 'Billing', mode: 'active', policy: 'context', epoch: 1, reason: '', chosen: null, runner_up: null, at_ms: Number(id), ...changes,
});
const assigned = (changes: Partial<RouteAssigned>): RouteAssigned => ({
  work_item_id: 'i-2', queue: 'Billing', agent: 'Emma', mode: 'active', policy: 'context', epoch: 1, reason: '', waited_ms: 1, at_ms: 5, ...changes,
});

test('the newest first, each once, and what is known stays', () => {
  const rows = merged([rowOf(decision('1'), 'c-1')], [rowOf(decision('3')), rowOf(decision('1')), rowOf(decision('2', { conversation_id: 'c-2' }))]);
  expect(rows.map((row) => [row.decision.decision_id, row.conversation])).toEqual([['3', undefined], ['2', 'c-2'], ['1', 'c-1']]);
  expect(merged([], Array.from({ length: 300 }, (_, at) => rowOf(decision(String(at)))))).toHaveLength(ROWS_MAX);
  expect(withConversation(rows, 'i-3', null)[0]?.conversation).toBeNull();
  expect(withConversation(rows, 'i-1', 'c-9')[2]?.conversation).toBe('c-1');
});

test('an assignment marks its decision, by hand the last one of the item', () => {
  const rows = merged([], [rowOf(decision('3', { work_item_id: 'i-2' })), rowOf(decision('2'))]);
  expect(withAssignment(rows, assigned({ decision_id: '2' })).map((row) => row.assigned?.agent)).toEqual([undefined, 'Emma']);
  expect(withAssignment(rows, assigned({})).map((row) => row.assigned?.agent)).toEqual(['Emma', undefined]);
  expect(withAssignment(rows, assigned({ decision_id: '9' }))).toBe(rows);
});

test('decisions that say the same in a row are folded, and each item is named', () => {
  const nobody = { reason: 'nobody who may take it is free' };
  const emma = { chosen: candidate('Emma', 0.4, {}) };
  const rows = [
    rowOf(decision('9', nobody)), rowOf(decision('8', nobody)), rowOf(decision('7', nobody)), rowOf(decision('6', emma)), rowOf(decision('5', { ...nobody, queue: 'Moves' })),
    rowOf(decision('4', nobody)), { ...rowOf(decision('3', nobody)), assigned: assigned({}) },
  ];
  const folds = folded(rows);
  expect(folds.map(({ first, alike }) => [first.decision.decision_id, ...alike.map((row) => row.decision.decision_id)])).toEqual([['9', '8', '7'], ['6'], ['5'], ['4'], ['3']]);
  expect(folded([])).toEqual([]);
  expect(alikeText(folds[0]!.alike)).toBe('2 more alike: i-8 and i-7');
  const many = Array.from({ length: 8 }, (_, at) => rowOf(decision(String(at), nobody)));
  expect(alikeText(many)).toBe('8 more alike: i-0, i-1, i-2, i-3, i-4, i-5 and 2 others');
});

test('an address of the desktop is a conversation, too', () => {
  expect([wantedConversation(' c-1 '), wantedConversation('http://127.0.0.1/desktop#c%2D9'), wantedConversation('')]).toEqual(['c-1', 'c-9', '']);
});

test('terms that are the same for all are told apart from what decided', () => {
  const whole = decision('1', {
    chosen: candidate('Emma', 0.4, { value: 2, service_rate_per_min: 0.2, skill_distance: 0 }),
    runner_up: candidate('Bo', 0.2, { value: 2, service_rate_per_min: 0.1, skill_distance: 1, declined: 1 }), others: [candidate('Cy', 0.1, { value: 2, service_rate_per_min: 0 })],
  });
  const { rows, terms, same } = scored(whole);
  expect([terms, same.map((cell) => cell.name)]).toEqual([['service_rate_per_min', 'skill_distance', 'declined'], ['value']]);
  expect(rows.map((row) => [row.agent, row.share])).toEqual([['Emma', 1], ['Bo', 0.5], ['Cy', 0.25]]);
  const share = (row: number, name: string) => rows[row]?.cells.get(name)?.share;
  // The nearest has the whole bar; nobody's bar is longer than the best one's.
  expect([share(0, 'service_rate_per_min'), share(1, 'service_rate_per_min'), share(2, 'service_rate_per_min'), share(0, 'skill_distance'), share(1, 'skill_distance')]).toEqual([1, 0.5, 0, 1, 0.5]);
  expect(scored(decision('1', { chosen: candidate('Emma', -2, { skill_distance: 2 }), runner_up: candidate('Bo', -3, { skill_distance: 3 }) })).rows.map((row) => row.share)).toEqual([null, null]);
  expect(scored(decision('1'))).toEqual({ rows: [], terms: [], same: [] });
  // Of one alone, everything is shown.
  expect(scored(decision('1', { chosen: candidate('Emma', 1, { value: 1 }) })).terms).toEqual(['value']);
});

test('how clear it was', () => {
  const of = (ours: number, theirs: number) => marginText(decision('1', { chosen: candidate('Emma', ours, {}), runner_up: candidate('Bo', theirs, {}) }));
  expect([of(1.5, 1), of(1.02, 1), of(1, 1), of(0.5, 1), of(50, 1), of(-1, -2), marginText(decision('1'))])
    .toEqual(['1.5 times the score of Bo', '1.02 times the score of Bo', 'level with Bo', 'Bo scored more, but was worth more elsewhere', 'far before Bo', 'before Bo', '']);
});
