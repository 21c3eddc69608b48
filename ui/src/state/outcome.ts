// What of a call is put into other systems: what is planned, what the agent changed, and how far each is.
import type { Case, CrmWrite, Due, Outcome, OutcomeChange, OutcomeItem, OutcomeOrder } from '../api/crm-types.ts';
import type { WrapUp } from '../api/types.ts';
import { isSame } from './crm.ts';

/** The agent's choices; what isn't in them is as it was proposed. */
export interface Choices {
  /** Ticked, or not, by hand. */
  ticked: Record<string, boolean>;
  /** A case's id, `new`, or null for none; undefined while nobody has chosen. */
  case: string | null | undefined;
  changes: Record<string, OutcomeChange>;
}

export const noChoices: Choices = { ticked: {}, case: undefined, changes: {} };

/** How far one thing is, for its row. */
export type RowState = 'planned' | 'automatic' | 'waiting' | 'done' | 'failed' | 'discarded';

export interface OutcomeRow {
  item: OutcomeItem;
  state: RowState;
  write: CrmWrite | null;
  ticked: boolean;
  text: string;
  /** The agent's own words where others stand: somebody else was first. */
  unput: string | null;
  /** A task that says no day that is certain: the phrase that was said, or empty. */
  open: string | null;
  due: Due | null;
}

/** The rows in order. A new case has its place in the choice of the case, not in the list; a status is the chosen case's. */
export function rowsOf(outcome: Outcome, writes: CrmWrite[], choices: Choices, wrapup: WrapUp | null): OutcomeRow[] {
  const ofCase = `status:${caseOf(outcome.cases, choices) ?? ''}`;
  const isShown = ({ id, write }: OutcomeItem) => id !== 'case' && (!id.startsWith('status:') || id === ofCase || write !== null);
  return outcome.items.filter(isShown).map((item) => rowOf(item, writes, choices, wrapup));
}

function rowOf(item: OutcomeItem, writes: CrmWrite[], choices: Choices, wrapup: WrapUp | null): OutcomeRow {
  const write = newest(item.write, writes);
  const state = stateOf(item, write);
  // What stands is shown as it was put, whatever was meant to be put.
  const stands = !isOpen({ state });
  const change = choices.changes[item.id] ?? {};
  const due = stands ? item.due : dueWith(item, change);
  const isTask = item.operation === 'create_task';
  return {
    item, write, due, state, text: stands ? item.text : (change.text ?? item.text),
    unput: stands && change.text !== undefined && change.text.trim() !== item.text.trim() ? change.text : null,
    ticked: choices.ticked[item.id] ?? (isProposed(item) && write?.state !== 'discarded'),
    open: isTask && item.due === null ? phraseOf(item, wrapup) : null,
  };
}

function newest(planned: CrmWrite | null, writes: CrmWrite[]): CrmWrite | null {
  return planned && (writes.find((one) => isSame(one, planned)) ?? planned);
}

/** What comes with `planned` may be older than what was streamed. */
export function stateOf(item: Pick<OutcomeItem, 'rule'>, write: CrmWrite | null): RowState {
  if (!write) return item.rule === 'automatic' ? 'automatic' : 'planned';
  return write.state === 'sending' ? 'waiting' : write.state;
}

/** Ticked before anybody looks; but to send a mail or an invitation is never proposed, nor what was done before. */
function isProposed(item: OutcomeItem): boolean {
  return item.operation !== 'send_mail' && !item.id.startsWith('invite:') && !item.written_before;
}

/** Of what was done for a contact who was merged into another: the CRM has likely moved it with them. */
export function beforeText({ written_before: before }: OutcomeItem): string {
  if (!before) return '';
  return before.state === 'done' ? 'written for the contact before, who is gone' : 'may have been written for the contact before, who is gone';
}

/** The choices without what the service has taken. */
export function withoutTaken(choices: Choices, { items }: OutcomeOrder): Choices {
  const changes = Object.fromEntries(Object.entries(choices.changes).filter(([id]) => !items.includes(id)));
  return { ...choices, changes };
}

function dueWith(item: OutcomeItem, { date, starts }: OutcomeChange): Due | null {
  const zone = item.due?.time_zone ?? '';
  if (starts) return { date: starts.slice(0, 10), time: starts.slice(11, 16), time_zone: zone };
  return date ? { date, time: item.due?.time ?? null, time_zone: zone } : item.due;
}

function phraseOf(item: OutcomeItem, wrapup: WrapUp | null): string {
  const draft = wrapup?.follow_ups.find((one) => item.id === `task:${one.wrapup_id}`);
  return draft?.due?.phrase ?? '';
}

/** The only open case is proposed; of several, or where there is none, nobody guesses. */
export function caseOf(cases: Case[], choices: Choices): string | null {
  if (choices.case !== undefined) return choices.case;
  return cases.length === 1 ? (cases[0]?.id ?? null) : null;
}

/** Whether the agent decides about it: also about what was thrown away, which nobody else puts any more. */
export function isOpen(row: Pick<OutcomeRow, 'state'>): boolean {
  return row.state === 'planned' || row.state === 'discarded';
}

/** What the button puts, or undefined where nothing is left to put. */
export function orderOf(outcome: Outcome, rows: OutcomeRow[], choices: Choices): OutcomeOrder | undefined {
  const chosen = rows.filter((row) => row.ticked && isOpen(row)).map((row) => row.item.id);
  const of = caseOf(outcome.cases, choices);
  const made = outcome.items.find((item) => item.id === 'case');
  const items = of === 'new' && made && (!made.write || made.write.state === 'discarded') ? ['case', ...chosen] : chosen;
  if (items.length === 0) return undefined;
  const changes = Object.fromEntries(Object.entries(choices.changes).filter(([id]) => items.includes(id)));
  return { items, case: of, changes };
}

/** A change of a day or a start, as the service reads it. */
export function movedTo(item: OutcomeItem, date: string, time: string): OutcomeChange {
  if (item.operation !== 'put_meeting') return { date };
  return { starts: `${date}T${time}[${item.due?.time_zone ?? 'UTC'}]` };
}

/** `3 to choose from, 1 failed`: what is left to do, in a line. */
export function leftText(rows: OutcomeRow[]): string {
  const count = (state: RowState) => rows.filter((row) => row.state === state).length;
  const parts = [
    [count('failed'), 'not written'], [count('waiting') + count('automatic'), 'waiting'], [count('done'), 'written'],
  ] as const;
  return parts.filter(([n]) => n > 0).map(([n, says]) => `${n} ${says}`).join(' · ');
}

/** What becomes of what is put into a system that takes nothing at the moment, and why. */
export function restingText(name: string, problem: string | null | undefined): string {
  if (!problem) return `${name} can’t be reached at the moment. What you put there is kept and goes out by itself.`;
  return `${name} takes nothing at the moment: ${problem}. What you put there is kept and goes out when that is mended.`;
}

/** One line of a longer text. */
export function firstWords(text: string): string {
  return text.split(/\n+/).map((line) => line.trim().replace(/^[–•-] /, '')).filter(Boolean).join(' · ');
}
