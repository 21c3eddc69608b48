import { resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import type { RouteRecommended } from '../src/api/routing-types.ts';
import { playedStage } from './house.ts';
import { look } from './look.ts';
import { type PlayedHouse, Refusal } from './played-house.ts';
import { agents, assigned, decision, nobody, planText, playRouting, queues } from './played-routing.ts';

const WIDTHS = [360, 1000, 1440];

const stage = playedStage();
let house: PlayedHouse;
let page: Page;

async function open(hash = '', { mode = 'active', decisions = [] as RouteRecommended[], plan = true, ready = true } = {}): Promise<void> {
  house = await playRouting(decisions);
  page = await stage.open(house);
  // A played house speaks JSON alone.
  if (plan) await page.route('**/v1/routing/plan', (route) => route.fulfill({ contentType: 'application/toml', headers: { etag: '"4"' }, body: planText(mode) }));
  await page.goto(`/floor/routing${hash}`);
  await page.locator('bc-tabs').waitFor();
  if (ready) await expect.poll(() => house.listeners('/v1/events')).toBe(1);
}

const wide = () => page.setViewportSize({ width: 1440, height: 900 });

test('queues are read against their promise, and follow without changing their places', async () => {
  await open('');
  await page.getByRole('heading', { name: '10 wait, longer than promised in Billing. Nobody is there for Porting.' }).waitFor();
  const billing = page.getByRole('row', { name: /^Billing/ });
  await billing.getByText(/1:3\d of 0:30, late/).waitFor();
  await billing.getByText('0 free').waitFor();
  await billing.getByText('3 busy, 1 away').waitFor();
  await billing.getByText('6 or more waiting: on to General – now').waitFor();
  await look(page, 'routing-queues', WIDTHS);
  await wide();
  const names = () => page.locator('bc-route-queues [data-row]').evaluateAll((rows) => rows.map((row) => [row.getAttribute('data-row'), row.getBoundingClientRect().y]));
  const before = await names();
  // Somebody is answered: it is counted, and the numbers are read again.
  const one = decision();
  house.answers.set('GET /v1/routing/queues', { items: queues.map((queue) => (queue.name === 'Billing' ? { ...queue, waiting: 1, longest_wait_ms: 3_000, free: 2 } : queue)) });
  house.tell('c-9', 1, 'route.recommended', one);
  house.tell('c-9', 2, 'route.assigned', assigned(one));
  await page.getByRole('heading', { name: '4 wait, none longer than promised.', exact: false }).waitFor();
  await billing.getByText('1 of 1').waitFor();
  expect(await names()).toEqual(before);
  // The rows can be gone through, and the keys are shown.
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  expect(await page.locator('bc-route-queues [data-row]').nth(1).evaluate((row) => row.matches(':focus'))).toBe(true);
  await page.keyboard.press('?');
  await page.getByText('Show the new decisions').waitFor();
  await look(page, 'routing-keys', [360]);
  await page.keyboard.press('Escape');
});

test('a decision opens to everything that was weighed, and what goes along', async () => {
  const [first, none] = [decision(), nobody()];
  await open('#decisions', { decisions: [first, none] });
  const chosen = page.locator('bc-route-decision', { hasText: 'Emma' });
  await chosen.waitFor();
  expect(await page.locator('bc-route-decision').count()).toBe(2);
  // Below the newer one, for which nobody was free.
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('o');
  await chosen.getByText('The same for all, so it decided nothing').waitFor();
  await chosen.getByRole('row', { name: /^Emma chosen/ }).getByText('82 %').waitFor();
  await chosen.getByRole('row', { name: /^Ravi Shah runner-up/ }).getByText('4 min 46 s each').waitFor();
  await chosen.getByText('If Ravi Shah took 226 s instead of 286 s.').waitFor();
  await chosen.getByText('refund or double payment', { exact: true }).waitFor();
  await chosen.getByText('double payment heard, just then').waitFor();
  expect(await chosen.getByRole('link', { name: 'The conversation' }).getAttribute('href')).toBe('/desktop#c-9');
  await look(page, 'routing-decision', WIDTHS);
  await wide();
  await chosen.getByRole('button').first().focus();
  await page.keyboard.press('h');
  await chosen.getByText('The second is paid back within five working days.').waitFor();
  await chosen.getByText('account number hidden').waitFor();
  await chosen.locator('bc-pack').scrollIntoViewIfNeeded();
  await look(page, 'routing-pack', [360, 1440]);
  await wide();

  // What comes meanwhile waits above; what is known of a row is told in it.
  const y = () => chosen.evaluate((row) => row.getBoundingClientRect().y);
  const before = await y();
  const next = decision({ at_ms: Date.now() + 1_000, reason: 'Bo is first by score in `Billing`' });
  house.tell('c-10', 1, 'route.recommended', next);
  house.tell('c-9', 1, 'route.assigned', assigned(first, { agent: 'Bo', by: 'Grace' }));
  await page.getByRole('button', { name: '1 new decision: show' }).waitFor();
  await chosen.getByText('Went to Bo instead, by Grace, after 24 s.').waitFor();
  expect(await page.locator('bc-route-decision').count()).toBe(2);
  expect(await y()).toBe(before);
  await page.keyboard.press('n');
  await expect.poll(() => page.locator('bc-route-decision').count()).toBe(3);
  await page.locator('bc-route-decision').first().getByText('Bo is first by score').waitFor();
});

test('shadow is marked as recommended only, and one conversation is found with all of its decisions', async () => {
  const shadow = decision({ mode: 'shadow' });
  await open('#decisions', { mode: 'shadow', decisions: [shadow] });
  await page.getByText('shadow: recommended only').waitFor();
  await page.locator('bc-route-decision').getByText('recommended only', { exact: true }).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('http://127.0.0.1/desktop#c-9');
  await page.keyboard.press('Enter');
  await expect.poll(() => house.listeners('/v1/conversations/c-9/events')).toBe(1);
  house.tell('c-9', 1, 'route.recommended', decision({ mode: 'shadow', reason: 'Bo is first by score in `Billing`', at_ms: Date.now() - 9_000_000 }));
  await page.getByText('Bo is first by score').waitFor();
  expect(await page.evaluate(() => location.hash)).toBe('#decisions/c-9');
  await page.locator('bc-route-decision').first().getByRole('button').first().click();
  await page.getByText('Another router, or a person, decides who gets it.').waitFor();
  await look(page, 'routing-shadow', [360, 1440]);
  await wide();
  await page.getByRole('searchbox').fill('c-404');
  await page.keyboard.press('Enter');
  await page.getByText('There is no conversation “c-404” here.').waitFor();
  await page.getByRole('button', { name: 'All decisions' }).click();
  await page.locator('bc-route-decision').first().waitFor();
});

test('agents with presence, room and skills; found by a skill', async () => {
  await open('#agents');
  await page.getByRole('heading', { name: '3 with room, 1 busy, 2 away.' }).waitFor();
  await page.getByRole('row', { name: /^Emma/ }).getByText('Available, room for messages').waitFor();
  await look(page, 'routing-agents', WIDTHS);
  await wide();
  await page.getByRole('searchbox').fill('fibre');
  await expect.poll(() => page.locator('bc-route-agents [data-row]').count()).toBe(3);
  await page.getByRole('searchbox').fill('nobody like that');
  await page.getByText('No agent fits these words.').waitFor();
  // Presence comes by looking again: no event tells of it.
  await page.getByRole('searchbox').fill('');
  house.answers.set('GET /v1/routing/agents', { items: agents.map((one) => ({ ...one, presence: 'away' })) });
  await page.getByRole('heading', { name: '0 with room, 0 busy, 6 away.' }).waitFor();
});

test('a comparison is drawn, and says in words where no gain is shown', async () => {
  await open('#comparison');
  await page.getByText('No comparison is open').waitFor();
  await look(page, 'routing-no-comparison', [360, 1440]);
  await wide();
  await page.locator('input[type=file]').setInputFiles({ name: 'wrong.json', mimeType: 'application/json', buffer: Buffer.from('{"wer":0.1}') });
  await page.getByText('This file is no comparison: it holds no “loads” with policies.').waitFor();
  await page.locator('input[type=file]').setInputFiles(resolve('e2e/comparison.json'));
  await page.getByText('Context answers more in time than skills only: +6.0 points (+5.3 to +6.7).').waitFor();
  await page.getByText('No kind of contact is answered in time less often.', { exact: false }).waitFor();
  await page.locator('bc-plot-loads svg polyline').first().waitFor();
  expect(await page.locator('bc-plot-loads svg polyline').count()).toBe(5);
  await look(page, 'routing-comparison', WIDTHS);
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.locator('bc-plot-waits').scrollIntoViewIfNeeded();
  await look(page, 'routing-plots', WIDTHS);
  await wide();
  // At the lightest load, first come isn't shown to differ.
  await page.keyboard.press('l');
  await page.getByRole('row', { name: /^First come/ }).getByText('no difference shown').waitFor();
});

test('off, empty and broken are said', async () => {
  await open('', { plan: false });
  await page.getByRole('heading', { name: 'Routing is off' }).waitFor();
  await page.getByText('There is no plan yet').waitFor();
  await look(page, 'routing-off', [360, 1440]);
  await wide();
  await page.keyboard.press('4');
  await page.getByText('No comparison is open').waitFor();
  // A plan is put: the page finds it by itself.
  await page.route('**/v1/routing/plan', (route) => route.fulfill({ contentType: 'application/toml', body: planText() }));
  await page.keyboard.press('1');
  await page.getByRole('row', { name: /^Billing/ }).waitFor();
  await page.keyboard.press('2');
  await page.getByText('Nothing was decided yet.').waitFor();
  await look(page, 'routing-empty', [360]);
  await wide();
  house.answers.set('GET /v1/routing/queues', () => {
    throw new Refusal(503, 'the router is starting');
  });
  await page.reload();
  await page.getByText('The router is starting.').waitFor();
  house.answers.set('GET /v1/routing/queues', { items: [] });
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.keyboard.press('1');
  await page.getByText('The plan has no queues.').waitFor();
});
