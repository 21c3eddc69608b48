import { join } from 'node:path';
import axe from 'axe-core';
import { expect, test } from 'vitest';
import { signedIn, watchErrors } from './browser.ts';
import { house, PICTURES } from './house.ts';
import { playCall, spoken, suggested } from './played.ts';

const all = house();

test('a card is spoken, and suggested questions are asked by pointer and by key', async () => {
  for (const [width, colorScheme] of [[360, 'dark'], [1440, 'light']] as const) {
    const context = await signedIn(all.browser, all.service, { viewport: { width, height: 800 }, colorScheme });
    const page = await context.newPage();
    const errors = watchErrors(page);
    const asked = await playCall(page);
    await page.goto('/desktop#c-9');
    const front = page.locator('bc-card[front]');
    await front.locator('bc-proven.spoken').first().waitFor();
    expect((await front.locator('bc-proven.spoken button').allInnerTexts()).map((text) => text.split('\n')[0]!.trim().replace(/, said by.*/, ''))).toEqual(spoken);
    await front.locator('.quotation').getByText('We refund a duplicate').waitFor();

    const chips = page.getByRole('list', { name: 'Suggested questions' }).getByRole('button');
    expect(await chips.allInnerTexts()).toEqual(suggested);
    await page.screenshot({ path: join(PICTURES, `spoken-${width}-${colorScheme}.png`) });
    await chips.first().click();
    await page.locator('bc-answers bc-proven').first().waitFor();
    // What was asked is no suggestion any more; the next is reached by key.
    await expect.poll(() => chips.count()).toBe(2);
    await chips.first().focus();
    await page.keyboard.press('Enter');
    await page.locator('bc-answers').getByText('Which refund is it about?').waitFor();
    await page.locator('bc-answers').getByRole('button', { name: 'Refunds of credit' }).click();
    await expect.poll(() => asked).toEqual([
      { question: suggested[0] }, { question: suggested[1] }, { question: 'Refunds of credit', answers: 'q-2' },
    ]);
    await page.screenshot({ path: join(PICTURES, `asked-${width}-${colorScheme}.png`) });

    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    await page.evaluate(axe.source);
    const found = await page.evaluate(() => (window as unknown as { axe: typeof axe }).axe.run());
    expect(found.violations.map((one) => `${one.id}: ${one.nodes[0]?.html}`)).toEqual([]);
    expect(errors).toEqual([]);
    await context.close();
  }
});
