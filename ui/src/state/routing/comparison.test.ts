import { expect, test } from 'vitest';
import { claimedOf, findingOf, findingText, loadName, pointsText, readComparison, shareText, waitText, worstText } from './comparison.ts';
import { scaleOf, seriesOf, spread } from './plot.ts';

const interval = (mean: number, half: number | null = 0.01) => ({ mean, low: half === null ? null : mean - half, high: half === null ? null : mean + half });
const part = (name: string, change: number | null, offered = 1_000) => ({ name, offered, service_level: 0.9, mean_wait_s: 4, change });
const policy = (level: number, gain?: number, change = 0) => ({
  service_level: interval(level), abandonment: interval(0.02), ...(gain === undefined ? {} : { gain: { service_level: interval(gain) } }),
  classes: [part('cash', change), part('few', null, 20)], tiers: [], occupancy_least: 0.7, occupancy_most: 0.9, events: 1,
});
const line = (loads: unknown[]) => JSON.stringify({ dataset: 'bank', version: '0.1.0', intents_right: 0.85, loads });
const at = (load: number | null, gain: number, change = 0) => ({
  load, runs: 12, calls: 1_000, baseline: 'skill', policies: { context: policy(0.9, gain, change), skill: policy(0.85), fifo: policy(0.8, -0.05), mine: policy(0.8, 0) },
});

test('the line below the tables is read, policies in their order', () => {
  const read = readComparison(`load 0.85: 12 runs\n  policy  in time\n\n${line([at(0.85, 0.03), at(1, 0.05), { load: 2 }])}\n`);
  expect([read.dataset, read.heardRight, read.loads.map((one) => one.load)]).toEqual(['bank', 0.85, [0.85, 1]]);
  expect(read.loads[0]?.outcomes.map((one) => one.policy)).toEqual(['fifo', 'skill', 'context', 'mine']);
  expect(claimedOf(read.loads[0]!)?.policy).toBe('context');
  // Written over several lines it is the same.
  expect(readComparison(JSON.stringify(JSON.parse(line([at(1, 0)])), null, 2)).loads).toHaveLength(1);
  expect(() => readComparison('load 0.85\nno line')).toThrow('its last line isn’t JSON');
  expect(() => readComparison('{"wer": 0.1}')).toThrow('holds no “loads”');
  expect(() => readComparison('')).toThrow('no comparison');
});

test('no gain is said to be none', () => {
  const outcome = (gain: number, change = 0) => claimedOf(readComparison(line([at(1, gain, change)])).loads[0]!)!;
  expect([findingOf(interval(0.02)), findingOf(interval(-0.02)), findingOf(interval(0.005)), findingOf(interval(0.5, null))]).toEqual(['better', 'worse', 'none', 'one run']);
  expect(findingText(outcome(0.03), 'skill')).toBe('Context answers more in time than skills only: +3.0 points (+2.0 to +4.0).');
  expect(findingText(outcome(-0.03), 'skill')).toBe('Context answers fewer in time than skills only: −3.0 points (−4.0 to −2.0).');
  expect(findingText(outcome(0.005), 'skill')).toBe('No gain is shown: +0.5 points (−0.5 to +1.5) against skills only. The interval holds zero, so it may be chance.');
  expect(pointsText(interval(0.5, null))).toBe('+50.0 points');
  // A class of a few calls is not judged.
  expect([worstText(outcome(0, 0.01), undefined), worstText(outcome(0, -0.04), undefined), worstText(outcome(0, -0.12), undefined)]).toEqual([
    'No kind of contact is answered in time less often.', '“cash” loses most: 4.0 % of its calls that were answered in time.',
    '“cash” loses most: 12.0 % of its calls that were answered in time, more than a tenth.',
  ]);
  const quicker = { ...outcome(0), classes: outcome(0).classes.map((one) => ({ ...one, meanWaitS: 3 })) };
  expect(worstText(outcome(0, 0.01), quicker)).toBe('No kind of contact is answered in time less often. On average, “cash” (4.0 s, not 3.0 s) waits longer.');
  expect([shareText(interval(0.93)), shareText(interval(0.93, null)), waitText(4.56), waitText(24.4), loadName(null), loadName(1)])
    .toEqual(['93.0 % ± 1.0', '93.0 %', '4.6 s', '24 s', 'As recorded', 'Load 1.00']);
});

test('too few calls are said to be too few', () => {
  const few = at(1, 0);
  const context = { ...few.policies.context, gain: { service_level: null }, classes: [part('cash', null, 20)] };
  const read = readComparison(line([{ ...few, calls: 20, policies: { ...few.policies, context } }]));
  const outcome = claimedOf(read.loads[0]!)!;
  expect(findingText(outcome, 'skill')).toBe('Fewer than 100 calls are too few to say whether context is better than skills only.');
  expect([outcome.gains.size, outcome.classes[0]?.change, worstText(outcome, undefined)]).toEqual([0, null, '']);
});

test('scales are round, hold everything, and stay within what is possible', () => {
  expect(scaleOf([0.66, 0.97], 5, 0, 1).ticks).toEqual([0.6, 0.7, 0.8, 0.9, 1]);
  const scale = scaleOf([0, 17.6], 6, 0);
  expect([scale.ticks.at(0), scale.ticks.at(-1), scale.at(0), scale.at(scale.high)]).toEqual([0, 20, 0, 1]);
  for (const values of [[], [5], [NaN, 2], [-3, -3]]) {
    const one = scaleOf(values);
    expect(one.ticks.length).toBeGreaterThan(1);
    expect(one.ticks.every(Number.isFinite)).toBe(true);
  }
});

test('labels move apart and stay inside; series follow the load', () => {
  expect(spread([10, 12, 100], 16, 0, 110)).toEqual([10, 26, 100]);
  expect(spread([100, 105], 16, 0, 110)).toEqual([94, 110]);
  const { loads } = readComparison(line([at(1, 0.05), at(0.85, 0.03), at(null, 0)]));
  expect(seriesOf(loads, 'service_level').find((one) => one.policy === 'context')?.points.map((point) => point.load)).toEqual([0.85, 1]);
  expect(seriesOf(loads, 'nothing').every((one) => one.points.length === 0)).toBe(true);
});
