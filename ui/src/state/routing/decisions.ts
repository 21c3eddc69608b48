// Decisions, the newest first: which are shown, which wait above, and how a choice is explained.
import type { RouteAssigned, RouteCandidate, RouteRecommended } from '../../api/routing-types.ts';
import { isLessBetter, listed } from './words.ts';

export interface DecisionRow {
  decision: RouteRecommended;
  /** Null: there is none. Undefined: nobody has looked yet. */
  conversation: string | null | undefined;
  assigned: RouteAssigned | null;
}

/** So many are kept; the service answers no more either. */
export const ROWS_MAX = 200;

export function rowOf(decision: RouteRecommended, conversation?: string): DecisionRow {
  return { decision, conversation: conversation ?? decision.conversation_id, assigned: null };
}

/** Rows by time, each decision once; what is known of a row already is kept. */
export function merged(rows: DecisionRow[], more: DecisionRow[]): DecisionRow[] {
  const byId = new Map(rows.map((row) => [row.decision.decision_id, row]));
  for (const row of more) {
    const known = byId.get(row.decision.decision_id);
    byId.set(row.decision.decision_id, { ...row, conversation: row.conversation ?? known?.conversation, assigned: row.assigned ?? known?.assigned ?? null });
  }
  return [...byId.values()].sort((a, b) => b.decision.at_ms - a.decision.at_ms).slice(0, ROWS_MAX);
}

/** Marks the decision that it belongs to; by hand there is none, then it is the item's last. */
export function withAssignment(rows: DecisionRow[], assigned: RouteAssigned): DecisionRow[] {
  const at = rows.findIndex(({ decision }) =>
    assigned.decision_id === undefined ? decision.work_item_id === assigned.work_item_id : decision.decision_id === assigned.decision_id);
  return at < 0 ? rows : rows.with(at, { ...rows[at]!, assigned });
}

export function withConversation(rows: DecisionRow[], item: string, conversation: string | null): DecisionRow[] {
  return rows.map((row) => (row.decision.work_item_id === item && row.conversation === undefined ? { ...row, conversation } : row));
}

/** Decisions in a row that say the same of different items: the newest stands for them. */
export interface Fold {
  first: DecisionRow;
  /** Older ones, the newest first. */
  alike: DecisionRow[];
}

/** In the order of the rows. What became of a decision tells it from others, so only those without are folded. */
export function folded(rows: DecisionRow[]): Fold[] {
  const folds: Fold[] = [];
  for (const row of rows) {
    const last = folds.at(-1);
    if (last && isAlike(last.first, row)) last.alike.push(row);
    else folds.push({ first: row, alike: [] });
  }
  return folds;
}

function isAlike({ decision: a, assigned: has }: DecisionRow, { decision: b, assigned: had }: DecisionRow): boolean {
  return !has && !had && a.queue === b.queue && a.mode === b.mode && a.chosen?.agent === b.chosen?.agent && a.reason === b.reason
    && marginText(a) === marginText(b);
}

/** So many items are named. */
const NAMED = 6;

/** `3 more alike: i-4, i-5 and i-6` */
export function alikeText(alike: DecisionRow[]): string {
  const items = [...new Set(alike.map((row) => row.decision.work_item_id))];
  const named = items.length > NAMED ? [...items.slice(0, NAMED), `${items.length - NAMED} others`] : items;
  return `${alike.length} more alike: ${listed(named)}`;
}

/** An address of the desktop, or what was copied with spaces, is the conversation too. */
export function wantedConversation(text: string): string {
  const trimmed = text.trim();
  const hash = trimmed.lastIndexOf('#');
  return hash < 0 ? trimmed : decodeURIComponent(trimmed.slice(hash + 1));
}

export interface ScoredCell {
  name: string;
  value: number;
  why: string;
  /** Of the bar, 0 to 1: the best of all candidates has the whole. */
  share: number;
}

export interface ScoredRow {
  agent: string;
  score: number;
  /** Of the best score; null where scores can't be compared so. */
  share: number | null;
  cells: Map<string, ScoredCell>;
}

export interface Scored {
  rows: ScoredRow[];
  /** Terms that differ between candidates, in the service's order. */
  terms: string[];
  /** What counts for all alike, and so decided nothing. */
  same: ScoredCell[];
}

/** Everybody who was weighed, the chosen first. */
export function scored({ chosen, runner_up: runnerUp, others }: RouteRecommended): Scored {
  const all = [chosen, runnerUp, ...(others ?? [])].filter((one): one is RouteCandidate => one !== null);
  const names = [...new Set(all.flatMap((one) => one.terms.map((term) => term.name)))];
  const values = (name: string) => all.map((one) => one.terms.find((term) => term.name === name)?.value);
  const differs = (name: string) => all.length === 1 || new Set(values(name)).size > 1;
  const best = Math.max(...all.map((one) => one.score));
  const comparable = all.every((one) => one.score >= 0) && best > 0;
  const rows = all.map((one) => ({
    agent: one.agent, score: one.score, share: comparable ? one.score / best : null,
    cells: new Map(one.terms.map((term) => [term.name, { ...term, share: shareOf(term.name, term.value, values(term.name)) }])),
  }));
  const same = names.filter((name) => !differs(name)).map((name) => rows[0]!.cells.get(name)!);
  return { rows, terms: names.filter(differs), same };
}

function shareOf(name: string, value: number, all: (number | undefined)[]): number {
  const known = all.filter((one): one is number => one !== undefined && Number.isFinite(one));
  if (!Number.isFinite(value)) return 0;
  // The nearest has the whole bar, as with everything else.
  if (isLessBetter(name)) return (1 + Math.min(...known)) / (1 + value);
  const most = Math.max(...known);
  return most > 0 ? Math.max(0, value / most) : 0;
}

/** `Emma before Bo, 1.2 times the score`: how clear it was. */
export function marginText({ chosen, runner_up: next }: RouteRecommended): string {
  if (!chosen || !next) return '';
  if (!(next.score > 0) || !(chosen.score > 0)) return `before ${next.agent}`;
  const ratio = chosen.score / next.score;
  if (ratio < 0.995) return `${next.agent} scored more, but was worth more elsewhere`;
  if (ratio < 1.005) return `level with ${next.agent}`;
  return ratio < 10 ? `${ratio.toFixed(ratio < 1.1 ? 2 : 1)} times the score of ${next.agent}` : `far before ${next.agent}`;
}
