import type { Contact, CrmContext, CrmWrite, Outcome, OutboxItem, SystemHealth } from '../src/api/crm-types.ts';
import type { Conversation } from '../src/api/types.ts';
import { PlayedHouse } from './played-house.ts';
import { call, card } from './played.ts';
import { head, noWrapUp, said, summary } from './staged.ts';

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;
const ago = (ms: number) => new Date(Date.now() - ms).toISOString();

export const daniel: Contact = {
  id: '7', name: 'Daniel Okafor', phones: ['020 7946 0123'], emails: ['daniel@okafor.example'], company: 'Okafor Joinery', url: 'http://127.0.0.1:9/contacts/7',
};
export const grace: Contact = { ...daniel, id: '8', name: 'Grace Okafor', emails: ['grace@okafor.example'], url: null };
export const otis: Contact = { ...daniel, id: '31', name: 'Otis Featherstonehaugh-Cholmondeley', phones: ['+44 20 7946 0123'], emails: [], company: 'Hotel Meridian, reception', url: null };

export const searched = { by: 'phone' as const, value: '+442079460123' };
export const known: CrmContext = {
  connector: 'crm', state: 'known', searched, contact: daniel, latency_ms: 140,
  facts: { tier: 'VIP', value: 4_200, since: '2021-03-14', owner: 'Ravi Shah', products: ['Full fibre 200', 'Phone line'] },
  open_cases: [
    {
      id: '9', number: '1042', subject: 'Router drops the line at night', status: 'In progress', priority: 'High', opened_at: ago(3 * DAY), updated_at: ago(DAY),
      owner: 'Ravi Shah', url: 'http://127.0.0.1:9/cases/9',
      history: [
        { kind: 'note', at: ago(DAY), by: 'Ravi', text: 'Line test is clean. A new router was sent on Tuesday, second class.' },
        { kind: 'call', at: ago(3 * DAY), by: 'Emma', text: 'Drops every night around eleven since the firmware update.' },
        { kind: 'status', at: ago(3 * DAY), by: null, text: 'New → In progress' },
      ],
    },
    { id: '10', number: '1057', subject: 'Second direct debit in November', status: 'Open', priority: 'Normal', opened_at: ago(DAY / 2), updated_at: null, url: null, history: [] },
  ],
  history: [
    { kind: 'call', at: ago(3 * DAY), by: 'Emma', text: 'Reported that the line drops at night; a line test was promised and done.' },
    { kind: 'mail', at: ago(12 * DAY), by: 'Ravi', text: 'Confirmed the move to Full fibre 200 and its price until March.' },
    { kind: 'note', at: ago(70 * DAY), by: null, text: 'Prefers to be called after five.' },
  ],
};
export const ambiguous: CrmContext = { ...known, state: 'ambiguous', contact: null, facts: undefined, candidates: [daniel, grace, otis], open_cases: [], history: [] } as unknown as CrmContext;
export const unknown: CrmContext = { ...ambiguous, state: 'unknown', candidates: [] };
export const unavailable: CrmContext = { ...unknown, state: 'unavailable', detail: 'The CRM didn’t answer within 4 seconds.' };

export const crmSystem: SystemHealth = { name: 'crm', kind: 'crm', system: 'bottlecrm', resting: false, problem: null, waiting: 0, failed: 0 };
export const teamSystem: SystemHealth = { ...crmSystem, name: 'team', kind: 'team', system: 'matrix' };
export const systems: SystemHealth[] = [
  crmSystem, { ...crmSystem, name: 'mailbox', kind: 'mail', system: 'imap' }, { ...crmSystem, name: 'diary', kind: 'calendar', system: 'caldav' },
];

const agent = { id: 'p-2', role: 'agent' as const, name: 'Emma' };
export const live = { ...call, started_at: ago(134_000), parties: [...call.parties, agent], cards: [card], crm: null, writes: [] } as unknown as Conversation;

const followUp = {
  ...head, wrapup_id: 'w-end-followup-1', kind: 'task', promised_by: 'agent', sentence: said('I’ll have the fee checked by the end of the week.'),
  due: { phrase: 'by the end of the week', is_limit: true, time_zone: 'Europe/London' },
};
export const wrapup = {
  ...noWrapUp, summary: summary('Two direct debits were taken in November; the second is paid back within five working days.'), follow_ups: [followUp],
  sequences: { 'w-end-summary-1': 5, 'w-end-followup-1': 6 },
};
export const ended: Conversation = {
  ...live, state: 'ended', ended_at: ago(5_000), duration_ms: 354_000, last_sequence: 7, crm: known, wrapup, suggested_questions: [],
};

const note = 'Issue\n– Two direct debits were taken in November.\nOutcome\n– The second is paid back within five working days.\n\nWritten by Backchannel from conversation c-9';
export const outcome: Outcome = {
  items: [
    { id: 'case', operation: 'create_case', destination: 'crm', rule: 'ask', title: 'New case', text: `Two direct debits in November\n\n${note}`, due: null, write: null },
    { id: 'note', operation: 'add_note', destination: 'crm', rule: 'ask', title: 'Note with the summary', text: note, due: null, write: null },
    { id: 'call', operation: 'log_call', destination: 'crm', rule: 'automatic', title: 'Entry in the contact’s log', text: `Call of 28 November 2026, 10:14\n\n${note}`, due: null, write: null },
    {
      id: 'task:w-end-followup-1', operation: 'create_task', destination: 'crm', rule: 'ask', title: 'Task for what was promised',
      text: 'I’ll have the fee checked by the end of the week.', due: null, write: null,
    },
    {
      id: 'meeting:w-end-followup-2', operation: 'put_meeting', destination: 'diary', rule: 'ask', title: 'Calendar entry', text: 'I’ll call you back on Thursday at two.',
      due: { date: '2026-12-03', time: '14:00', time_zone: 'Europe/London' }, write: null,
    },
    {
      id: 'mail:w-end-email-1', operation: 'draft_mail', destination: 'mailbox', rule: 'ask', title: 'E-mail draft in your mailbox',
      text: 'Your refund\n\nDear Daniel Okafor, the second payment goes back to the account that paid.', due: null, write: null,
    },
    { id: 'send:w-end-email-1', operation: 'send_mail', destination: 'mailbox', rule: 'ask', title: 'Send the e-mail', text: 'Your refund\n\nDear Daniel Okafor …', due: null, write: null },
  ],
  cases: known.open_cases, why_not: null,
};

/** An effect of an item, by its identifier. */
export const writeOf = (id: string, changes: Partial<CrmWrite> = {}): CrmWrite => {
  const item = outcome.items.find((one) => one.id === id)!;
  return { operation: item.operation, dedupe_key: `key-${id}`, state: 'waiting', destination: item.destination, contact_id: '7', attempts: 0, by: 'Emma', ...changes };
};

export const dead = (id: number, changes: Partial<OutboxItem> = {}): OutboxItem => ({
  id, conversation_id: 'c-9', operation: 'add_note', destination: 'crm', dedupe_key: `key-${id}`, contact_id: '7', contact_name: 'Daniel Okafor', state: 'failed', attempts: 3,
  next_at: null, problem: 'BottleCRM refused the note: the contact was deleted there.', remote_id: null, created_at: ago(50 * MINUTE), updated_at: ago(8 * MINUTE),
  by: 'Emma', text: note, ...changes,
});

/** A house in which one call is on. */
export async function houseWith(conversation: Conversation): Promise<PlayedHouse> {
  const house = await PlayedHouse.start();
  house.answers.set('GET /v1/systems', { items: systems });
  show(house, conversation);
  return house;
}

/** What the service says of the call from now on. */
export function show(house: PlayedHouse, conversation: Conversation): void {
  house.answers.set(`GET /v1/conversations/${conversation.id}`, conversation);
  house.answers.set('GET /v1/conversations', ({ path }: { path: string }) => ({ items: path.includes(`state=${conversation.state}`) ? [conversation] : [], next: null }));
}
