import { join } from 'node:path';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { beforeEach, expect, test } from 'vitest';
import { PICTURES, stage } from './house.ts';
import { citation } from './played.ts';
import { StagedCall, focused, head, noWrapUp, passage, said, summary, turn } from './staged.ts';

const now = stage();
let page: Page;
beforeEach(() => {
  page = now.page;
});

const late = summary('The customer asks for the money.', { authorship: { provider: 'lab', model: 'tiny' } });
const order = { purpose: 'follow_up', length: 'short', tone: 'formal' };
const email = { ...head, ...order, wrapup_id: 'w-end-email-1', subject: 'Your money', parts: [{ kind: 'claim' as const, ...said('We pay it back.') }] };
const ended = { state: 'ended' as const, last_sequence: 7 };
const onSheet = (name: string) => page.locator('bc-wrapup').locator(`.${name}`);

test('a draft stays in use while another one grows, and until it is left', async () => {
  const wrapup = { ...noWrapUp, summary: summary('So when do I get my money back?'), email, sequences: { 'w-end-summary-1': 5, 'w-end-email-1': 6 } };
  const staged = await StagedCall.open(page, { ...ended, wrapup });
  const sheet = onSheet('summary');
  await sheet.getByRole('button', { name: 'Accept' }).focus();
  await staged.tell('wrapup.growing', { wrapup_id: 'w-end-summary-1', summary: late }, false);
  await page.locator('bc-wrapup .grows').getByText('The customer asks for the money.').waitFor();
  await sheet.getByText('So when do I get my money back?').waitFor();
  expect(await sheet.getByRole('button').allInnerTexts()).toEqual(expect.arrayContaining(['Accept', 'Edit', 'Discard', 'Copy']));
  const below = async () => (await onSheet('email').boundingBox())!.y;
  const before = await below();
  const more = { ...late, sections: [{ key: 'issue', sentences: Array.from({ length: 9 }, () => said('And more.')) }] };
  await staged.tell('wrapup.growing', { wrapup_id: 'w-end-summary-1', summary: more }, false);
  await page.locator('bc-wrapup .grows').getByText('And more.').first().waitFor();
  expect(await below()).toBe(before);
  await page.screenshot({ path: join(PICTURES, 'growing-1440-light.png') });

  await staged.tell('wrapup.summary', late);
  await sheet.getByText('It was written anew meanwhile.').waitFor();
  expect(await page.locator('bc-wrapup .grows').count()).toBe(0);
  await sheet.getByText('So when do I get my money back?').waitFor();
  await page.screenshot({ path: join(PICTURES, 'anew-1440-light.png') });
  // From one button of the sheet to the next is not away from it.
  await page.keyboard.press('Tab');
  await page.waitForTimeout(100);
  await sheet.getByText('So when do I get my money back?').waitFor();
  await page.locator('bc-transcript .scroll').focus();
  await sheet.getByText('The customer asks for the money.').waitFor();
  await sheet.getByText('Written by tiny (lab)').waitFor();

  // The pointer holds a draft as the focus does; the button brings the new one all the same.
  await sheet.hover();
  const third = summary('Somebody wants money.');
  await staged.tell('wrapup.summary', third);
  await sheet.getByRole('button', { name: 'Show the new one' }).click();
  await sheet.getByText('Somebody wants money.').waitFor();
  expect(await focused(page)).toBe('h2');
});

test('what is decided is said of the draft that was seen, and not of one that took its place', async () => {
  const disposition = (codes: string[]) => ({
    ...head, wrapup_id: 'w-end-disposition-1', none: 0, choices: codes.map((code) => ({ code, label: `Label ${code}`, probability: 0.5, citations: [turn, passage] })),
  });
  const wrapup = { ...noWrapUp, summary: summary('So when?'), disposition: disposition(['B1', 'X9']), sequences: { 'w-end-summary-1': 5, 'w-end-disposition-1': 6 } };
  const staged = await StagedCall.open(page, { ...ended, wrapup });
  const path = (id: string) => `wrapups/${id}/verdict`;
  const accepted = await staged.answers(path('w-end-summary-1'));
  await onSheet('summary').getByRole('button', { name: 'Accept' }).click();
  expect(await accepted.asked).toEqual({ verdict: 'accepted', sequence: 5 });
  accepted.answer({});

  const chosen = await staged.answers(path('w-end-disposition-1'));
  await onSheet('disposition').getByRole('button', { name: 'Label B1' }).click();
  expect(await chosen.asked).toEqual({ verdict: 'accepted', text: 'B1', sequence: 6 });
  const now = { ...wrapup, disposition: disposition(['X9', 'B1']), sequences: { ...wrapup.sequences, 'w-end-disposition-1': 8 } };
  await staged.shows({ ...ended, last_sequence: 8, wrapup: now });
  await staged.tell('wrapup.disposition', disposition(['X9', 'B1']));
  chosen.answer({ title: 'Conflict', detail: 'this draft was written anew meanwhile' }, {}, 409);
  await page.locator('bc-announcer .toast').getByText('That wasn’t saved. This draft was written anew meanwhile.').waitFor();
  await page.mouse.move(2, 2);
  await page.locator('bc-transcript .scroll').focus();
  await expect.poll(() => onSheet('disposition').locator('.chip').first().innerText()).toContain('Label X9');
  expect(await onSheet('disposition').locator('[aria-pressed=true]').count()).toBe(0);

  const other = await staged.answers(path('w-end-disposition-1'));
  await onSheet('disposition').getByRole('button', { name: 'Label B1' }).click();
  expect(await other.asked).toEqual({ verdict: 'edited', text: 'B1', sequence: 8 });
  other.answer({});
});

test('one e-mail is ordered at a time, and what was asked for is shown to whoever asked', async () => {
  const wrapup = { ...noWrapUp, email, sequences: { 'w-end-email-1': 6 } };
  const staged = await StagedCall.open(page, { ...ended, wrapup });
  const waited = await staged.answers('email');
  await onSheet('email').getByRole('button', { name: 'Write again' }).click();
  expect(await waited.asked).toMatchObject({ purpose: 'follow_up' });
  const button = onSheet('email').getByRole('button', { name: 'Writing …' });
  expect(await button.getAttribute('aria-disabled')).toBe('true');
  const twice = await staged.answers('email');
  void twice.asked.then(() => now.errors.push('ordered twice'));
  await page.keyboard.press('Enter');
  await page.waitForTimeout(200);
  const next = { ...email, wrapup_id: 'w-01HF7YAT000123456789ABCDEF-1', occasion: 'demand', parts: [{ kind: 'claim', ...said('It is on its way.') }] };
  waited.answer(next, { 'backchannel-sequence': '8' });
  await onSheet('email').getByText('It is on its way.').waitFor();
  await onSheet('email').getByRole('button', { name: 'Write again' }).waitFor();
  const accepted = await staged.answers(`wrapups/${next.wrapup_id}/verdict`);
  await onSheet('email').getByRole('button', { name: 'Accept' }).click();
  expect(await accepted.asked).toEqual({ verdict: 'accepted', sequence: 8 });
  accepted.answer({});
});

test('a question whose answer broke off is waited for no longer', async () => {
  await StagedCall.open(page);
  const id = { question_id: 'q-1', question: 'When?' };
  const frame = (event: string, data: unknown) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
  await page.route('**/v1/conversations/c-9/ask', (route) =>
    route.fulfill({ contentType: 'text/event-stream', body: frame('asked', id) + frame('sentence', said('Within five days.', passage)) }));
  await page.locator('bc-card[front]').waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('When?');
  await page.keyboard.press('Enter');
  const answers = page.locator('bc-answers');
  await answers.getByText('Unfinished: it broke off here.').waitFor();
  await answers.getByText('Within five days.').waitFor();
  expect(await answers.getByText('…').count()).toBe(0);
  await answers.getByRole('button', { name: 'Ask again' }).waitFor();
});

test('every source of a sentence can be opened, also of choices and of an article to be', async () => {
  const struck = [{ text: 'It costs £9.', fault: 'number', why: '£9' }];
  const authorship = { provider: 'lab', model: 'tiny' };
  const wrapup = {
    ...noWrapUp,
    summary: summary('So when do I get it?', { sections: [{ key: 'issue', sentences: [said('So when do I get it?', turn, passage, turn)] }] }),
    follow_ups: [1, 2].map((number) => ({
      ...head, wrapup_id: `w-end-followup-by-model-${number}`, authorship, struck: number === 1 ? struck : [], kind: 'task', promised_by: 'agent',
      sentence: said('We send it.'), due: null,
    })),
    disposition: {
      ...head, wrapup_id: 'w-end-disposition-1', authorship, struck, none: 0,
      choices: [{ code: 'B1', label: 'Bill', probability: 0.9, citations: [turn, passage] }],
    },
    email,
    article: { ...head, wrapup_id: 'w-end-article-1', authorship, struck, question: said('When is it paid?'), answer: [said('Within five days.', passage)] },
    sequences: {},
  };
  await page.route('**/v1/articles/**', (route) =>
    route.fulfill({ json: { id: citation.article_id, title: 'Duplicate', body: '', revision: 1, state: 'published',
      passages: [{ id: citation.passage_id, heading: 'When', text: citation.quote, start: 0, end: citation.quote.length }] } }));
  const staged = await StagedCall.open(page, { ...ended, wrapup });
  const steps = onSheet('summary').getByRole('button', { name: '1 of 2 sources' });
  await onSheet('summary').locator('.sentence').click();
  await page.locator('bc-turn[marked]').waitFor();
  await steps.click();
  await page.locator('bc-passage mark').first().waitFor();
  await page.keyboard.press('Escape');
  await onSheet('summary').getByRole('button', { name: '2 of 2 sources' }).click();
  await page.locator('bc-passage').waitFor({ state: 'detached' });

  await onSheet('disposition').locator('bc-proven').nth(1).getByRole('button').click();
  await page.locator('bc-passage mark').first().waitFor();
  await page.keyboard.press('Escape');
  for (const name of ['disposition', 'follow-ups']) {
    await onSheet(name).getByText('Written by tiny (lab), 1 sentence struck').click();
    await onSheet(name).locator('s').getByText('It costs £9.').waitFor();
  }
  const article = onSheet('article');
  await article.getByText('When is it paid?').waitFor();
  const accepted = await staged.answers('wrapups/w-end-article-1/verdict');
  await article.getByRole('button', { name: 'Accept' }).click();
  expect(await accepted.asked).toMatchObject({ verdict: 'accepted' });
  accepted.answer({});
  await article.getByText('accepted').waitFor();

  for (const [width, colorScheme] of [[360, 'dark'], [900, 'light'], [1440, 'dark']] as const) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    if (width < 900) await page.getByRole('tab', { name: 'Cards' }).click();
    await page.waitForTimeout(250);
    await page.locator('.panel.cards').evaluate((panel) => (panel.scrollTop = 0));
    await page.screenshot({ path: join(PICTURES, `wrapup-${width}-${colorScheme}.png`) });
    await page.locator('.panel.cards').evaluate((panel) => (panel.scrollTop = panel.scrollHeight));
    await page.screenshot({ path: join(PICTURES, `article-${width}-${colorScheme}.png`) });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    await page.evaluate(axe.source);
    const found = await page.evaluate(() => (window as unknown as { axe: typeof axe }).axe.run());
    expect(found.violations.map((one) => `${one.id}: ${one.nodes[0]?.html}`)).toEqual([]);
  }
});

test('the mark of a sentence never stands alone on a line', async () => {
  const words = 'We refund a duplicate direct debit within 5 working days to the bank account it was taken from.'.split(' ');
  const sentences = words.map((_, at) => said(words.slice(0, at + 1).join(' ')));
  await StagedCall.open(page, { ...ended, wrapup: { ...noWrapUp, summary: summary('', { sections: [{ key: 'issue', sentences }] }) } });
  await onSheet('summary').locator('bc-proven').first().waitFor();
  for (const width of [360, 391, 423, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    const alone = await page.locator('bc-proven').evaluateAll((all) =>
      all.filter((element) => {
        const root = element.shadowRoot!;
        const mark = root.querySelector('.mark')!.getBoundingClientRect();
        const button = root.querySelector('button')!.getBoundingClientRect();
        // Nothing of the sentence stands before it in its line.
        return mark.left - button.left < 12;
      }).length);
    expect(alone, `at ${width} px`).toBe(0);
  }
});
