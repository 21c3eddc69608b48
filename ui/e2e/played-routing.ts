import type { AgentState, HandOverPack, QueueState, RouteAssigned, RouteCandidate, RouteRecommended } from '../src/api/routing-types.ts';
import { PlayedHouse } from './played-house.ts';
import { daniel } from './played-crm.ts';
import { said } from './staged.ts';

const MINUTE = 60_000;

export const planText = (mode = 'active') => `
mode = "${mode}"
skills = [{ name = "refunds", highest = 5 }, { name = "fibre", highest = 5 }, { name = "porting", highest = 5 }]

[[queues]]
name = "Billing"
target_s = 30
method = "context"
overflow.before = [{ when = "out_of_hours", action = "voicemail" }, { when = "item_limit", limit = 6, action = "queue", queue = "General" }]
overflow.after = [{ wait_s = 300, action = "callback" }]

[[queues]]
name = "Fibre and router faults, second level"
target_s = 60
overflow.before = [{ when = "predicted_wait", wait_s = 240, action = "callback" }]

[[queues]]
name = "Porting"
target_s = 45

[[queues]]
name = "General"

${[['Emma', '"Billing", "General"', 'refunds = 5, fibre = 2'], ['Bo', '"Billing", "General"', 'refunds = 3'], ['Ravi Shah', '"Billing", "Fibre and router faults, second level"', 'refunds = 4, fibre = 5'],
  ['Cy Featherstonehaugh-Cholmondeley', '"Fibre and router faults, second level"', 'fibre = 4'], ['Ada', '"Porting", "General"', 'porting = 5'], ['Li', '"Billing"', 'refunds = 2']]
  .map(([name, queues, skills]) => `[[agents]]\nname = "${name}"\nqueues = [${queues}]\nskills = { ${skills} }\n`).join('\n')}`;

export const queues: QueueState[] = [
  { name: 'Billing', channel: 'voice', method: 'context', waiting: 7, longest_wait_ms: 94_000, serving: 3, free: 0, predicted_wait_ms: 130_000 },
  { name: 'Fibre and router faults, second level', channel: 'voice', method: 'skills', waiting: 2, longest_wait_ms: 21_000, serving: 2, free: 1, predicted_wait_ms: 40_000 },
  { name: 'Porting', channel: 'messaging', method: 'least_active', waiting: 1, longest_wait_ms: 12_000, serving: 0, free: 0, predicted_wait_ms: null },
  { name: 'General', channel: 'voice', method: 'advanced_round_robin', waiting: 0, longest_wait_ms: 0, serving: 2, free: 2, predicted_wait_ms: 0 },
];

const calls = (used: number, limit = 1) => ({ profile: 'calls', used, limit });
export const agents: AgentState[] = [
  { name: 'Emma', presence: 'available', on_shift: true, capacity: [calls(1), { profile: 'messages', used: 2, limit: 4 }] },
  { name: 'Bo', presence: 'available', on_shift: true, capacity: [calls(0), { profile: 'messages', used: 0, limit: 4 }] },
  { name: 'Ravi Shah', presence: 'busy', on_shift: true, capacity: [calls(1)] },
  { name: 'Cy Featherstonehaugh-Cholmondeley', presence: 'available', on_shift: true, capacity: [calls(0)] },
  { name: 'Ada', presence: 'away', on_shift: true, capacity: [{ profile: 'messages', used: 1, limit: 4 }, { profile: 'records in a day', used: 12, limit: 100 }] },
  { name: 'Li', presence: 'offline', on_shift: false, capacity: [calls(0)] },
];

const candidate = (agent: string, resolves: number, rate: number, distance: number): RouteCandidate => ({
  agent, score: 2.5 * 1.8 * rate * resolves,
  terms: [
    { name: 'value', value: 2.5, why: 'weight of the customer, 1 for an ordinary one' },
    { name: 'waiting_cost', value: 1.8, why: '1 for somebody who just came, more by each target time waited' },
    { name: 'service_rate_per_min', value: rate, why: 'such contacts that the agent ends in a minute' },
    { name: 'resolves', value: resolves, why: 'how likely it doesn\'t come back' },
    { name: 'skill_distance', value: distance, why: '0 is exactly what is required' },
  ],
});

let made = 100;
export function decision(changes: Partial<RouteRecommended> = {}): RouteRecommended {
  made += 1;
  const at = Date.now() - 5 * MINUTE + made;
  return {
    decision_id: `d-${made}`, work_item_id: `i-${made}`, queue: 'Billing', mode: 'active', policy: 'context', epoch: 4,
    reason: 'Emma is first by score in `Billing`',
    chosen: candidate('Emma', 0.82, 0.24, 0), runner_up: candidate('Ravi Shah', 0.74, 0.21, 1), others: [candidate('Bo', 0.55, 0.2, 2), candidate('Li', 0.4, 0.12, 3)],
    rules_matched: ['refund or double payment', 'valued customers'],
    would_change: ['if Ravi Shah resolved such contacts in 0.94 of all cases instead of 0.74', 'if Ravi Shah took 226 s instead of 286 s'],
    features: [
      { name: 'intent', value: 'double_payment', source: 'insight.intent', as_of_ms: at - 20_000 },
      { name: 'sentiment_trend', value: 'falling', source: 'insight.sentiment', as_of_ms: at - 8_000 },
      { name: 'tier', value: 'VIP', source: 'crm.context', as_of_ms: at - 40_000 },
      { name: 'account_value', value: 4_200, source: 'crm.context', as_of_ms: at - 40_000 },
      { name: 'promise_overdue', value: true, source: 'log', as_of_ms: at - 2 * 1_440 * MINUTE },
      { name: 'last_agent', value: 'Emma', source: 'log', as_of_ms: at - 3 * 1_440 * MINUTE },
    ],
    at_ms: at, ...changes,
  };
}

export const assigned = (one: RouteRecommended, changes: Partial<RouteAssigned> = {}): RouteAssigned => ({
  decision_id: one.decision_id, work_item_id: one.work_item_id, queue: one.queue, agent: one.chosen?.agent ?? 'Bo', mode: one.mode, policy: one.policy, epoch: one.epoch,
  reason: one.reason, waited_ms: 24_000, at_ms: Date.now(), ...changes,
});

export const nobody = (): RouteRecommended => decision({
  chosen: null, runner_up: null, others: [], reason: 'nobody who may take it is free', rules_matched: [], features: [],
  would_change: ['with a free agent with refunds 3: 3 of 4 are at work, none has room for it', 'if it waits 206 s longer, it overflows: callback'],
});

export const pack: HandOverPack = {
  conversation_id: 'c-9',
  customer: { contact: daniel, tier: 'VIP', value: 4_200, open_cases: [{ id: '10', number: '1057', subject: 'Second direct debit in November', status: 'Open', priority: null, opened_at: null, updated_at: null, url: null, history: [] }] },
  parties: [], from: 'bot', intent: { label: 'double_payment', probability: 0.91 }, sentiment: { level: 'negative', trend: 'falling', score: -0.4 },
  about: [said('Two direct debits were taken in November.')], tried: [said('The bot read the last two bills.')], promised: [said('The second is paid back within five working days.')],
  next_steps: [said('Check the bank’s fee on account [account-1].')], sections: [],
  earlier_promises: [{ conversation_id: 'c-4', wrapup_id: 'w-1', kind: 'callback', due_ms: Date.parse('2026-11-27T14:00:00'), made_ms: 1 }],
  articles: [], latest: [said('When do I get my money back?')], attributes: { campaign: 'spring offer' },
};

/** A played floor, but for the plan, which isn't JSON. */
export async function playRouting(decisions: RouteRecommended[]): Promise<PlayedHouse> {
  const house = await PlayedHouse.start();
  house.answers.set('GET /v1/me', { name: 'Grace', role: 'supervisor', tenant: 'demo', demo: true, version: '0.1.0' });
  house.answers.set('GET /v1/routing/queues', { items: queues });
  house.answers.set('GET /v1/routing/agents', { items: agents });
  house.answers.set('GET /v1/routing/decisions', { items: decisions.toSorted((a, b) => b.at_ms - a.at_ms) });
  for (const { work_item_id: id, queue } of decisions) {
    house.answers.set(`GET /v1/work-items/${id}`, { id, conversation_id: 'c-9', external_id: null, queue, state: 'active', agent: null });
  }
  house.answers.set('GET /v1/conversations/c-9/pack', pack);
  house.answers.set('GET /v1/conversations/c-9', { id: 'c-9' });
  return house;
}
