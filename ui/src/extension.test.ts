import { expect, test } from 'vitest';
// @ts-expect-error The extension is plain JavaScript: it is loaded as it is.
import { e164, matching, nameOf } from '../extension/match.js';

const call = (id: string, attributes: Record<string, string>) => ({ id, attributes, parties: [{ role: 'customer' }], started_at: '2026-11-28T10:00:00Z' });
const calls = [
  call('a', { from: '+442079460123', to: '+448001111' }), call('b', { caller: 'sip:+447700900999@carrier.example', to: '+448001111' }),
  call('c', { email: 'Dan@okafor.example' }), call('d', { direction: 'outbound', from: '+448001111', to: '+442079460555' }),
];
const ids = (phones: string[], emails: string[] = [], country = '+44') => (matching(calls, { phones, emails }, country) as { id: string }[]).map((one) => one.id);

test('a call belongs to a page by its customer’s number or address, however it is spelt', () => {
  expect([ids(['020 7946 0123']), ids(['+44 (0)7700 900999']), ids([], ['dan@OKAFOR.example']), ids(['020 7946 0555'])]).toEqual([['a'], ['b'], ['c'], ['d']]);
});

test('the company’s own line, short numbers and nothing fit no call', () => {
  expect([ids(['+44 800 1111']), ids(['0123']), ids([])]).toEqual([[], [], []]);
});

test('a number that only ends like the caller’s fits no call', () => {
  expect(ids(['+446947012345', '+12079460123', '+352079460123', '+4942079460123'])).toEqual([]);
  // Without a code in the options nobody knows whose a national number is.
  expect([ids(['020 7946 0123'], [], ''), ids(['020 7946 0123'], [], '+1'), ids(['+44 20 7946 0123'], [], '')]).toEqual([[], [], ['a']]);
});

test('numbers are compared as they are dialled from abroad', () => {
  for (const text of ['+44 (0)20 7946-0123', '0044 20 7946 0123', 'tel:+44-20-7946-0123', '(020) 7946 0123', '020 7946 0123']) expect(e164(text, '+44')).toBe('+442079460123');
  expect([e164('(555) 123-0001', '+1'), e164('1 555 123 0001', '1'), e164('011 44 20 7946 0123', '+1'), e164('06 6982 1234', '+39'), e164('8 (495) 123-45-67', '+7'), e164('06 1 234 5678', '+36')])
    .toEqual(['+15551230001', '+15551230001', '+442079460123', '+390669821234', '+74951234567', '+3612345678']);
  for (const none of ['', '999', 'anonymous', '+44 20 7946 0123 ext. 7', '+', '00', '12345678901234567']) expect(e164(none, '+44')).toBe('');
});

test('a call is named as well as it can be', () => {
  expect(nameOf(calls[0])).toMatch(/^\+442079460123 · since /);
  expect(nameOf({ ...calls[0], attributes: { customer_name: 'Daniel' } })).toMatch(/^Daniel · since /);
});
