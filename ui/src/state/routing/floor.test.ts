import { expect, test } from 'vitest';
import type { AgentState, QueueState, RouteAssigned } from '../../api/routing-types.ts';
import { agentLines, agentsText, floorText, levelText, nextText, queueLines, roomText, sinceText, unnamedText, withAnswer } from './floor.ts';
import { floorAction } from './keys.ts';
import { factsOf, readPlan } from './plan.ts';
import { aboutText, actionName, ageText, featureName, featureText, figure, isForPeople, listed, methodName, sentenceOf, spanText, termText, termWhy, waitClock } from './words.ts';

const written = `
mode = "shadow"
[[skills]]
name = "refunds"
highest = 5
[[queues]]
name = "Billing"
target_s = 30.0
overflow.before = [
  { when = "out_of_hours", action = "voicemail" },
  { when = "item_limit", limit = 10, action = "queue", queue = "Billing 2" },
  { when = "next_year", action = "end" },
]
overflow.after = [{ wait_s = 120, action = "callback" }]
[[queues]]
name = "Billing 2"
[[agents]]
name = "Emma"
queues = ["Billing", "Billing 2"]
skills = { refunds = 4 }
[[agents]]
name = "Bo"
queues = ["Billing"]
`;

const queue = (changes: Partial<QueueState> = {}): QueueState => ({
  name: 'Billing', channel: 'voice', method: 'context', waiting: 3, longest_wait_ms: 20_000, serving: 1, free: 0, predicted_wait_ms: 45_000, ...changes,
});
const agent = (changes: Partial<AgentState> = {}): AgentState => ({
  name: 'Emma', presence: 'available', on_shift: true, capacity: [{ profile: 'calls', used: 0, limit: 1 }], ...changes,
});
const assigned = (changes: Partial<RouteAssigned> = {}): RouteAssigned => ({
  work_item_id: 'i-1', queue: 'Billing', agent: 'Emma', mode: 'active', policy: 'context', epoch: 1, reason: '', waited_ms: 12_000, at_ms: 1_000_000, ...changes,
});
const at = (seconds: number) => ({ readMs: 1_000_000, nowMs: 1_000_000 + seconds * 1_000, openedMs: 900_000 });

test('a plan is read in both forms, and what is newer than this page is left out', async () => {
  const plan = await readPlan({ text: written, isJson: false, epoch: 7 });
  expect([plan.mode, plan.epoch, plan.highest.get('refunds'), plan.queues.get('Billing 2')?.targetS]).toEqual(['shadow', 7, 5, 20]);
  expect(plan.queues.get('Billing')?.overflow.map((rule) => rule.when)).toEqual(['out_of_hours', 'item_limit', 'waited']);
  expect(plan.agents.get('Emma')).toEqual({ skills: [{ name: 'refunds', level: 4 }], queues: ['Billing', 'Billing 2'] });
  const json = await readPlan({ text: '{"mode":"active","queues":[{"name":"a"}]}', isJson: true, epoch: 1 });
  expect([json.mode, [...json.queues.keys()]]).toEqual(['active', ['a']]);
  expect(factsOf({ mode: 'later', queues: 3 } as never, 0)).toMatchObject({ mode: 'off', queues: new Map() });
  await expect(readPlan({ text: 'no plan', isJson: false, epoch: 1 })).rejects.toThrow();
});

test('who waits goes on waiting between two looks, and is late past the promise', async () => {
  const plan = await readPlan({ text: written, isJson: false, epoch: 1 });
  const line = (seconds: number, changes: Partial<QueueState> = {}) => queueLines([queue(changes)], plan, [], at(seconds))[0]!;
  expect([line(0).isLate, line(11).isLate, line(11).longestMs, line(11, { waiting: 0 }).longestMs]).toEqual([false, true, 31_000, 0]);
  expect([line(0).free, line(0).busy, line(0).away]).toEqual([0, 1, 1]);
  expect(line(0).overflow).toEqual([
    { text: 'Out of hours: to voicemail', isNow: false }, { text: '10 or more waiting: on to Billing 2', isNow: false }, { text: 'After 2 min: called back', isNow: false },
  ]);
  expect(line(101, { waiting: 10 }).overflow.map((one) => one.isNow)).toEqual([false, true, true]);
  // Without the plan nothing is promised, and so nothing is late.
  expect(queueLines([queue()], null, [], at(500))[0]).toMatchObject({ targetMs: null, isLate: false, away: null, level: null, overflow: [] });
  expect(floorText([line(0)])).toBe('3 wait, none longer than promised.');
  expect(floorText([line(60), { ...line(60, { waiting: 1, serving: 0 }), name: 'Moves' }])).toBe('4 wait, longer than promised in Billing and Moves. Nobody is there for Moves.');
  expect(floorText([line(60, { waiting: 0 })])).toBe('Nobody waits.');
});

test('beside somebody free no time is told, unless they may be on a conversation that names nobody', () => {
  const line = (changes: Partial<QueueState>) => queueLines([queue(changes)], null, [], at(0))[0]!;
  expect(nextText(line({}))).toBe('next: about 45 s');
  expect(nextText(line({ free: 2 }))).toBe('next: now, somebody is free');
  expect(nextText(line({ free: 1, unnamed: 1 }))).toBe('next: about 45 s');
  expect([nextText(line({ waiting: 0 })), nextText(line({ predicted_wait_ms: null }))]).toEqual(['', '']);
  expect(unnamedText(line({ free: 1 }))).toBe('');
  expect(unnamedText(line({ free: 1, unnamed: 1 }))).toBe('perhaps on a conversation that names nobody');
  expect(unnamedText(line({ free: 3, unnamed: 2 }))).toBe('2 of them perhaps on 2 conversations that name nobody');
  expect(unnamedText(line({ free: 2, unnamed: 1 }))).toBe('1 of them perhaps on a conversation that names nobody');
  expect(unnamedText(line({ free: 0, unnamed: 1 }))).toBe('and a conversation that names nobody');
});

test('answers are counted once an item, for half an hour, or as the service counts them', async () => {
  const plan = await readPlan({ text: written, isJson: false, epoch: 1 });
  let answered = withAnswer([], assigned());
  expect(withAnswer(answered, assigned({ waited_ms: 1 }))).toBe(answered);
  expect(withAnswer(answered, assigned({ work_item_id: 'i-2', mode: 'off' }))).toBe(answered);
  answered = withAnswer(answered, assigned({ work_item_id: 'i-2', waited_ms: 31_000, at_ms: 1_010_000 }));
  const level = (from = answered, changes: Partial<QueueState> = {}, seconds = 20) => queueLines([queue(changes)], plan, from, at(seconds))[0]!.level;
  expect(level()).toEqual({ inTime: 1, of: 2, sinceMs: 900_000, isOwn: true });
  expect([levelText(level()), levelText(level([])), levelText(null)]).toEqual(['50 %', 'none yet', 'not known']);
  const since = (changes: Partial<QueueState>, facts = plan as typeof plan | null) => sinceText(queueLines([queue(changes)], facts, answered, at(20)));
  expect(since({})).toMatch(/^In time: of those since \d\d:\d\d who were answered while this page was open; who gave up/);
  expect(since({ service_level: { in_time: 8, of: 10, since_ms: 5 } })).toMatch(/, with those who gave up\.$/);
  expect(since({}, null)).toContain('not known');
  expect(level(answered, {}, 1_805)?.of).toBe(1);
  expect(withAnswer(answered, assigned({ work_item_id: 'i-3', at_ms: 5_000_000 }))).toHaveLength(1);
  expect(level(answered, { service_level: { in_time: 8, of: 10, since_ms: 5 } })).toEqual({ inTime: 8, of: 10, sinceMs: 5, isOwn: false });
  const gone = [{ action: 'callback', to: null, why: 'it has waited for more than 120 s', count: 2 }];
  expect(queueLines([queue({ overflowed: gone })], plan, [], at(0))[0]!.overflowed).toEqual(['2 times called back: it has waited for more than 120 s']);
});

test('agents by presence and room, found by name, skill or queue', async () => {
  const plan = await readPlan({ text: written, isJson: false, epoch: 1 });
  const agents = [agent(), agent({ name: 'Bo', capacity: [{ profile: 'calls', used: 1, limit: 1 }] }), agent({ name: 'Ada', on_shift: false }), agent({ name: 'Cy', presence: 'away' })];
  expect(agentsText(agents)).toBe('1 with room, 1 busy, 2 away.');
  expect(agentLines(agents, plan, 'REFUNDS billing').map((one) => one.name)).toEqual(['Emma']);
  expect(agentLines(agents, plan, 'billing').map((one) => one.name)).toEqual(['Emma', 'Bo']);
  expect(agentLines(agents, plan, '')[0]).toMatchObject({ isFree: true, skills: [{ name: 'refunds', level: 4, highest: 5 }] });
  const both = (calls: number) => roomText(agent({ capacity: [{ profile: 'calls', used: calls, limit: 1 }, { profile: 'messages', used: 1, limit: 4 }] }));
  expect([both(0), both(1), roomText(agents[1]!), roomText(agent({ capacity: [] }))]).toEqual(['free', 'room for messages', '', 'free']);
  expect(agentLines(agents, null, '')[0]).toMatchObject({ skills: [], queues: [] });
});

test('plain words, and the key map', () => {
  expect([spanText(45_400), spanText(120_000), spanText(250_000), spanText(7_500_000), waitClock(94_900)]).toEqual(['45 s', '2 min', '4 min 10 s', '2 h 5 min', '1:34']);
  expect([ageText(5_000), ageText(600_000), ageText(7_200_000), ageText(864_000_000)]).toEqual(['just then', '10 min before', '2 h before', '10 days before']);
  expect([termText('resolves', 0.78), termText('service_rate_per_min', 0.2), termText('service_rate_per_min', 0), termText('idle_s', 75), termText('value', 2.5), termText('x', NaN)])
    .toEqual(['78 %', '5 min each', 'none', '1 min 15 s', '2.5', '–']);
  expect([-0.7, -0.3, -0.1, 0.05, 0.226, 0.31, 0.6].map((score) => featureText('sentiment', score))).toEqual([
    'very negative', 'negative', 'slightly negative', 'neutral', 'slightly positive', 'positive', 'very positive',
  ]);
  expect([featureName('attribute.order_number'), isForPeople('attribute.call_sid'), isForPeople('attribute.order_number'), isForPeople('intent')]).toEqual(['Order number', false, true, true]);
  expect([featureText('intent', 'card_lost'), featureText('open_case', true), featureText('promise_due_in_s', -120), featureText('handling_s', 240), featureText('account_value', 1234.5)])
    .toEqual(['card lost', 'yes', '2 min ago', '4 min', '1230']);
  expect([figure(0.123456), figure(3), listed(['a', 'b', 'c']), methodName('new_method'), actionName('fax', ''), aboutText(40_400), aboutText(130_000), sentenceOf('if so'), termWhy('value', 'w')]).toEqual(['0.123', '3', 'a, b and c', 'new method', 'fax', '40 s', '2 min', 'If so.', 'w']);
  const press = (key: string, more = {}) => ({ key, ctrlKey: false, metaKey: false, altKey: false, repeat: false, ...more });
  expect([floorAction(press('2'), false), floorAction(press('2'), true), floorAction(press('Escape'), true), floorAction(press('n', { ctrlKey: true }), false), floorAction(press('o', { repeat: true }), false)])
    .toEqual(['decisions', undefined, 'close', undefined, undefined]);
});
