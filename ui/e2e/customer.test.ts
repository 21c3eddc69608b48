import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { playedStage } from './house.ts';
import { look } from './look.ts';
import { ambiguous, daniel, houseWith, known, live, searched, systems, teamSystem, unavailable, unknown } from './played-crm.ts';
import { type PlayedHouse, Refusal } from './played-house.ts';
import { focused } from './staged.ts';

const stage = playedStage();
let house: PlayedHouse;
let page: Page;

async function open(changes: Partial<typeof live> = {}, width = 1440): Promise<void> {
  house = await houseWith({ ...live, ...changes });
  page = await stage.open(house, width);
  await page.goto('/desktop#c-9');
  await page.locator('bc-customer h2').waitFor();
  await expect.poll(() => house.listeners('c-9')).toBe(1);
}

const strip = () => page.locator('bc-customer');
const panel = () => page.locator('bc-customer-panel');

test('the customer comes late and moves nothing', async () => {
  await open({ started_at: new Date(Date.now() + 60_000).toISOString() });
  const places = () =>
    page.evaluate(() => {
      const all: string[] = [];
      const walk = (root: ParentNode) => root.querySelectorAll('*').forEach((element) => {
        if (element.matches('bc-transcript, bc-cards, bc-card, .hand-over, .time, bc-ask, bc-turn')) {
          const { x, y, width, height } = element.getBoundingClientRect();
          all.push([element.localName, x, y, element.matches('.time') ? 0 : width, height].join(' '));
        }
        if (element.shadowRoot) walk(element.shadowRoot);
      });
      walk(document);
      return all;
    });
  for (const width of [1440, 1000, 360]) {
    await page.setViewportSize({ width, height: 800 });
    await strip().locator('.bones i').waitFor();
    await page.waitForTimeout(100);
    const before = await places();
    house.tell('c-9', 4, 'crm.context', known);
    await strip().getByText('Daniel Okafor').waitFor();
    await page.waitForTimeout(100);
    expect(await places(), `at ${width} px`).toEqual(before);
    await page.reload();
    await strip().locator('h2').waitFor();
    await expect.poll(() => house.listeners('c-9')).toBe(1);
  }
  await page.setViewportSize({ width: 1440, height: 900 });
  await expect.poll(() => house.listeners('c-9')).toBe(1);
  house.tell('c-9', 4, 'crm.context', known);
  await strip().getByText('Okafor Joinery · Full fibre 200 · since 2021 · 2 open cases · VIP').waitFor();
  // The panel beside the call: cases with what was done last, the last contacts, a way to the record.
  await panel().getByText('Router drops the line at night').waitFor();
  const record = panel().getByRole('link', { name: /Record/ });
  expect([await record.getAttribute('href'), await record.getAttribute('rel'), await record.getAttribute('target')]).toEqual([daniel.url, 'noopener noreferrer', '_blank']);
  await look(page, 'customer-known');
});

test('what couldn’t be read, a CRM that is late, and one that is away', async () => {
  await open({ crm: { ...known, missing: ['The last contacts couldn’t be read: BottleCRM answered 500.'], history: [], open_cases: [] } });
  await panel().getByText('The last contacts couldn’t be read').waitFor();
  await strip().getByText('no open case').waitFor();
  house.tell('c-9', 4, 'crm.context', unavailable);
  await strip().getByText('CRM not reached – the call goes on').waitFor();
  await panel().getByText('The CRM didn’t answer within 4 seconds. The call goes on.').waitFor();
  house.answers.set('POST /v1/conversations/c-9/crm/contact', known);
  await look(page, 'customer-away', [360, 1440]);
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.getByRole('button', { name: 'Ask the CRM again' }).click();
  await strip().getByText('VIP').waitFor();
  expect(house.sent('POST', '/v1/conversations/c-9/crm/contact')[0]?.body).toEqual({ phone: searched.value });
});

test('of several contacts the agent chooses, by key, and nobody before', async () => {
  await open({ crm: ambiguous });
  await strip().getByText('3 contacts have this number: who is it?').waitFor();
  await look(page, 'customer-choice');
  await page.setViewportSize({ width: 1440, height: 900 });
  // No contact is named as the customer, and none of the list is chosen or focused.
  expect(await strip().locator('h2').innerText()).toBe('Customer');
  expect(await panel().locator('.candidate').count()).toBe(3);
  expect(house.sent('POST', '/v1/conversations/c-9/crm/contact')).toEqual([]);
  await page.keyboard.press('c');
  await page.keyboard.press('ArrowDown');
  let release: (context: unknown) => void = () => undefined;
  house.answers.set('POST /v1/conversations/c-9/crm/contact', () => new Promise((done) => (release = done)));
  await page.keyboard.press('Enter');
  await expect.poll(() => house.sent('POST', '/v1/conversations/c-9/crm/contact').length).toBe(1);
  // A second Enter while the first is on its way chooses nobody else.
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  release({ ...known, contact: { ...daniel, id: '8', name: 'Grace Okafor' }, chosen_by: 'Emma' });
  await strip().getByText('Grace Okafor').waitFor();
  expect(house.sent('POST', '/v1/conversations/c-9/crm/contact').map((one) => one.body)).toEqual([{ contact_id: '8' }]);
  expect(await focused(page)).toBe('h2');
  await panel().getByText('Chosen by Emma.').waitFor();

  // It was the wrong one after all, and something was written already.
  house.answers.set('POST /v1/conversations/c-9/crm/contact', () => {
    throw new Refusal(409, 'a note was written to Grace Okafor already');
  });
  await panel().getByRole('button', { name: 'Somebody else?' }).click();
  await panel().getByLabel('Look up by another number or e-mail').fill('daniel');
  await page.keyboard.press('Enter');
  await panel().getByText('Type a whole telephone number or e-mail address.').waitFor();
  await panel().getByLabel('Look up by another number or e-mail').fill('daniel@okafor.example');
  await page.keyboard.press('Enter');
  await panel().getByText('A note was written to Grace Okafor already.').waitFor();
  await look(page, 'customer-other', [360, 1440]);
});

test('a call that brought no number is looked up by hand', async () => {
  await open();
  await strip().getByText('Not known yet: who is it?').click();
  expect(await focused(page)).toBe('input');
  await panel().getByText('Nobody is known yet').waitFor();
  house.answers.set('POST /v1/conversations/c-9/crm/contact', known);
  await page.keyboard.type('020 7946 0123');
  await page.keyboard.press('Enter');
  await strip().getByText('Daniel Okafor').waitFor();
  expect(house.sent('POST', '/v1/conversations/c-9/crm/contact').map((one) => one.body)).toEqual([{ phone: '020 7946 0123' }]);
});

test('a caller whom the CRM doesn’t know is looked up by what they say', async () => {
  await open({ crm: unknown }, 1000);
  await strip().getByText('Not in the CRM').click();
  await panel().getByText('No contact in the CRM has this number: +442079460123.').waitFor();
  expect(await focused(page)).toBe('input');
  house.answers.set('POST /v1/conversations/c-9/crm/contact', { ...ambiguous, searched: { by: 'email', value: 'daniel@okafor.example' } });
  await page.keyboard.type('Daniel@okafor.example');
  await page.keyboard.press('Enter');
  await panel().getByText('3 contacts have this address.').waitFor();
  house.answers.set('POST /v1/conversations/c-9/crm/contact', { ...unknown, chosen_by: 'Emma' });
  await panel().getByRole('button', { name: 'None of them' }).click();
  await panel().getByText('Emma chose none of the CRM’s contacts. Nothing is written to any.').waitFor();
  await look(page, 'customer-none', [360, 900]);
  await page.setViewportSize({ width: 1000, height: 900 });
  await page.locator('bc-transcript .scroll').focus().catch(() => undefined);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await panel().waitFor({ state: 'detached' });
  expect(house.sent('POST', '/v1/conversations/c-9/crm/contact').map((one) => one.body)).toEqual([{ email: 'Daniel@okafor.example' }, { none: true }]);
});

test('who has solved such a case is named, and the team is asked once', async () => {
  await open({ crm: known });
  house.answers.set('GET /v1/systems', { items: [...systems, teamSystem] });
  house.answers.set('GET /v1/conversations/c-9/experts', {
    items: [{ name: 'Ravi Shah', cases: 3, why: ['Router drops at night', 'Line test after the update'], last: '2026-11-20T10:00:00Z' }],
  });
  let refused = true;
  house.answers.set('POST /v1/conversations/c-9/swarm', ({ body }: { body: unknown }) => {
    if (refused) throw new Refusal(409, 'the room “experts” is not known to the team chat');
    return { operation: 'post_message', dedupe_key: `swarm ${JSON.stringify(body)}`, state: 'waiting', destination: 'team', attempts: 0, by: 'Emma' };
  });
  await page.reload();
  const colleagues = page.locator('bc-colleagues');
  await colleagues.getByRole('button', { name: 'Who has solved this before?' }).click();
  await colleagues.getByText('Ravi Shah').waitFor();
  expect(await colleagues.getByText('3 cases like this').count()).toBe(1);

  const box = colleagues.getByLabel('What do you want to know?');
  await box.fill('Is there a firmware that holds the line?');
  await colleagues.getByRole('button', { name: 'Ask the team' }).click();
  await colleagues.getByText(/is not known to the team chat/).waitFor();
  expect(await box.inputValue(), 'a refusal takes no words away').toBe('Is there a firmware that holds the line?');

  refused = false;
  await colleagues.getByRole('button', { name: 'Ask the team' }).click();
  await colleagues.getByText('Message to the team: on its way').waitFor();
  expect(await box.inputValue()).toBe('');
  expect(house.sent('POST', '/v1/conversations/c-9/swarm').map(({ body }) => body)).toEqual([
    { note: 'Is there a firmware that holds the line?' }, { note: 'Is there a firmware that holds the line?' },
  ]);
  house.tell('c-9', 9, 'crm.write', {
    operation: 'post_message', dedupe_key: 'swarm {"note":"Is there a firmware that holds the line?"}', state: 'done', destination: 'team', attempts: 1,
  });
  await colleagues.getByText('Message to the team: sent').waitFor();
  expect(await colleagues.getByText('Message to the team').count()).toBe(1);
  await look(page, 'colleagues');
});

test('without a team chat nobody is asked, and without a CRM nobody is looked for', async () => {
  await open({ crm: known });
  const colleagues = page.locator('bc-colleagues');
  await colleagues.getByRole('button', { name: 'Who has solved this before?' }).waitFor();
  expect(await colleagues.getByRole('button', { name: 'Ask the team' }).count()).toBe(0);
});
