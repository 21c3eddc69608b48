import type { Page } from 'playwright-core';
import { test } from 'vitest';
import { signedIn } from './browser.ts';
import { house } from './house.ts';
import { look } from './look.ts';
import { waitFor } from './service.ts';

const all = house();

test('the sign-in page is clear at every width', async () => {
  const page = await (await all.browser.newContext({ baseURL: all.service.url })).newPage();
  await page.goto('/');
  await page.getByLabel('API key').waitFor();
  await look(page, 'sign-in');
});

test('the desktop is clear at every width, before, during and after a call', async () => {
  const page = await (await signedIn(all.browser, all.service)).newPage();
  page.setDefaultTimeout(60_000);
  await page.goto('/');
  await page.getByText('Agent desktop').waitFor();
  await look(page, 'home');
  await page.goto('/desktop');
  await page.getByText('No call right now').waitFor();
  await look(page, 'idle');

  const call = all.service.replay();
  call.catch(() => undefined);
  await page.locator('bc-card[front]').waitFor();
  const id = await page.evaluate(() => location.hash.slice(1));
  await waitFor('a second card', 90_000, async () => (await all.service.conversation(id)).cards.length >= 2);
  await look(page, 'live');

  await page.locator('bc-card[front] .answer').click();
  await page.locator('bc-passage mark').first().waitFor();
  await look(page, 'passage');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');

  await handsOver(page);

  await page.setViewportSize({ width: 360, height: 740 });
  await page.getByRole('tab', { name: 'Transcript' }).click();
  await look(page, 'transcript', [360]);
  await page.getByRole('tab', { name: 'Customer' }).click();
  await look(page, 'customer', [360]);
  await page.getByRole('tab', { name: 'Cards' }).click();

  await page.setViewportSize({ width: 1440, height: 900 });
  await page.keyboard.press('/');
  await page.keyboard.type('Do we repay a bank fee?');
  await page.keyboard.press('Enter');
  await page.locator('bc-answers li').first().waitFor();
  // The focus stayed in the field: the next question can follow.
  await page.keyboard.type('Can my goat use the router?');
  await page.keyboard.press('Enter');
  await page.locator('bc-answers li').nth(1).waitFor();
  await page.keyboard.press('Escape');
  await look(page, 'answers');
  await page.keyboard.press('e');
  await look(page, 'edit', [360, 1440]);
  await page.keyboard.press('Escape');
  await page.keyboard.press('?');
  await look(page, 'keys', [360, 1440]);
  await page.keyboard.press('Escape');

  await call;
  await page.getByText(/^Ended/).first().waitFor();
  await look(page, 'ended');
});

/** Whoever takes the call on reads what was said, each sentence a click away from its turn. */
async function handsOver(page: Page): Promise<void> {
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.getByRole('button', { name: 'Hand over' }).click();
  const pack = page.locator('bc-handover');
  await pack.getByRole('heading', { name: 'So far in this call' }).waitFor();
  await look(page, 'handover');
  await page.setViewportSize({ width: 1440, height: 900 });
  await pack.locator('bc-proven button').first().click();
  await page.locator('bc-turn[marked]').waitFor();
  await pack.getByRole('button', { name: 'Close' }).click();
  await pack.waitFor({ state: 'detached' });
  await page.keyboard.press('h');
  await pack.getByRole('heading', { name: 'So far in this call' }).waitFor();
  await pack.getByRole('button', { name: 'Close' }).click();
}
