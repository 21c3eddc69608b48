import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StoredSuggestion } from '../src/api/types.ts';
import { launch, shownTurns, watchErrors } from './browser.ts';
import { Service, waitFor } from './service.ts';

let service: Service;
let browser: Browser;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  service = await Service.start();
  browser = await launch();
  context = await browser.newContext({
    viewport: { width: 1440, height: 900 }, baseURL: service.url, permissions: ['clipboard-read', 'clipboard-write'],
  });
  page = await context.newPage();
  page.setDefaultTimeout(60_000);
});

afterAll(async () => {
  await browser?.close();
  await service?.stop();
});

// One call is one story: the steps share it, since a call plays in real time.
test('a demo call is worked through with turns, cards, keys and a lost connection', async () => {
  const errors = watchErrors(page);
  await signInByForm();
  await page.getByText('No call right now').waitFor();
  const call = service.replay();
  call.catch(() => undefined);

  await page.locator('bc-turn .partial').first().waitFor();
  await page.locator('bc-turn [data-turn]:not(.partial)').first().waitFor();
  const id = await page.evaluate(() => location.hash.slice(1));

  await page.locator('bc-card[front]').waitFor();
  await opensTheProof(id);
  await insertsByKey(id);
  await waitsUnderThePointer(id);
  await recoversFromALostConnection();
  await dismissesByKey(id);
  await asks();

  await call;
  await page.getByText(/^Ended/).first().waitFor();
  const stored = (await service.conversation(id)).turns.map((turn) => ({ id: turn.turn_id, text: turn.display_text ?? turn.text }));
  expect(stored.length).toBeGreaterThan(3);
  const shown = await waitFor('all turns', 10_000, async () => {
    const turns = await shownTurns(page);
    return turns.length >= stored.length && turns;
  });
  expect(byId(shown)).toEqual(byId(stored));

  await wrapsUp(id);
  await masksSecrets(stored.map((turn) => turn.text));
  await page.reload();
  await page.locator('bc-turn').first().waitFor();
  expect(byId(await shownTurns(page))).toEqual(byId(stored));
  expect(errors).toEqual([]);
});

async function signInByForm(): Promise<void> {
  await page.goto('/desktop');
  await page.waitForURL('**/?next=**');
  await page.getByLabel('API key').fill('wrong');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').waitFor();
  await page.getByLabel('API key').fill(service.apiKey);
  await page.keyboard.press('Enter');
  await page.waitForURL('**/desktop');
}

async function opensTheProof(id: string): Promise<void> {
  await page.keyboard.press('j');
  const focused = await frontCard(id);
  await page.keyboard.press('Enter');
  const drawer = page.locator('bc-passage');
  await drawer.locator('mark').first().waitFor();
  const marked = (await drawer.locator('mark').allTextContents()).join('');
  expect(words(marked)).toBe(words(focused.citations[0]!.quote));
  await page.keyboard.press('Escape');
  await drawer.waitFor({ state: 'detached' });
  // The focus is back on the card; one more Escape lets new cards in.
  expect(await page.locator('bc-card[front]').evaluate((card) => card.matches(':focus-within'))).toBe(true);
  await page.keyboard.press('Escape');
}

async function insertsByKey(id: string): Promise<void> {
  const card = await frontCard(id);
  await page.keyboard.press('1');
  await page.locator('bc-announcer .toast').getByText('Copied').waitFor();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(card.text);
  await verdictOf(id, card.card_id, 'accepted');
}

async function waitsUnderThePointer(id: string): Promise<void> {
  const front = page.locator('bc-card[front]');
  const box = (await front.boundingBox())!;
  await page.mouse.move(box.x + 40, box.y + 40);
  const held = await frontId();
  const before = (await service.conversation(id)).cards.length;
  await waitFor('another card', 80_000, async () => (await service.conversation(id)).cards.length > before);
  await page.getByRole('button', { name: /new card/ }).waitFor();
  expect(await frontId()).toBe(held);
  await page.mouse.move(2, 2);
  await waitFor('the waiting card in front', 5_000, async () => (await frontId()) !== held);
}

async function recoversFromALostConnection(): Promise<void> {
  await context.setOffline(true);
  await page.getByText('reconnecting…').waitFor();
  await new Promise((done) => setTimeout(done, 4_000));
  await context.setOffline(false);
  await page.getByText('connected', { exact: true }).waitFor();
}

async function dismissesByKey(id: string): Promise<void> {
  const card = await frontId();
  await page.keyboard.press('x');
  await page.locator(`[data-card="${card}"]`).waitFor({ state: 'detached' });
  await verdictOf(id, card, 'dismissed');
}

async function asks(): Promise<void> {
  await page.keyboard.press('/');
  // Its letters and digits are keys elsewhere; in the field they are only letters.
  await page.keyboard.type('Do we repay a bank fee? x1e');
  await page.keyboard.press('Enter');
  await page.locator('bc-answers li').first().waitFor();
  await page.getByText('Looking …').waitFor({ state: 'detached' });
  await page.keyboard.press('Escape');
}

/** Every mask in the stored words is a chip, and no long number stands anywhere. */
async function masksSecrets(texts: string[]): Promise<void> {
  const masks = texts.join(' ').match(/\[[a-z_]+-\d+\]/g)?.length ?? 0;
  expect(await page.locator('bc-turn .mask').count()).toBe(masks);
  const all = await page.locator('bc-turn').allTextContents();
  expect(all.join(' ').replace(/[ -]/g, '')).not.toMatch(/\d{13,}/);
}

/** Every sentence of the wrap-up leads to its turn, and what the agent does with a draft is recorded. */
async function wrapsUp(id: string): Promise<void> {
  const panel = page.locator('bc-wrapup');
  const { wrapup } = await service.conversation(id);
  const issue = wrapup!.summary!.sections.find((section) => section.key === 'issue')!.sentences[0]!;
  const evidence = issue.citations[0]!;
  if (evidence.of !== 'turn') throw new Error('the issue cites no turn');
  await page.keyboard.press('s');
  await panel.locator('.summary bc-proven button').first().click();
  const turn = page.locator('bc-turn[marked]');
  await turn.waitFor();
  expect(await turn.locator('[data-turn]').getAttribute('data-turn')).toBe(evidence.turn_id);
  await page.screenshot({ path: join(tmpdir(), 'backchannel-wrapup.png') });

  await panel.locator('.summary').getByRole('button', { name: 'Accept' }).click();
  await panel.locator('.email').getByLabel('Purpose').selectOption('apology');
  await panel.locator('.email').getByLabel('Tone').selectOption('formal');
  await panel.locator('.email').getByRole('button', { name: 'Write again' }).click();
  await panel.locator('.email').getByText('We apologise for the trouble').waitFor();
  await panel.locator('.email').getByRole('button', { name: 'Edit' }).click();
  const area = panel.locator('.email textarea');
  await area.fill(`${await area.inputValue()}\nP.S. We hope that all is well.`);
  await panel.locator('.email').getByRole('button', { name: 'Save' }).click();
  await panel.locator('.email').getByText('P.S. We hope').waitFor();
  await panel.locator('.chip').first().click();
  await waitFor('the reviews', 5_000, async () => {
    const now = (await service.conversation(id)).wrapup!;
    const of = (draft: { wrapup_id: string } | null) => now.verdicts[draft?.wrapup_id ?? '']?.verdict;
    return of(now.summary) === 'accepted' && of(now.email) === 'edited' && of(now.disposition) === 'accepted';
  });
}

async function frontId(): Promise<string> {
  return (await page.locator('bc-card[front] article').getAttribute('data-card'))!;
}

async function frontCard(id: string): Promise<StoredSuggestion> {
  const front = await frontId();
  return (await service.conversation(id)).cards.find((card) => card.card_id === front)!;
}

async function verdictOf(id: string, cardId: string, verdict: string): Promise<void> {
  await waitFor(`verdict ${verdict}`, 5_000, async () => {
    const card = (await service.conversation(id)).cards.find((c) => c.card_id === cardId);
    return card?.verdict?.verdict === verdict;
  });
}

function byId(turns: { id: string; text: string }[]): { id: string; text: string }[] {
  return [...turns].sort((a, b) => a.id.localeCompare(b.id));
}

/** The drawer joins wrapped lines and drops Markdown's marks; the words stay. */
function words(text: string): string {
  return text.replace(/[*_#]/g, '').replace(/\s+/g, ' ').trim();
}
