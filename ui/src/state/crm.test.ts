import { describe, expect, test } from 'vitest';
import type { Contact, CrmContext, CrmWrite } from '../api/crm-types.ts';
import type { Conversation, Envelope } from '../api/types.ts';
import { activityFacts, caseFacts, customerName, isUrgent, lookUpKey, matchOf, stripSays, webAddress } from './crm.ts';
import { apply, fromSnapshot } from './conversation.ts';

const NOW = Date.parse('2026-11-28T12:00:00Z');
const daniel: Contact = {
  id: '7', name: 'Daniel Okafor', phones: ['020 7946 0123', '+44 7700 900123'], emails: ['Daniel@Okafor.example'], company: 'Okafor Joinery', url: 'https://crm.example/contacts/7',
};
const open = { id: '9', number: '1042', subject: 'Router drops', status: 'Open', priority: 'High', opened_at: '2026-11-25T09:00:00Z', updated_at: null, url: null, history: [] };
const known: CrmContext = {
  connector: 'crm', state: 'known', searched: { by: 'phone', value: '+442079460123' }, contact: daniel, open_cases: [open, { ...open, id: '10' }], history: [],
  facts: { tier: 'VIP', value: null, since: '2021-03-01', owner: null, products: ['Full fibre 200'] }, latency_ms: 80,
};
const call = {
  id: 'c-1', state: 'live', channel: 'voice', external_id: null, started_at: '2026-11-28T11:58:00Z', ended_at: null, duration_ms: 0, parties: [], attributes: {},
  turn_count: 0, card_count: 0, last_turn: null, last_sequence: 2, position: '2', turns: [], cards: [], questions: [], gaps: [], wrapup: null,
} satisfies Conversation;
const event = (type: string, sequence: number, data: unknown): Envelope =>
  ({ id: `e-${sequence}`, type: `backchannel.${type}`, time: '2026-11-28T11:59:00Z', subject: 'c-1', sequence, data });
const write = (changes: Partial<CrmWrite> = {}): CrmWrite => ({ operation: 'add_note', dedupe_key: 'a1', state: 'waiting', destination: 'crm', attempts: 0, ...changes });

describe('what is streamed', () => {
  test('a snapshot of a service without a CRM shows none', () => {
    const view = fromSnapshot(call);
    expect([view.crm, view.writes, customerName(view)]).toEqual([null, [], 'Customer']);
  });

  test('the newest context stands, in whatever order the two come', () => {
    const looked = event('crm.context', 3, { ...known, state: 'ambiguous', contact: null });
    const chosen = event('crm.context', 4, { ...known, chosen_by: 'Emma' });
    for (const events of [[looked, chosen], [chosen, looked]]) {
      const view = events.reduce(apply, fromSnapshot(call));
      expect([view.crm?.state, customerName(view), view.ahead]).toEqual(['known', 'Daniel Okafor', []]);
    }
  });

  test('the newest state of an effect stands, and of its destination alone', () => {
    const waits = event('crm.write', 3, write());
    const failed = event('crm.write', 4, write({ state: 'failed', problem: 'The CRM refused the note.' }));
    const elsewhere = event('crm.write', 5, write({ destination: 'mail' }));
    for (const events of [[waits, failed, elsewhere], [elsewhere, failed, waits]]) {
      const view = events.reduce(apply, fromSnapshot(call));
      expect(view.writes.find((one) => one.destination === 'crm')?.state).toBe('failed');
      expect(view.writes).toHaveLength(2);
    }
    expect(apply(fromSnapshot({ ...call, writes: [write()] }), failed).writes).toMatchObject([{ state: 'failed' }]);
  });
});

describe('the head of a call', () => {
  const says = (crm: CrmContext | null, hasCrm = true, state: 'live' | 'ended' = 'live', age = 2_000) =>
    stripSays({ ...fromSnapshot(call), crm, state }, hasCrm, [], Date.parse(call.started_at) + age);

  test('who it is, in a line', () => {
    expect(says(known)).toEqual({ is: 'facts', facts: ['Okafor Joinery', 'Full fibre 200', 'since 2021', '2 open cases'], tier: 'VIP' });
    expect(says({ ...known, facts: undefined, contact: { ...daniel, company: null }, open_cases: [] } as unknown as CrmContext)).toEqual({ is: 'facts', facts: ['no open case'], tier: null });
  });

  test('one that isn’t clear is chosen, one that isn’t known is said to be so', () => {
    expect(says({ ...known, state: 'ambiguous', contact: null, candidates: [daniel, daniel] })).toEqual({ is: 'choose', words: '2 contacts have this number' });
    expect(says({ ...known, state: 'unknown', contact: null })).toEqual({ is: 'unknown', words: 'Not in the CRM' });
  });

  test('a CRM that is late or away holds nobody up', () => {
    expect(says(null)).toEqual({ is: 'waiting' });
    expect(says(null, false)).toEqual({ is: 'words', words: 'No customer record' });
    // A call without a number is never looked up: somebody has to ask, during the call or after it.
    expect([says(null, true, 'live', 9_000), says(null, true, 'ended')]).toEqual(Array(2).fill({ is: 'unknown', words: 'Not known yet: who is it?' }));
    expect(says({ ...known, state: 'unavailable', contact: null })).toEqual({ is: 'words', words: 'CRM not reached – the call goes on' });
  });
});

describe('words', () => {
  test('a candidate bears the number in its own spelling', () => {
    expect(matchOf(daniel, known)).toBe('020 7946 0123');
    expect(matchOf(daniel, { ...known, searched: { by: 'email', value: 'daniel@okafor.example' } })).toBe('Daniel@Okafor.example');
    expect(matchOf({ ...daniel, phones: [] }, known)).toBe('');
  });

  test('what is typed is a number, an address, or neither', () => {
    expect(lookUpKey(' +44 20 7946 0123 ')).toEqual({ phone: '+44 20 7946 0123' });
    expect(lookUpKey('dan@okafor.example')).toEqual({ email: 'dan@okafor.example' });
    expect(['Okafor', '12', 'a@b', ''].map(lookUpKey)).toEqual([undefined, undefined, undefined, undefined]);
  });

  test('cases and contacts in a line', () => {
    expect(caseFacts(open, NOW)).toEqual(['#1042', 'Open', 'opened 3 days ago']);
    expect(['High', 'P1', '1 - Critical', 'low', null].map(isUrgent)).toEqual([true, true, true, false, false]);
    expect(activityFacts({ kind: 'call', at: '2026-11-27T09:00:00Z', by: 'Emma', text: '' }, NOW)).toBe('Call · yesterday · Emma');
  });

  test('only addresses of the web are opened', () => {
    expect(['https://crm.example/1', 'http://crm.local', 'javascript:alert(1)', 'data:text/html,x', null].map(webAddress))
      .toEqual(['https://crm.example/1', 'http://crm.local', undefined, undefined, undefined]);
  });
});
