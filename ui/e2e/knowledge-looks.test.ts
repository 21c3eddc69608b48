import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { signedIn, watchErrors } from './browser.ts';
import { house } from './house.ts';
import { look } from './look.ts';
import { playKnowledge } from './played-knowledge.ts';

const all = house();

/** A page of its own before a played knowledge base. */
async function opened(hash = ''): Promise<{ page: Page; errors: string[]; sent: Awaited<ReturnType<typeof playKnowledge>> }> {
  const page = await (await signedIn(all.browser, all.service)).newPage();
  page.setDefaultTimeout(10_000);
  const errors = watchErrors(page);
  const sent = await playKnowledge(page);
  await page.goto(`/knowledge${hash}`);
  await page.locator('bc-list [data-row]').first().waitFor();
  return { page, errors, sent };
}

test('the review is clear at every width: text, evidence, contradiction, changes and editor', async () => {
  const { page, errors } = await opened();
  await page.locator('bc-evidence .turn').first().waitFor();
  await look(page, 'knowledge-review');
  await page.keyboard.press('c');
  await page.locator('bc-evidence .turn').first().click();
  await page.locator('bc-turn[marked]').waitFor();
  await look(page, 'knowledge-call');
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.keyboard.press('Escape');
  await page.keyboard.press('a');
  await page.getByRole('alert').waitFor();
  await look(page, 'knowledge-contradicts', [360, 1440]);
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.keyboard.press('Escape');
  await page.keyboard.press('r');
  await look(page, 'knowledge-return', [360, 1440]);
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.keyboard.press('Escape');
  await page.keyboard.press('m');
  await page.locator('.two bc-marked-text mark').nth(1).waitFor();
  await look(page, 'knowledge-beside');
  await page.keyboard.press('e');
  await page.locator('bc-article-editor textarea').waitFor();
  await look(page, 'knowledge-edit');
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await page.keyboard.press('j');
  await page.locator('bc-diff table').waitFor();
  await look(page, 'knowledge-changes');
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.keyboard.press('j');
  await page.getByText('Ravi returned it').waitFor();
  await look(page, 'knowledge-returned', [360, 1440]);
  expect(errors).toEqual([]);
  await page.context().close();
});

test('gaps, stale articles and search are clear at every width', async () => {
  const { page, errors } = await opened('#gaps');
  await page.keyboard.press('j');
  await page.locator('bc-gap h2').waitFor();
  await look(page, 'knowledge-gaps');
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.keyboard.press('3');
  await page.keyboard.press('j');
  await page.locator('bc-use svg').waitFor();
  await look(page, 'knowledge-stale');
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.keyboard.press('/');
  await page.locator('bc-search-box input:focus').waitFor();
  await page.keyboard.type('bank fee');
  await page.keyboard.press('Enter');
  await page.locator('bc-list [data-row]').first().waitFor();
  await page.setViewportSize({ width: 360, height: 740 });
  await look(page, 'knowledge-search', [360]);
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.keyboard.press('Escape');
  await page.locator('bc-article mark').first().waitFor();
  await look(page, 'knowledge-found');
  await page.keyboard.press('?');
  await look(page, 'knowledge-keys', [360, 1440]);
  expect(errors).toEqual([]);
  await page.context().close();
});

test('what contradicts is published only after a second yes, and the queue goes on', async () => {
  const { page, errors, sent } = await opened();
  const shown = page.locator('bc-article h2');
  await shown.getByText('Bank fees').waitFor();
  await page.keyboard.press('a');
  await page.getByRole('alert').waitFor();
  expect(sent).toEqual([]);
  await page.keyboard.press('a');
  await shown.getByText('Refunds').waitFor();
  expect(sent).toEqual([{ method: 'POST', path: '/v1/articles/billing/bank-fees/review', body: { action: 'publish', revision: 2 } }]);
  // Nothing contradicts this one: one key is enough.
  await page.locator('bc-diff').waitFor();
  await page.keyboard.press('a');
  await shown.getByText('Restarting').waitFor();
  await page.keyboard.press('a');
  await page.getByText('Nothing to review').waitFor();
  expect(sent.slice(1).map((one) => (one.body as { action: string }).action)).toEqual(['publish', 'submit', 'publish']);
  expect(errors).toEqual([]);
  await page.context().close();
});

test('a draft is merged into the article that says the same, with its sources, and is retired then', async () => {
  const { page, errors, sent } = await opened();
  await page.locator('bc-evidence .near').first().waitFor();
  await page.keyboard.press('m');
  await page.getByRole('button', { name: 'Merge into it' }).click();
  const text = page.locator('bc-article-editor textarea');
  await text.waitFor();
  expect(await text.inputValue()).toMatch(/^# Charges[^]*## Bank fees after a duplicate payment[^]*ten working days/);
  await page.keyboard.press('Control+Enter');
  await page.locator('bc-announcer .toast').getByText('Saved as a draft').waitFor();
  expect(sent.map((one) => [one.method, one.path])).toEqual([['PUT', '/v1/articles/billing/charges'], ['POST', '/v1/articles/billing/bank-fees/review']]);
  expect(sent[0]?.body).toMatchObject({ revision: 1, comment: 'Merges “Bank fees after a duplicate payment”', provenance: { length: 4 } });
  expect(sent[1]?.body).toEqual({ action: 'retire', revision: 2, reason: 'Merged into billing/charges' });
  expect(errors).toEqual([]);
  await page.context().close();
});

test('unsaved words outlive a look elsewhere, and nothing of an article runs', async () => {
  const { page, errors, sent } = await opened();
  await page.locator('bc-article h2').waitFor();
  const title = await page.title();
  expect(await page.locator('bc-marked-text img, bc-marked-text script').count()).toBe(0);
  expect(await page.locator('bc-marked-text a').evaluateAll((links) => links.map((link) => (link as HTMLAnchorElement).href))).toEqual(['https://example.com/terms']);
  await page.keyboard.press('e');
  const text = page.locator('bc-article-editor textarea');
  await text.fill('<b>New</b> words & <img src=x onerror="document.title=1">');
  await page.locator('bc-article-editor .preview').getByText('<b>New</b>').waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await page.keyboard.press('j');
  await page.locator('bc-list').getByText('not saved').waitFor();
  await page.keyboard.press('k');
  await page.locator('bc-marked-text').waitFor();
  await page.keyboard.press('e');
  expect(await text.inputValue()).toContain('New');
  await page.getByRole('button', { name: 'Throw away' }).click();
  await page.locator('bc-list').getByText('not saved').waitFor({ state: 'detached' });
  expect(await page.title()).toBe(title);
  expect(sent).toEqual([]);
  expect(errors).toEqual([]);
  await page.context().close();
});

test('on a narrow screen keys lead to the text, and Escape back to the list', async () => {
  const { page, errors } = await opened();
  await page.setViewportSize({ width: 360, height: 740 });
  await page.keyboard.press('Escape');
  await page.locator('bc-list [data-row="billing/refunds"]').click();
  await page.locator('bc-article h2:focus').waitFor();
  await page.keyboard.press('k');
  await page.locator('bc-article h2:focus').getByText('Bank fees').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('bc-list [data-row="billing/bank-fees"]:focus').waitFor();
  expect(errors).toEqual([]);
  await page.context().close();
});

test('a gap becomes a draft, which is open then', async () => {
  const { page, errors, sent } = await opened('#gaps');
  await page.locator('bc-gap h2').getByText('Can I keep my number').waitFor();
  await page.keyboard.press('a');
  await page.locator('bc-article h2').getByText('Restarting the router').waitFor();
  expect(sent).toEqual([{ method: 'POST', path: '/v1/gaps/g-1/draft', body: null }]);
  expect(await page.evaluate(() => location.hash)).toBe('#review/router/restart');
  expect(errors).toEqual([]);
  await page.context().close();
});

test('a service without gaps says so, and one that is away is tried again', async () => {
  const { page, errors } = await opened();
  await page.route('**/v1/gaps?*', (route) => route.fulfill({ json: { items: [], next: null } }));
  await page.route('**/v1/articles?*', (route) => route.abort());
  await page.reload();
  await page.getByText('The knowledge base can’t be read right now.').waitFor();
  await page.unroute('**/v1/articles?*');
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.locator('bc-list [data-row]').first().waitFor();
  await page.keyboard.press('2');
  await page.getByText('No gaps.').waitFor();
  expect(errors).toEqual([]);
  await page.context().close();
});
