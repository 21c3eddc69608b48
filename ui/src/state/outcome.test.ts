import { expect, test } from 'vitest';
import type { CrmWrite, Outcome, OutcomeItem } from '../api/crm-types.ts';
import type { WrapUp } from '../api/types.ts';
import { beforeText, caseOf, firstWords, isOpen, leftText, movedTo, noChoices, orderOf, restingText, rowsOf, withoutTaken } from './outcome.ts';
import { noWrapUp } from './wrapup.ts';

const item = (id: string, operation: string, changes: Partial<OutcomeItem> = {}): OutcomeItem =>
  ({ id, operation, destination: 'crm', rule: 'ask', title: id, text: 'Charged twice.\n\nPaid back.', due: null, write: null, ...changes });
const one = { id: '9', number: '1042', subject: 'Router', status: 'Open', priority: null, opened_at: null, updated_at: null, url: null, history: [] };
const at = { date: '2026-11-26', time: '14:00', time_zone: 'Europe/London' };
const outcome: Outcome = {
  items: [
    item('case', 'create_case'), item('note', 'add_note'), item('call', 'log_call', { rule: 'automatic' }), item('task:w-1', 'create_task'),
    item('meeting:w-2', 'put_meeting', { destination: 'calendar', due: at }), item('send:w-3', 'send_mail', { destination: 'mail' }),
  ],
  cases: [one], why_not: null,
};
const write = (changes: Partial<CrmWrite> = {}): CrmWrite => ({ operation: 'add_note', dedupe_key: 'n', state: 'waiting', destination: 'crm', attempts: 1, ...changes });
const rows = (from = outcome, writes: CrmWrite[] = [], choices = noChoices, wrapup: WrapUp | null = null) => rowsOf(from, writes, choices, wrapup);

test('what is proposed is all that can be taken back; a mail is sent by nobody’s default', () => {
  expect(rows().filter((row) => row.ticked).map((row) => row.item.id)).toEqual(['note', 'call', 'task:w-1', 'meeting:w-2']);
  expect(rows().map((row) => row.state)).toEqual(['planned', 'automatic', 'planned', 'planned', 'planned']);
});

test('nobody is invited by default', () => {
  const invited = { ...outcome, items: [item('meeting:w-2', 'put_meeting', { destination: 'calendar', due: at }), item('invite:w-2', 'put_meeting', { destination: 'mail', due: at })] };
  expect(rows(invited).map((row) => row.ticked)).toEqual([true, false]);
});

test('the order holds what is ticked and not written yet, and the changes of just that', () => {
  const choices = { ticked: { 'task:w-1': false, 'send:w-3': true }, case: undefined, changes: { note: { text: 'Mine' }, 'task:w-1': { date: '2026-12-01' } } };
  expect(orderOf(outcome, rows(outcome, [], choices), choices)).toEqual({ items: ['note', 'meeting:w-2', 'send:w-3'], case: '9', changes: { note: { text: 'Mine' } } });
  const written = { ...outcome, items: outcome.items.map((one) => ({ ...one, write: write({ dedupe_key: one.id }) })) };
  expect(orderOf(written, rows(written), noChoices)).toBeUndefined();
});

test('what was thrown away is put by nobody’s default, and can be put after all', () => {
  const thrown = { ...outcome, items: [item('note', 'add_note', { write: write({ state: 'discarded' }) })] };
  expect(rows(thrown).map((row) => [row.state, row.ticked, isOpen(row)])).toEqual([['discarded', false, true]]);
  expect(orderOf(thrown, rows(thrown), noChoices)).toBeUndefined();
  const choices = { ...noChoices, ticked: { note: true } };
  expect(orderOf(thrown, rows(thrown, [], choices), choices)?.items).toEqual(['note']);
});

test('what stands is shown as it was put, and words that weren’t put as such', () => {
  const choices = { ...noChoices, changes: { note: { text: 'Refund denied.' }, 'task:w-1': { date: '2026-12-01' } } };
  const first = { ...outcome, items: ['note', 'task:w-1'].map((id) => item(id, id === 'note' ? 'add_note' : 'create_task', { text: 'Refund granted.', write: write({ dedupe_key: id }) })) };
  expect(rows(first, [], choices).map((row) => [row.text, row.unput, row.due])).toEqual([['Refund granted.', 'Refund denied.', null], ['Refund granted.', null, null]]);
  const order = { items: ['note'], case: null, changes: choices.changes };
  expect(withoutTaken(choices, order).changes).toEqual({ 'task:w-1': { date: '2026-12-01' } });
  const thrown = { ...outcome, items: [item('note', 'add_note', { write: write({ state: 'discarded' }) })] };
  expect(rows(thrown, [], choices)[0]).toMatchObject({ text: 'Refund denied.', unput: null });
});

test('what was done for a contact who is gone is put again by nobody’s default', () => {
  const items = ['done', 'discarded'].map((state) => item('note', 'add_note', { written_before: write({ state: state as 'done' }) }));
  expect(rows({ ...outcome, items }).map((row) => [row.state, row.ticked])).toEqual([['planned', false], ['planned', false]]);
  expect(items.map(beforeText)).toEqual(['written for the contact before, who is gone', 'may have been written for the contact before, who is gone']);
  expect(beforeText(item('note', 'add_note'))).toBe('');
});

test('a status is shown and put for the chosen case alone', () => {
  const both = { ...outcome, items: [item('status:9', 'update_case'), item('status:10', 'update_case')], cases: [one, { ...one, id: '10' }] };
  const ids = (choices = noChoices) => rows(both, [], choices).map((row) => row.item.id);
  expect([ids(), ids({ ...noChoices, case: '10' })]).toEqual([[], ['status:10']]);
  const choices = { ...noChoices, case: '10' };
  expect(orderOf(both, rows(both, [], choices), choices)).toMatchObject({ items: ['status:10'], case: '10' });
});

test('a new case is ordered with what belongs to it, once', () => {
  const choices = { ...noChoices, case: 'new' };
  expect(orderOf(outcome, rows(), choices)?.items[0]).toBe('case');
  const made = { ...outcome, items: outcome.items.map((one) => (one.id === 'case' ? { ...one, write: write({ dedupe_key: 'c' }) } : one)) };
  expect(orderOf(made, rows(made), choices)?.items).not.toContain('case');
});

test('only a single open case is proposed', () => {
  expect([caseOf([one], noChoices), caseOf([], noChoices), caseOf([one, one], noChoices)]).toEqual(['9', null, null]);
  expect(caseOf([one], { ...noChoices, case: null })).toBeNull();
});

test('what was streamed beats what was planned', () => {
  const planned = { ...outcome, items: [item('note', 'add_note', { write: write() })] };
  expect(rows(planned, [write({ state: 'failed', problem: 'No.' })])[0]).toMatchObject({ state: 'failed', write: { problem: 'No.' } });
  expect(rows(planned, [write({ state: 'sending' })])[0]?.state).toBe('waiting');
  expect(leftText([...rows(planned, [write({ state: 'failed' })]), ...rows(planned)])).toBe('1 not written · 1 waiting');
});

test('a day that isn’t certain is asked for with the words that were said', () => {
  const followUp = { wrapup_id: 'w-1', state: 'draft', occasion: 'end', language: 'en', kind: 'task', promised_by: 'agent', sentence: { text: '', citations: [], support: 1 } };
  const wrapup = { ...noWrapUp, follow_ups: [{ ...followUp, due: { phrase: 'end of the week', is_limit: true, time_zone: 'Europe/London' } }] };
  const open = (choices = noChoices) => rows(outcome, [], choices, wrapup).map((row) => row.open);
  expect(open()).toEqual([null, null, 'end of the week', null, null]);
  const chosen = rows(outcome, [], { ...noChoices, changes: { 'task:w-1': { date: '2026-12-04' } } }, wrapup)[2];
  expect([chosen?.open, chosen?.due?.date]).toEqual(['end of the week', '2026-12-04']);
});

test('a moved meeting keeps its zone', () => {
  const meeting = outcome.items[4]!;
  expect(movedTo(meeting, '2026-11-27', '09:30')).toEqual({ starts: '2026-11-27T09:30[Europe/London]' });
  expect(movedTo(outcome.items[3]!, '2026-11-27', '')).toEqual({ date: '2026-11-27' });
  expect(rows(outcome, [], { ...noChoices, changes: { 'meeting:w-2': movedTo(meeting, '2026-11-27', '09:30') } })[3]?.due).toEqual({ ...at, date: '2026-11-27', time: '09:30' });
});

test('a text in a line', () => expect(firstWords('Charged twice.\n\n– Paid back.')).toBe('Charged twice. · Paid back.'));

test('a system that refuses the key says so, and not that it is away', () => {
  expect(restingText('HubSpot', null)).toContain('can’t be reached');
  expect(restingText('HubSpot', 'the key was not accepted')).toContain('takes nothing at the moment: the key was not accepted');
});
