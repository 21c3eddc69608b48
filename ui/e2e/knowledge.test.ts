import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import type { ArticleDetail, ArticleLine, RevisionLine } from '../src/api/knowledge-types.ts';
import type { List, Turn } from '../src/api/types.ts';
import { signedIn, watchErrors } from './browser.ts';
import { house } from './house.ts';
import { waitFor } from './service.ts';

const all = house();
const path = (id: string) => `/v1/articles/${encodeURIComponent(id)}`;
const article = (id: string, revision?: number) => all.service.get<ArticleDetail>(path(id) + (revision === undefined ? '' : `?revision=${revision}`));
const newest = async (id: string) => article(id, (await article(id)).newest_revision);
const review = (id: string, action: string, revision: number, reason?: string) => all.service.send<ArticleDetail>('POST', `${path(id)}/review`, { action, revision, reason });

/** A call with at least one turn that is heard and durable. */
async function heard(): Promise<{ id: string; turn: Turn }> {
  all.service.replay().catch(() => undefined);
  return waitFor('a turn', 90_000, async () => {
    const [live] = await all.service.conversations('live');
    const turn = live && (await all.service.conversation(live.id)).turns[0];
    return live && turn && { id: live.id, turn };
  });
}

async function published(): Promise<ArticleLine[]> {
  return (await all.service.get<List<ArticleLine>>('/v1/articles?state=published')).items;
}

// One knowledge base is one story: each step finds what the one before left.
test('drafts are read with their sources, edited, published, returned and retired in a real service', async () => {
  const call = await heard();
  const quote = call.turn.text.split(' ').slice(0, 4).join(' ');
  const sentence = 'A goat that ate the router gets a new one within three days.';
  await all.service.send('POST', '/v1/articles', {
    id: 'hardware/goats', title: 'Goats and routers', body: `${sentence}\n\n<img src=x onerror="document.title='run'">\n`,
    provenance: [{ sentence, conversation_id: call.id, turns: [{ turn_id: call.turn.turn_id, quote }] }],
  });
  await review('hardware/goats', 'submit', 1);
  const [first, second] = await published();
  const before = await article(first!.id);
  await all.service.send('PUT', path(first!.id), { revision: before.newest_revision, body: `${before.body}\n\nGoats are no exception.\n` });
  await review(first!.id, 'submit', before.newest_revision + 1);

  const page = await (await signedIn(all.browser, all.service)).newPage();
  page.setDefaultTimeout(20_000);
  const errors = watchErrors(page);
  await page.goto('/');
  await page.getByRole('link', { name: /Knowledge/ }).click();
  await page.locator('bc-article h2').getByText('Goats and routers').waitFor();
  expect(await page.getByRole('tab', { name: /Review/ }).innerText()).toContain('2');
  expect(await page.locator('bc-marked-text img').count()).toBe(0);

  await opensTheTurn(page, call.turn);
  await editsAndPublishes(page, sentence);
  await returns(page, first!.id);
  await retires(page, first!.id);
  await findsStale(page, second!.id);
  await searches(page);
  await writes(page);
  await isTooLate(page, second!.id);
  expect(await page.title()).toContain('Knowledge');
  expect(errors).toEqual([]);
  await page.context().close();
});

async function opensTheTurn(page: Page, turn: Turn): Promise<void> {
  await page.keyboard.press('c');
  await page.locator('bc-evidence [data-chosen]').waitFor();
  await page.locator('bc-evidence .turn').click();
  const marked = page.locator('bc-call-drawer bc-turn[marked] [data-turn]');
  await marked.waitFor();
  expect(await marked.getAttribute('data-turn')).toBe(turn.turn_id);
  await page.keyboard.press('Escape');
  await page.locator('bc-call-drawer').waitFor({ state: 'detached' });
  await page.locator('bc-evidence .turn:focus').waitFor();
}

async function editsAndPublishes(page: Page, sentence: string): Promise<void> {
  await page.keyboard.press('e');
  const text = page.locator('bc-article-editor textarea');
  await text.fill(`${sentence}\n\n- It is **free**.\n`);
  await page.locator('bc-article-editor .preview strong').getByText('free').waitFor();
  await page.keyboard.press('Control+Enter');
  await page.locator('bc-announcer .toast').getByText('Saved as a draft').waitFor();
  expect(await newest('hardware/goats')).toMatchObject({ revision: 3, state: 'draft', body: `${sentence}\n\n- It is **free**.\n`, provenance: [{ sentence }] });
  await page.locator('bc-marked-text strong').getByText('free').waitFor();
  await page.keyboard.press('a');
  await page.locator('bc-announcer .toast').getByText('Published: Goats and routers').waitFor();
  expect(await article('hardware/goats')).toMatchObject({ state: 'published', published_revision: 5 });
}

async function returns(page: Page, id: string): Promise<void> {
  await page.locator('bc-diff .added').getByText('Goats are no exception.').waitFor();
  await page.keyboard.press('r');
  await page.keyboard.type('Say why. a r t');
  await page.keyboard.press('Control+Enter');
  await page.locator('bc-announcer .toast').getByText('Returned to').waitFor();
  expect(await newest(id)).toMatchObject({ state: 'draft', action: 'returned', comment: 'Say why. a r t' });
  // It is a draft again, and says what for.
  await page.locator('bc-article').getByText('Say why. a r t').first().waitFor();
}

async function retires(page: Page, id: string): Promise<void> {
  await page.keyboard.press('t');
  await page.locator('bc-acts textarea').fill('Nobody needs it.');
  await page.getByRole('button', { name: 'Retire', exact: true }).click();
  await page.locator('bc-announcer .toast').getByText('Retired').waitFor();
  const history = await all.service.get<List<RevisionLine>>(`${path(id)}/revisions`);
  expect(history.items.at(-1)).toMatchObject({ action: 'retired', comment: 'Nobody needs it.' });
  await page.getByText('Nothing to review').waitFor();
}

async function findsStale(page: Page, id: string): Promise<void> {
  const now = await newest(id);
  const draft = await all.service.send<ArticleDetail>('PUT', path(id), { revision: now.revision, review_by: '2020-01-01' });
  await review(id, 'submit', draft.revision);
  await review(id, 'publish', draft.revision + 1);
  await page.reload();
  await page.getByRole('tab', { name: /Stale/ }).click();
  await page.locator(`bc-list [data-row="${id}"]`).click();
  await page.getByRole('button', { name: 'Still right' }).waitFor();
  await page.keyboard.press('a');
  await page.locator('bc-announcer .toast').getByText('Published').waitFor();
  await page.locator(`bc-list [data-row="${id}"]`).waitFor({ state: 'detached' });
  expect((await article(id)).review_by! > new Date().toISOString()).toBe(true);
}

async function searches(page: Page): Promise<void> {
  await page.keyboard.press('/');
  await page.locator('bc-search-box input:focus').waitFor();
  await page.keyboard.type('My goat ate the router');
  await page.keyboard.press('Enter');
  // The best one is open at once, and the words that were typed can be changed on.
  await page.locator('bc-article h2').getByText('Goats and routers').waitFor();
  await page.locator('bc-search-box input:focus').waitFor();
  await page.locator('bc-list [data-row="hardware/goats"]').click();
  await page.locator('bc-article mark').getByText('A goat that ate the router').waitFor();
  await page.getByText('Why it was found').waitFor();
  // The address brings one back to the same place.
  await page.reload();
  await page.locator('bc-article h2').getByText('Goats and routers').waitFor();
}

/** An article that nobody asked for; words that were never saved are kept until they are thrown away. */
async function writes(page: Page): Promise<void> {
  await page.keyboard.press('n');
  await page.getByLabel('Title').fill('Sheep and cables');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await page.locator('bc-article-editor').waitFor({ state: 'detached' });
  await page.keyboard.press('n');
  expect(await page.getByLabel('Title').inputValue()).toBe('Sheep and cables');
  await page.locator('bc-article-editor textarea').fill('Cables that sheep have eaten are replaced.\n');
  await page.keyboard.press('Control+Enter');
  await page.locator('bc-announcer .toast').getByText('Saved as a draft').waitFor();
  await page.locator('bc-article h2').getByText('Sheep and cables').waitFor();
  expect(await newest('sheep-and-cables')).toMatchObject({ revision: 1, state: 'draft' });
  await review('sheep-and-cables', 'retire', 1);
}

/** Somebody else changes the article while it is being looked at. */
async function isTooLate(page: Page, id: string): Promise<void> {
  const now = await newest(id);
  const draft = await all.service.send<ArticleDetail>('PUT', path(id), { revision: now.revision, comment: 'mine' });
  await page.goto('/knowledge#review');
  await page.reload();
  await page.locator('bc-diff, bc-marked-text').first().waitFor();
  await all.service.send('PUT', path(id), { revision: draft.revision, title: 'Somebody else’s title' });
  await page.keyboard.press('a');
  await page.locator('bc-announcer .toast').getByText('Somebody was faster').waitFor();
  await page.locator('bc-article h2').getByText('Somebody else’s title').waitFor();
  expect((await newest(id)).state).toBe('draft');
  // Words that are being written meanwhile are not lost, and go over somebody's only when that is meant.
  await page.keyboard.press('e');
  await page.getByLabel('Title').fill('My own title');
  const theirs = await newest(id);
  await all.service.send('PUT', path(id), { revision: theirs.revision, title: 'Their third title' });
  await page.keyboard.press('Control+Enter');
  await page.locator('bc-announcer .toast').getByText('Save again to put your words over theirs').waitFor();
  expect((await newest(id)).title).toBe('Their third title');
  await page.keyboard.press('Control+Enter');
  await page.locator('bc-announcer .toast').getByText('Saved as a draft').waitFor();
  expect((await newest(id)).title).toBe('My own title');
}
