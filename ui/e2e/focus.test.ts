import type { Page } from 'playwright-core';
import { beforeEach, expect, test } from 'vitest';
import { stage } from './house.ts';
import { card, proven } from './played.ts';
import { StagedCall, focused, summary } from './staged.ts';

const now = stage();
let page: Page;
beforeEach(() => {
  page = now.page;
});

for (const [key, path, occasion, name] of [['s', 'summary', 'demand', 'summary'], ['h', 'handover', 'hand_over', 'hand-over']] as const) {
  test(`a ${name} that comes late takes the focus only from whoever still waits for it`, async () => {
    const staged = await StagedCall.open(page);
    const written = summary('The customer asks for money.', { wrapup_id: 'w-1-1', occasion });
    const waited = await staged.answers(path);
    await page.locator('bc-card[front]').waitFor();
    await page.keyboard.press(key);
    await waited.asked;
    await page.keyboard.press('/');
    await page.keyboard.type('x1');
    waited.answer(written);
    await page.locator('bc-wrapup, bc-handover').first().waitFor();
    await page.waitForTimeout(100);
    await page.keyboard.type('ex');
    expect([await focused(page), await page.getByLabel('Ask the knowledge base').inputValue()]).toEqual(['input', 'x1ex']);
    await page.locator('bc-announcer .toast').getByText('is written.').waitFor();
    await page.locator('bc-card[front]').waitFor();

    await page.keyboard.press('Escape');
    const again = await staged.answers(path);
    await page.keyboard.press(key);
    await again.asked;
    again.answer({ ...written, wrapup_id: 'w-2-1' });
    await expect.poll(() => focused(page)).toBe('h2');
  });
}

test('whoever has turned to another call stays there', async () => {
  const staged = await StagedCall.open(page);
  await page.route('**/v1/conversations/c-10', (route) => route.fulfill({ status: 404, json: { title: 'Not Found', detail: 'gone' } }));
  const waited = await staged.answers('summary');
  await page.locator('bc-card[front]').waitFor();
  await page.keyboard.press('s');
  await waited.asked;
  await page.evaluate(() => (location.hash = 'c-10'));
  await page.getByText('This call can’t be shown.').waitFor();
  waited.answer(summary('The customer asks for money.', { occasion: 'demand' }));
  await page.waitForTimeout(300);
  expect(await page.locator('bc-wrapup').count()).toBe(0);
  await page.getByText('This call can’t be shown.').waitFor();
});

test('words that are being written on a card are nobody else’s', async () => {
  const staged = await StagedCall.open(page);
  await page.locator('bc-card[front]').waitFor();
  await page.keyboard.press('e');
  const area = page.locator('bc-card textarea');
  await area.fill('My own long answer');
  await staged.tell('suggestion.verdict', { card_id: 'k-1', verdict: 'edited', text: 'Words of another desktop' });
  await page.locator('bc-transcript .scroll').focus();
  await page.mouse.move(2, 2);
  await staged.tell('suggestion.voiced', { card_id: 'k-1', text: 'You get it.', sentences: [proven('You get it.')] });
  await staged.tell('suggestion.verdict', { card_id: 'k-1', verdict: 'accepted', text: null });
  await page.waitForTimeout(100);
  expect(await area.inputValue()).toBe('My own long answer');
  for (const id of ['k-2', 'k-3', 'k-4', 'k-5']) await staged.tell('suggestion.offered', { ...card, card_id: id, title: id });
  await page.getByRole('button', { name: '4 new cards' }).waitFor();
  expect(await area.inputValue()).toBe('My own long answer');
});
