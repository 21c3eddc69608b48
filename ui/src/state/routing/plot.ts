// Where things stand in a plot: pure numbers, in pixels.
import type { AtLoad, Interval } from './comparison.ts';

export interface Scale {
  low: number;
  high: number;
  ticks: number[];
  /** From 0 to 1. */
  at: (value: number) => number;
}

/** Round figures from below the least to above the most, about `wanted` of them. */
export function scaleOf(values: number[], wanted = 5, floor = -Infinity, ceiling = Infinity): Scale {
  const known = values.filter(Number.isFinite);
  let [low, high] = known.length > 0 ? [Math.min(...known), Math.max(...known)] : [0, 1];
  if (low === high) [low, high] = [low - 0.5 * (Math.abs(low) || 1), high + 0.5 * (Math.abs(high) || 1)];
  const step = roundStep((high - low) / wanted);
  low = Math.max(floor, Math.floor(low / step + 1e-9) * step);
  high = Math.min(ceiling, Math.ceil(high / step - 1e-9) * step);
  const count = Math.round((high - low) / step);
  const ticks = Array.from({ length: count + 1 }, (_, index) => Number((low + index * step).toPrecision(12)));
  return { low, high, ticks, at: (value) => (value - low) / (high - low) };
}

function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const part = rough / power;
  return (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10) * power;
}

/** Labels at these heights, moved apart as little as needed so that each has its line. */
export function spread(wanted: number[], apart: number, from: number, to: number): number[] {
  const order = wanted.map((_, index) => index).sort((a, b) => wanted[a]! - wanted[b]!);
  const placed = wanted.slice();
  let last = from - apart;
  for (const index of order) last = placed[index] = Math.max(wanted[index]!, last + apart);
  // What went over the edge pushes back.
  let next = to + apart;
  for (const index of order.toReversed()) next = placed[index] = Math.min(placed[index]!, next - apart);
  return placed;
}

export interface Series {
  policy: string;
  points: { load: number; value: Interval }[];
}

/** One metric of each policy over load, for loads that have a figure. */
export function seriesOf(loads: AtLoad[], metric: string): Series[] {
  const sorted = loads.filter((one) => one.load !== null).toSorted((a, b) => a.load! - b.load!);
  const policies = [...new Set(sorted.flatMap((one) => one.outcomes.map((outcome) => outcome.policy)))];
  return policies.map((policy) => ({
    policy,
    points: sorted.flatMap((one) => {
      const value = one.outcomes.find((outcome) => outcome.policy === policy)?.metrics.get(metric);
      return value ? [{ load: one.load!, value }] : [];
    }),
  }));
}

export const endsOf = ({ mean, low, high }: Interval): [number, number] => [low ?? mean, high ?? mean];
