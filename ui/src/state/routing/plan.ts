// What pages need of the plan: who serves which queue with which skills, what was promised, and where too much goes.
import type { RoutingMode, WrittenPlan } from '../../api/routing-types.ts';

export interface OverflowRule {
  when: 'out_of_hours' | 'item_limit' | 'predicted_wait' | 'waited';
  /** Waiting items, or seconds; 0 for hours. */
  limit: number;
  action: string;
  to: string;
}

export interface PlanFacts {
  mode: RoutingMode;
  epoch: number;
  queues: Map<string, { targetS: number; overflow: OverflowRule[] }>;
  agents: Map<string, { skills: { name: string; level: number }[]; queues: string[] }>;
  /** The best rating that a skill can have. */
  highest: Map<string, number>;
}

// What the service takes where the plan is silent.
const TARGET_S = 20;
const HIGHEST = 10;

type Table = Record<string, unknown>;

const table = (value: unknown): Table => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Table) : {});
const tables = (value: unknown): Table[] => (Array.isArray(value) ? value.map(table) : []);
const texts = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const number = (value: unknown, otherwise: number): number => {
  const read = typeof value === 'bigint' ? Number(value) : value;
  return typeof read === 'number' && Number.isFinite(read) ? read : otherwise;
};

/** The service has checked the plan as a whole: what isn't understood here belongs to a newer version, and is left out. */
export async function readPlan(written: WrittenPlan): Promise<PlanFacts> {
  // Only who looks at the floor pays for the reader.
  const read = written.isJson ? JSON.parse : (await import('smol-toml')).parse;
  return factsOf(table(read(written.text)), written.epoch);
}

export function factsOf(plan: Table, epoch: number): PlanFacts {
  const mode = text(plan['mode']);
  return {
    mode: mode === 'shadow' || mode === 'active' ? mode : 'off',
    epoch,
    queues: new Map(tables(plan['queues']).map((queue) => [text(queue['name']), { targetS: number(queue['target_s'], TARGET_S), overflow: rulesOf(table(queue['overflow'])) }])),
    agents: new Map(tables(plan['agents']).map((agent) => [text(agent['name']), {
      skills: Object.entries(table(agent['skills'])).map(([name, level]) => ({ name, level: number(level, 0) })),
      queues: texts(agent['queues']),
    }])),
    highest: new Map(tables(plan['skills']).map((skill) => [text(skill['name']), number(skill['highest'], HIGHEST)])),
  };
}

function rulesOf(overflow: Table): OverflowRule[] {
  const rule = (when: OverflowRule['when'], limit: unknown, from: Table): OverflowRule => ({
    when, limit: number(limit, 0), action: text(from['action']), to: text(from['queue']) || text(from['number']),
  });
  const before = tables(overflow['before']).flatMap((one) => {
    switch (one['when']) {
      case 'out_of_hours': return [rule('out_of_hours', 0, one)];
      case 'item_limit': return [rule('item_limit', one['limit'], one)];
      case 'predicted_wait': return [rule('predicted_wait', one['wait_s'], one)];
      default: return [];
    }
  });
  return [...before, ...tables(overflow['after']).map((one) => rule('waited', one['wait_s'], one))];
}
