import { expect, test } from 'vitest';
import type { OutboxItem, SystemHealth } from '../api/crm-types.ts';
import { countOf, emptyText, healthText, operationName, outboxAction, outboxTabs, systemName, triesText, untilText, withWrite } from './outbox.ts';

const NOW = Date.parse('2026-11-28T12:00:00Z');
const row = (changes: Partial<OutboxItem> = {}): OutboxItem => ({
  id: 1, conversation_id: 'c-1', operation: 'add_note', destination: 'crm', dedupe_key: 'k', contact_id: '7', state: 'failed', attempts: 4, next_at: null,
  problem: 'The CRM refused it.', remote_id: null, created_at: '2026-11-28T11:00:00Z', updated_at: '2026-11-28T11:30:00Z', by: 'Emma', text: 'Text', ...changes,
});
const crm: SystemHealth = { name: 'crm', kind: 'crm', system: 'bottlecrm', resting: true, problem: null, waiting: 120, failed: 0 };

test('a row moves on in its place, and never back', () => {
  const rows = [row(), row({ id: 2, conversation_id: 'c-2' })];
  const write = { operation: 'add_note', dedupe_key: 'k', state: 'done' as const, destination: 'crm', attempts: 5, remote_id: '88' };
  const moved = withWrite(rows, 'c-1', write, '2026-11-28T11:31:00Z');
  expect(moved.map((one) => [one.id, one.state, one.remote_id, one.problem])).toEqual([[1, 'done', '88', null], [2, 'failed', null, 'The CRM refused it.']]);
  expect(withWrite(rows, 'c-1', write, '2026-11-28T11:29:00Z')).toBe(rows);
  expect(withWrite(rows, 'c-3', write, '2026-11-28T11:31:00Z')).toBe(rows);
});

test('counts by tab and system', () => {
  const tally = [
    { destination: 'crm', state: 'failed' as const, count: 3 }, { destination: 'mail', state: 'failed' as const, count: 1 },
    { destination: 'crm', state: 'waiting' as const, count: 5 }, { destination: 'crm', state: 'sending' as const, count: 1 },
  ];
  expect([countOf(tally, 'failed', ''), countOf(tally, 'failed', 'mail'), countOf(tally, 'waiting', 'crm'), countOf([], 'done', '')]).toEqual([4, 1, 6, 0]);
});

test('how a system is, in words', () => {
  expect([systemName([crm], 'crm'), systemName([crm], 'old-crm')]).toEqual(['CRM (BottleCRM)', 'old-crm']);
  expect([healthText(crm), healthText({ ...crm, resting: false, waiting: 0 }), healthText({ ...crm, resting: false, waiting: 0, failed: 2 })])
    .toEqual(['resting, 120 waiting', 'in order', '2 failed']);
  const problem = 'the key was not accepted: status 401';
  expect(healthText({ ...crm, problem })).toBe('resting, the key was not accepted: status 401, 120 waiting');
});

test('when and how often', () => {
  const at = (seconds: number) => untilText(new Date(NOW + seconds * 1_000).toISOString(), NOW);
  expect([at(-5), at(40), at(200), at(7_200), untilText('never', NOW)]).toEqual(['now', 'in 40 s', 'in 3 min', 'in 2 h', '']);
  expect(triesText(row({ state: 'waiting', attempts: 1, next_at: '2026-11-28T12:03:00Z' }), NOW)).toBe('1 try, next in 3 min');
  expect([triesText(row(), NOW), triesText(row({ state: 'waiting', attempts: 0, next_at: '2026-11-28T12:03:00Z' }), NOW)]).toEqual(['4 tries', 'not tried yet']);
  expect([operationName('log_call'), operationName('new_thing')]).toEqual(['Entry in the contact’s log', 'New thing']);
});

test('every tab says what will be there, and every key does what the map says', () => {
  expect(outboxTabs.every((tab) => emptyText(tab.id).length > 0)).toBe(true);
  const press = (key: string, typing = false, repeat = false) => outboxAction({ key, ctrlKey: false, metaKey: false, altKey: false, repeat }, typing);
  expect([press('r'), press('1'), press('r', true), press('Escape', true), press('x', false, true), press('j', false, true)])
    .toEqual(['retry', 'failed', undefined, 'close', undefined, 'next']);
});
