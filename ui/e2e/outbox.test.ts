import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import type { OutboxItem, Tally, WriteState } from '../src/api/crm-types.ts';
import { playedStage } from './house.ts';
import { look } from './look.ts';
import { dead, systems } from './played-crm.ts';
import { type Asked, PlayedHouse, Refusal } from './played-house.ts';

const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
const rows: OutboxItem[] = [
  dead(41),
  dead(40, { operation: 'draft_mail', destination: 'mailbox', contact_name: undefined, contact_id: null, by: null, attempts: 9, problem: 'The mailbox refused the sign-in: its password was changed.', text: 'Your refund\n\nDear Daniel …' }),
  dead(39, { operation: 'create_task', attempts: 1, problem: 'BottleCRM refused the task: its due date lies in the past.', text: 'Call back about the fee', contact_name: undefined }),
  dead(38, { state: 'waiting', attempts: 4, next_at: inMs(200_000), problem: 'BottleCRM can’t be reached.' }),
  dead(37, { state: 'waiting', attempts: 0, problem: null, operation: 'log_call', conversation_id: 'c-10' }),
  dead(36, { state: 'done', attempts: 1, problem: null, remote_id: '88' }),
];

const stage = playedStage();
let house: PlayedHouse;
let page: Page;
let store: OutboxItem[];

async function open(items = rows): Promise<void> {
  // Counted from now: on a slow machine the file has been read a minute ago.
  store = items.map((one) => ({ ...one, next_at: one.next_at === null ? null : inMs(200_000) }));
  house = await PlayedHouse.start();
  const tally = (): Tally[] => {
    const counts = new Map<string, Tally>();
    for (const { destination, state } of store) {
      const key = `${destination} ${state}`;
      counts.set(key, { destination, state, count: (counts.get(key)?.count ?? 0) + 1 });
    }
    return [...counts.values()];
  };
  house.answers.set('GET /v1/outbox', ({ path }: Asked) => {
    const state = new URL(path, house.url).searchParams.get('state');
    return { items: store.filter((one) => state === null || one.state === state), next: null, tally: tally() };
  });
  const count = (name: string, state: WriteState) => store.filter((one) => one.destination === name && one.state === state).length;
  house.answers.set('GET /v1/systems', () => ({
    items: systems.map((one) => ({ ...one, waiting: count(one.name, 'waiting'), failed: count(one.name, 'failed'), resting: one.kind === 'crm' && count(one.name, 'waiting') > 0 })),
  }));
  for (const { id } of store) {
    const move = (state: WriteState) => () => {
      const one = store.find((row) => row.id === id)!;
      Object.assign(one, { state, updated_at: inMs(0) });
      return one;
    };
    house.answers.set(`POST /v1/outbox/${id}/retry`, move('waiting'));
    house.answers.set(`POST /v1/outbox/${id}/discard`, move('discarded'));
  }
  page = await stage.open(house);
  await page.goto('/outbox');
  await page.locator('bc-tabs').waitFor();
  await expect.poll(() => house.listeners('/v1/events')).toBe(1);
  await page.locator('bc-outbox-row, .empty').first().waitFor();
}

const row = (id: number) => page.locator('bc-outbox-row').nth(store.filter((one) => rows.find((first) => first.id === one.id)?.state === 'failed').findIndex((one) => one.id === id));

test('dead letters come first; one is tried again and is seen to get there', async () => {
  await open();
  await page.getByText('CRM (BottleCRM): resting, 2 waiting, 2 failed').waitFor();
  expect(await page.locator('bc-outbox-row').count()).toBe(3);
  await row(41).getByText('BottleCRM refused the note: the contact was deleted there.').waitFor();
  await row(41).getByText('Daniel Okafor · 3 tries · put by Emma').waitFor();
  expect(await row(41).getByRole('link', { name: 'the call' }).getAttribute('href')).toBe('/desktop#c-9');
  await look(page, 'outbox-failed');
  await page.setViewportSize({ width: 1440, height: 900 });

  const places = () => page.locator('bc-outbox-row').evaluateAll((all) => all.map((one) => one.getBoundingClientRect().y));
  const before = await places();
  await page.keyboard.press('j');
  await page.keyboard.press('r');
  await row(41).getByText(/^Waiting/).waitFor();
  expect(house.sent('POST', '/v1/outbox/41/retry')).toHaveLength(1);
  const { operation, dedupe_key, destination } = store[0]!;
  Object.assign(store[0]!, { state: 'done', updated_at: inMs(10) });
  house.tell('c-9', 1, 'crm.write', { operation, dedupe_key, destination, state: 'done', attempts: 4, remote_id: '90' }, inMs(10));
  await row(41).getByText(/^Written/).waitFor();
  // It stays where it is read, and the numbers follow.
  expect((await places()).slice(0, 1)).toEqual(before.slice(0, 1));
  await page.getByRole('tab', { name: 'Failed 2' }).waitFor();
  await page.getByRole('tab', { name: 'Written 2' }).waitFor();

  // Something else fails meanwhile: it waits above until somebody asks for it.
  store.unshift(dead(50, { dedupe_key: 'key-50', problem: 'BottleCRM refused the note: it is too long.' }));
  house.tell('c-11', 1, 'crm.write', { operation: 'add_note', dedupe_key: 'key-50', destination: 'crm', state: 'failed', attempts: 1, problem: 'x' });
  await page.getByRole('button', { name: '1 change since: show' }).click();
  await page.getByText('it is too long').waitFor();
  expect(await page.locator('bc-outbox-row').count()).toBe(3);
});

test('throwing away is asked once, and Enter alone throws nothing away', async () => {
  await open();
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  await row(40).getByText('Throw it away? It is not tried again.').waitFor();
  await look(page, 'outbox-asked', [360, 1440]);
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.keyboard.press('Enter');
  await row(40).getByRole('button', { name: 'Try again' }).waitFor();
  expect(house.sent('POST', '/v1/outbox/40/discard')).toEqual([]);
  await page.keyboard.press('x');
  await row(40).getByText('Throw it away?').waitFor();
  await page.keyboard.press('Escape');
  await row(40).getByRole('button', { name: 'Try again' }).waitFor();
  await row(40).getByRole('button', { name: 'Throw away…' }).click();
  await row(40).getByRole('button', { name: /^Throw away: / }).click();
  await row(40).getByText(/^Thrown away/).waitFor();
  expect(house.sent('POST', '/v1/outbox/40/discard')).toHaveLength(1);
  // It moved in another window meanwhile.
  house.answers.set('POST /v1/outbox/39/retry', () => {
    throw new Refusal(409, 'it was thrown away by Ravi');
  });
  await row(39).getByRole('button', { name: 'Try again' }).click();
  await page.locator('bc-announcer .toast').getByText('It isn’t tried again. It was thrown away by Ravi.').waitFor();
});

test('by state and by system, all again, and what an empty list says', async () => {
  await open();
  await page.getByRole('combobox', { name: 'System' }).selectOption('mailbox');
  expect(await page.locator('bc-outbox-row').count()).toBe(1);
  await page.getByRole('tab', { name: 'Failed 1' }).waitFor();
  await page.getByRole('combobox', { name: 'System' }).selectOption('');
  await page.getByRole('button', { name: 'Try all 3 again' }).click();
  await page.getByText('Failed', { exact: false }).first().waitFor();
  await expect.poll(() => house.asked.filter((one) => one.path.endsWith('/retry')).map((one) => one.path)).toEqual(['/v1/outbox/39/retry', '/v1/outbox/40/retry', '/v1/outbox/41/retry']);
  // The field keeps its letters and digits to itself until it is left.
  await page.keyboard.press('Escape');
  await page.keyboard.press('2');
  await page.getByText('4 tries, next in 3 min').waitFor();
  await page.getByText('not tried yet').first().waitFor();
  await look(page, 'outbox-waiting');
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.keyboard.press('1');
  await page.getByText('Nothing failed.').waitFor();
  await look(page, 'outbox-empty', [360, 1440]);
  await page.keyboard.press('?');
  await look(page, 'outbox-keys', [360]);
  await page.keyboard.press('Escape');
  house.answers.set('GET /v1/outbox', () => {
    throw new Refusal(503, 'the store can’t be read');
  });
  await page.keyboard.press('3');
  await page.getByText('The store can’t be read.').waitFor();
});
