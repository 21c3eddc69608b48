import { expect, test } from 'vitest';
// @ts-expect-error The extension is plain JavaScript: it is loaded as it is.
import { matching, nameOf } from '../extension/match.js';

const call = (id: string, attributes: Record<string, string>) => ({ id, attributes, parties: [{ role: 'customer' }], started_at: '2026-11-28T10:00:00Z' });
const calls = [
  call('a', { from: '+442079460123', to: '+448001111' }), call('b', { caller: 'sip:+447700900999@carrier.example', to: '+448001111' }),
  call('c', { email: 'Dan@okafor.example' }), call('d', { direction: 'outbound', from: '+448001111', to: '+442079460555' }),
];
const ids = (phones: string[], emails: string[] = []) => (matching(calls, { phones, emails }) as { id: string }[]).map((one) => one.id);

test('a call belongs to a page by its customer’s number or address, however it is spelt', () => {
  expect([ids(['020 7946 0123']), ids(['+44 (0)7700 900999']), ids([], ['dan@OKAFOR.example']), ids(['020 7946 0555'])]).toEqual([['a'], ['b'], ['c'], ['d']]);
});

test('the company’s own line, short numbers and nothing fit no call', () => {
  expect([ids(['+44 800 1111']), ids(['0123']), ids([])]).toEqual([[], [], []]);
});

test('a call is named as well as it can be', () => {
  expect(nameOf(calls[0])).toMatch(/^\+442079460123 · since /);
  expect(nameOf({ ...calls[0], attributes: { customer_name: 'Daniel' } })).toMatch(/^Daniel · since /);
});
