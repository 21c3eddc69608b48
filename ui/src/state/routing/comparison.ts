// What a comparison of policies says, read from the line that the simulator prints. Also when it says nothing.
import { figure, listed } from './words.ts';

export interface Interval {
  mean: number;
  /** Null where there is no width, as from one run. */
  low: number | null;
  high: number | null;
}

export interface Part {
  name: string;
  offered: number;
  serviceLevel: number;
  meanWaitS: number;
  /** Of the service level against the baseline: -0.1 is a tenth worse. Null from too few calls. */
  change: number | null;
}

export interface Outcome {
  policy: string;
  metrics: Map<string, Interval>;
  /** Run by run against the baseline; empty for the baseline itself, and from too few calls. */
  gains: Map<string, Interval>;
  classes: Part[];
  tiers: Part[];
  least: number | null;
  most: number | null;
}

export interface AtLoad {
  /** Null: as it was recorded. */
  load: number | null;
  runs: number;
  calls: number;
  baseline: string;
  outcomes: Outcome[];
}

export interface Comparison {
  dataset: string;
  version: string;
  /** The share of intents that were heard right, where it is told. */
  heardRight: number | null;
  loads: AtLoad[];
}

/** Classes with fewer calls are shown and not judged: what came of them is chance. */
export const FEW = 100;

// From the simplest on; the one to beat and the one that is claimed to be better come last.
const ORDER = ['fifo', 'round-robin', 'longest-idle', 'skill', 'context'];

type Json = Record<string, unknown>;
const object = (value: unknown): Json | null => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null);
const number = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null);

/** The tables for people may stand above the line. Throws a sentence for people. */
export function readComparison(text: string): Comparison {
  const lines = text.trim().split('\n');
  const found = parsed(lines.at(-1) ?? '') ?? parsed(text);
  if (!found) throw new Error('This file is no comparison: its last line isn’t JSON.');
  const loads = (Array.isArray(found['loads']) ? found['loads'] : []).map(atLoad).filter((one): one is AtLoad => one !== null);
  if (loads.length === 0) throw new Error('This file is no comparison: it holds no “loads” with policies.');
  return { dataset: String(found['dataset'] ?? ''), version: String(found['version'] ?? ''), heardRight: number(found['intents_right']), loads };
}

function parsed(text: string): Json | null {
  try {
    return object(JSON.parse(text));
  } catch {
    return null;
  }
}

function atLoad(value: unknown): AtLoad | null {
  const read = object(value);
  const policies = object(read?.['policies']);
  if (!read || !policies) return null;
  const place = (name: string) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  const outcomes = Object.entries(policies).flatMap(([policy, figures]) => {
    const all = object(figures);
    if (!all) return [];
    return [{
      policy, metrics: intervals(all), gains: intervals(object(all['gain']) ?? {}), classes: parts(all['classes']), tiers: parts(all['tiers']),
      least: number(all['occupancy_least']), most: number(all['occupancy_most']),
    }];
  });
  if (outcomes.length === 0) return null;
  outcomes.sort((a, b) => place(a.policy) - place(b.policy));
  return { load: number(read['load']), runs: number(read['runs']) ?? 0, calls: number(read['calls']) ?? 0, baseline: String(read['baseline'] ?? ''), outcomes };
}

function intervals(figures: Json): Map<string, Interval> {
  return new Map(Object.entries(figures).flatMap(([name, value]) => {
    const mean = number(object(value)?.['mean']);
    return mean === null ? [] : [[name, { mean, low: number(object(value)?.['low']), high: number(object(value)?.['high']) }] as const];
  }));
}

function parts(value: unknown): Part[] {
  return (Array.isArray(value) ? value : []).map(object).filter((one): one is Json => one !== null).map((one) => ({
    name: String(one['name'] ?? ''), offered: number(one['offered']) ?? 0, serviceLevel: number(one['service_level']) ?? 0, meanWaitS: number(one['mean_wait_s']) ?? 0,
    change: number(one['change']),
  }));
}

const policyNames: Record<string, string> = { fifo: 'First come', 'round-robin': 'In turn', 'longest-idle': 'Longest idle', skill: 'Skills only', context: 'Context' };
export const policyName = (policy: string): string => policyNames[policy] ?? policy;

export const loadName = (load: number | null): string => (load === null ? 'As recorded' : `Load ${load.toFixed(2)}`);

export type Finding = 'better' | 'worse' | 'none' | 'one run';

/** Only an interval that lies wholly on one side of zero says something. */
export function findingOf(gain: Interval): Finding {
  if (gain.low === null || gain.high === null) return 'one run';
  if (gain.low > 0) return 'better';
  return gain.high < 0 ? 'worse' : 'none';
}

/** A difference of shares: `+3.2 points, 2.9 to 3.6`. */
export function pointsText(gain: Interval): string {
  const points = (share: number) => `${share < 0 ? '−' : '+'}${Math.abs(100 * share).toFixed(1)}`;
  const mean = `${points(gain.mean)} points`;
  return gain.low === null || gain.high === null ? mean : `${mean} (${points(gain.low)} to ${points(gain.high)})`;
}

/** What a policy is worth against the baseline, in one sentence. */
export function findingText(outcome: Outcome, baseline: string): string {
  const gain = outcome.gains.get('service_level');
  const [ours, theirs] = [policyName(outcome.policy), policyName(baseline).toLowerCase()];
  if (!gain) return outcome.policy === baseline ? '' : `Fewer than ${FEW} calls are too few to say whether ${ours.toLowerCase()} is better than ${theirs}.`;
  switch (findingOf(gain)) {
    case 'better': return `${ours} answers more in time than ${theirs}: ${pointsText(gain)}.`;
    case 'worse': return `${ours} answers fewer in time than ${theirs}: ${pointsText(gain)}.`;
    case 'none': return `No gain is shown: ${pointsText(gain)} against ${theirs}. The interval holds zero, so it may be chance.`;
    case 'one run': return `${pointsText(gain)} against ${theirs}, from one run: that may be chance. More runs tell.`;
  }
}

/** Who loses by it: in answers in time, and in the mean wait, which can go another way. */
export function worstText(outcome: Outcome, baseline: Outcome | undefined): string {
  const judged = outcome.classes.flatMap((part) => (part.offered >= FEW && part.change !== null ? [{ ...part, change: part.change }] : []));
  const worst = judged.toSorted((a, b) => a.change - b.change)[0];
  if (!worst) return '';
  const longer = judged.flatMap((part) => {
    const before = baseline?.classes.find((one) => one.name === part.name)?.meanWaitS ?? part.meanWaitS;
    return part.meanWaitS > before * 1.02 ? [`“${part.name}” (${waitText(part.meanWaitS)}, not ${waitText(before)})`] : [];
  });
  const waits = longer.length > 0 ? ` On average, ${listed(longer)} ${longer.length === 1 ? 'waits' : 'wait'} longer.` : '';
  if (worst.change >= -0.0005) return `No kind of contact is answered in time less often.${waits}`;
  const lost = `${(-100 * worst.change).toFixed(1)} %`;
  const grave = worst.change < -0.1 ? ', more than a tenth' : '';
  return `“${worst.name}” loses most: ${lost} of its calls that were answered in time${grave}.${waits}`;
}

export function percentText(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** `93.0 % ± 0.8` */
export function shareText({ mean, low, high }: Interval): string {
  return low === null || high === null ? percentText(mean) : `${percentText(mean)} ± ${((100 * (high - low)) / 2).toFixed(1)}`;
}

export const waitText = (seconds: number): string => `${seconds < 20 ? seconds.toFixed(1) : figure(Math.round(seconds))} s`;

/** Of the policy that is claimed: context, or whatever else there is. */
export function claimedOf({ outcomes, baseline }: AtLoad): Outcome | undefined {
  return outcomes.find((one) => one.policy === 'context') ?? outcomes.find((one) => one.policy !== baseline);
}
