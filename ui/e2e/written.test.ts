import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Turn } from '../src/api/types.ts';
import { launch, watchErrors } from './browser.ts';
import { look } from './look.ts';
import { card } from './played.ts';
import { PlayedHouse } from './played-house.ts';
import { StagedCall, focused } from './staged.ts';

let browser: Browser;
let house: PlayedHouse;
let context: BrowserContext;
let page: Page;
let errors: string[];

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());
beforeEach(async () => {
  house = await PlayedHouse.start();
  context = await browser.newContext({ viewport: { width: 1440, height: 900 }, baseURL: house.url });
  page = await context.newPage();
  page.setDefaultTimeout(10_000);
  errors = watchErrors(page);
});
afterEach(async () => {
  expect(errors).toEqual([]);
  await context.close();
  await house.stop();
});

const asked: Turn = { turn_id: 't-1', party: { id: 'p-1', role: 'customer', name: '+442079460123' }, start_ms: 0, end_ms: 0, text: 'Hello,\n\nwhen do I get my money back?' };
const answered: Turn = { turn_id: 't-2', party: { id: 'p-2', role: 'agent', name: 'Emma' }, start_ms: 61_000, end_ms: 61_000, text: card.text };
const sms = { channel: 'sms', state: 'live', turns: [asked], attributes: { connector: 'twilio_sms', from: '+442079460123', to: '+15550100' } } as const;
const written = { operation: 'send_reply', dedupe_key: '00ff', destination: 'twilio_sms', attempts: 0, turn_id: 't-2', by: 'Emma' };

test('a card goes into the reply by key, and the reply out by Ctrl + Enter; what became of it is told', async () => {
  const call = await StagedCall.open(page, { ...sms, turns: [...sms.turns] });
  const box = page.getByRole('textbox', { name: 'Reply by SMS' });
  await box.waitFor();
  expect(await page.locator('bc-turn [data-turn="t-1"] p').evaluate((p) => getComputedStyle(p).whiteSpace)).toBe('pre-wrap');
  await look(page, 'written');
  await page.setViewportSize({ width: 1440, height: 900 });

  const reply = await call.answers('replies');
  await page.keyboard.press('1');
  await expect.poll(() => box.inputValue()).toBe(card.text);
  expect(await focused(page)).toBe('textarea');
  await page.keyboard.press('Control+Enter');
  expect(await reply.asked).toEqual({ id: expect.stringMatching(/^[0-9a-f-]{36}$/), text: card.text, card_id: card.card_id });
  reply.answer({ turn_id: 't-2', destination: 'twilio_sms' }, {}, 201);
  await expect.poll(() => box.inputValue()).toBe('');

  await call.tell('turn.final', answered);
  await call.tell('crm.write', { ...written, state: 'waiting' });
  const turn = page.locator('bc-turn', { has: page.locator('[data-turn="t-2"]') });
  await turn.getByText('sending …').waitFor();
  await call.tell('crm.write', { ...written, state: 'failed', problem: 'it refuses: status 400' });
  await turn.getByText('not sent: it refuses: status 400').waitFor();
  await look(page, 'written-failed', [360, 1440]);
  await page.setViewportSize({ width: 1440, height: 900 });
  const again = await call.answers('replies/t-2/retry');
  await turn.getByRole('button', { name: 'Send again' }).click();
  await again.asked;
  again.answer({ turn_id: 't-2', state: 'waiting' });
  await call.tell('crm.write', { ...written, state: 'done', remote_id: 'SM1' });
  await turn.getByText('sent', { exact: true }).waitFor();
});

test('what was begun stays when it can’t be sent, and goes to nobody else', async () => {
  const call = await StagedCall.open(page, { ...sms, turns: [...sms.turns] });
  const box = page.getByRole('textbox', { name: 'Reply by SMS' });
  await box.fill('On Monday.');
  const reply = await call.answers('replies');
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  const first = (await reply.asked) as { id: string };
  reply.answer({ title: 'Conflict', status: 409, detail: 'it has ended' }, {}, 409);
  await page.locator('bc-announcer .toast').getByText('The reply wasn’t sent').waitFor();
  expect(await box.inputValue()).toBe('On Monday.');
  // The same words again are the same reply.
  const second = await call.answers('replies');
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  expect(((await second.asked) as { id: string }).id).toBe(first.id);
  second.answer({ turn_id: 't-2', destination: 'twilio_sms' }, {}, 201);
  await expect.poll(() => box.inputValue()).toBe('');
  await call.tell('conversation.ended', { reason: 'timeout', duration_ms: 61_000 });
  await box.waitFor({ state: 'detached' });
});

test('a visitor writes, sees answers and masks, and comes back to the same chat', async () => {
  const frame = (id: number, event: string, data: unknown) => `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
  const own = { turn_id: 't-1', by: 'visitor', text: 'My card is [card-1].', at_ms: 0 };
  const theirs = { turn_id: 't-2', by: 'agent', text: 'Order [digits-1] is on its way.', at_ms: 900 };
  house.answers.set('POST /v1/chat', { token: 'web-1.mac' });
  house.answers.set('POST /v1/chat/turns', own);
  await context.route('**/v1/chat/events', (route) => {
    const seen = route.request().headers()['last-event-id'];
    const news = [frame(1, 'turn', own), frame(2, 'turn', theirs), frame(3, 'turn', { ...theirs, text: 'Order 45391488 is on its way.' })];
    return route.fulfill({ contentType: 'text/event-stream', body: `: connected\n\n${news.slice(Number(seen ?? 0)).join('')}` });
  });
  await page.goto('/chat.html');
  const chat = page.locator('backchannel-chat');
  await chat.getByText('Write a message below').waitFor();
  await look(page, 'chat-empty', [360, 900]);
  await chat.getByRole('textbox', { name: 'Your message' }).fill('My card is 4539 1488 0343 6467.');
  await page.keyboard.press('Enter');
  await chat.getByText('My card is ••••.').waitFor();
  await chat.getByText('Order 45391488 is on its way.').waitFor();
  expect(await chat.getByRole('listitem').count()).toBe(2);
  await look(page, 'chat', [360, 900]);
  const sent = house.sent('POST', '/v1/chat/turns')[0]!;
  expect(sent.headers.authorization).toBe('Bearer web-1.mac');
  expect(house.sent('POST', '/v1/chat').length).toBe(1);

  await page.reload();
  await chat.getByText('Order 45391488 is on its way.').waitFor();
  expect(house.sent('POST', '/v1/chat').length).toBe(1);
});
