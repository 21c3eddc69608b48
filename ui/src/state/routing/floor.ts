// The queues as they are now: who waits against what was promised, who is there, what overflows.
import type { AgentState, QueueState, RouteAssigned } from '../../api/routing-types.ts';
import type { OverflowRule, PlanFacts } from './plan.ts';
import { aboutText, actionName, clock, counted, listed, spanText } from './words.ts';

/** Answers that the page itself has seen count for so long. */
export const WHILE_MS = 30 * 60_000;

export interface Answered {
  queue: string;
  waitedMs: number;
  atMs: number;
  /** One item can be handed on and answered twice; its first answer counts. */
  item: string;
}

export interface OverflowLine {
  text: string;
  /** It holds now. */
  isNow: boolean;
}

export interface QueueLine {
  name: string;
  channel: string;
  method: string;
  waiting: number;
  longestMs: number;
  targetMs: number | null;
  isLate: boolean;
  predictedMs: number | null;
  free: number;
  busy: number;
  /** On conversations that name nobody: they may be among the free ones. */
  unnamed: number;
  /** Null where the plan isn't known. */
  away: number | null;
  level: Level | null;
  overflow: OverflowLine[];
  /** What has gone elsewhere, where the service tells. */
  overflowed: string[];
}

export interface Level {
  inTime: number;
  of: number;
  sinceMs: number;
  /** The page's own count knows nothing of those who gave up. */
  isOwn: boolean;
}

/** The order is the plan's: nothing changes its place because a number did. */
export function queueLines(queues: QueueState[], plan: PlanFacts | null, answered: Answered[], at: { readMs: number; nowMs: number; openedMs: number }): QueueLine[] {
  return queues.map((queue) => {
    const facts = plan?.queues.get(queue.name);
    const targetMs = facts ? facts.targetS * 1_000 : null;
    // Whoever waits goes on waiting between two looks.
    const longestMs = queue.waiting > 0 ? queue.longest_wait_ms + Math.max(0, at.nowMs - at.readMs) : 0;
    const members = plan ? [...plan.agents.values()].filter((agent) => agent.queues.includes(queue.name)).length : null;
    return {
      name: queue.name, channel: queue.channel, method: queue.method, waiting: queue.waiting, longestMs, targetMs,
      isLate: targetMs !== null && longestMs > targetMs,
      predictedMs: queue.predicted_wait_ms,
      free: queue.free,
      busy: Math.max(0, queue.serving - queue.free),
      unnamed: queue.unnamed ?? 0,
      away: members === null ? null : Math.max(0, members - queue.serving),
      level: levelOf(queue, targetMs, answered, at),
      overflow: (facts?.overflow ?? []).map((rule) => ({ text: ruleText(rule), isNow: holds(rule, queue, longestMs) })),
      overflowed: (queue.overflowed ?? []).map(({ count, action, to, why }) => `${counted(count, 'time')} ${actionName(action, to ?? '')}: ${why}`),
    };
  });
}

function levelOf(queue: QueueState, targetMs: number | null, answered: Answered[], at: { nowMs: number; openedMs: number }): Level | null {
  if (queue.service_level) {
    const { in_time: inTime, of, since_ms: sinceMs } = queue.service_level;
    return { inTime, of, sinceMs, isOwn: false };
  }
  if (targetMs === null) return null;
  const sinceMs = Math.max(at.openedMs, at.nowMs - WHILE_MS);
  const ours = answered.filter((one) => one.queue === queue.name && one.atMs >= sinceMs);
  return { inTime: ours.filter((one) => one.waitedMs <= targetMs).length, of: ours.length, sinceMs, isOwn: true };
}

/** Of one item the first answer counts, and the old ones make room. */
export function withAnswer(answered: Answered[], { work_item_id: item, queue, waited_ms: waitedMs, at_ms: atMs, mode }: RouteAssigned): Answered[] {
  if (mode === 'off' || answered.some((one) => one.item === item)) return answered;
  return [...answered.filter((one) => one.atMs >= atMs - WHILE_MS), { queue, waitedMs, atMs, item }];
}

/** Who comes next; where somebody is free, a time that was computed from busy agents would only puzzle. */
export function nextText({ waiting, free, unnamed, predictedMs }: QueueLine): string {
  if (waiting === 0) return '';
  if (free > unnamed) return 'next: now, somebody is free';
  return predictedMs === null ? '' : `next: about ${aboutText(predictedMs)}`;
}

/** Agents who seem free because their conversation names nobody; empty where there are none. */
export function unnamedText({ free, unnamed }: QueueLine): string {
  if (unnamed === 0) return '';
  const calls = unnamed === 1 ? 'a conversation that names nobody' : `${unnamed} conversations that name nobody`;
  if (free === 0) return `and ${calls}`;
  return `${free === 1 ? 'perhaps' : `${Math.min(free, unnamed)} of them perhaps`} on ${calls}`;
}

export function levelText(level: Level | null): string {
  if (!level) return 'not known';
  if (level.of === 0) return 'none yet';
  return `${Math.round((100 * level.inTime) / level.of)} %`;
}

/** What the shares in time are of, once for all queues. */
export function sinceText(lines: QueueLine[]): string {
  const level = lines.map((line) => line.level).find((one) => one !== null);
  if (!level) return 'In time: not known, as the plan can’t be read here.';
  const since = `In time: of those since ${clock(level.sinceMs)}`;
  return level.isOwn ? `${since} who were answered while this page was open; who gave up isn’t counted.` : `${since}, with those who gave up.`;
}

export function ruleText({ when, limit, action, to }: OverflowRule): string {
  const cause = {
    out_of_hours: 'Out of hours', item_limit: `${limit} or more waiting`, predicted_wait: `More than ${spanText(limit * 1_000)} expected`,
    waited: `After ${spanText(limit * 1_000)}`,
  }[when];
  return `${cause}: ${actionName(action, to)}`;
}

function holds({ when, limit }: OverflowRule, queue: QueueState, longestMs: number): boolean {
  switch (when) {
    case 'item_limit': return queue.waiting >= limit;
    case 'predicted_wait': return queue.predicted_wait_ms !== null && queue.predicted_wait_ms > limit * 1_000;
    case 'waited': return queue.waiting > 0 && longestMs > limit * 1_000;
    // Only the service knows the time zone's holidays.
    case 'out_of_hours': return false;
  }
}

/** The one sentence above the queues. */
export function floorText(lines: QueueLine[]): string {
  const waiting = lines.reduce((sum, line) => sum + line.waiting, 0);
  const late = lines.filter((line) => line.isLate).map((line) => line.name);
  const alone = lines.filter((line) => line.waiting > 0 && line.free + line.busy === 0).map((line) => line.name);
  if (waiting === 0) return 'Nobody waits.';
  const parts = [`${waiting} ${waiting === 1 ? 'waits' : 'wait'}`];
  if (late.length > 0) parts.push(`longer than promised in ${listed(late)}`);
  else parts.push('none longer than promised');
  const whole = `${parts.join(', ')}.`;
  return alone.length > 0 ? `${whole} Nobody is there for ${listed(alone)}.` : whole;
}

export interface AgentLine extends AgentState {
  isFree: boolean;
  room: string;
  skills: { name: string; level: number; highest: number }[];
  queues: string[];
}

export function agentLines(agents: AgentState[], plan: PlanFacts | null, wanted: string): AgentLine[] {
  const words = wanted.trim().toLowerCase().split(/\s+/).filter(Boolean);
  return agents
    .map((agent) => {
      const facts = plan?.agents.get(agent.name);
      const skills = (facts?.skills ?? []).map(({ name, level }) => ({ name, level, highest: plan?.highest.get(name) ?? 10 }));
      return { ...agent, isFree: isFree(agent), room: roomText(agent), skills, queues: facts?.queues ?? [] };
    })
    .filter((agent) => {
      const text = [agent.name, agent.presence, ...agent.queues, ...agent.skills.map((skill) => skill.name)].join(' ').toLowerCase();
      return words.every((word) => text.includes(word));
    });
}

/** There, on shift, and with room for something. */
export function isFree({ presence, on_shift: onShift, capacity }: AgentState): boolean {
  return presence === 'available' && onShift && (capacity.length === 0 || capacity.some(({ used, limit }) => used < limit));
}

/** `free`, or for what there is still room; empty where there is none. */
export function roomText(agent: AgentState): string {
  if (!isFree(agent)) return '';
  const open = agent.capacity.filter(({ used, limit }) => used < limit);
  return open.length === agent.capacity.length ? 'free' : `room for ${listed(open.map((one) => one.profile))}`;
}

export function agentsText(agents: AgentState[]): string {
  const here = agents.filter((agent) => agent.on_shift && agent.presence !== 'offline' && agent.presence !== 'away');
  const free = here.filter(isFree).length;
  return `${free} with room, ${here.length - free} busy, ${agents.length - here.length} away.`;
}
