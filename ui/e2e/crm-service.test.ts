import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch, signedIn, watchErrors } from './browser.ts';
import { PlayedBottleCrm } from './played-bottlecrm.ts';
import { Service, waitFor } from './service.ts';

// The real service before a played CRM: one call from "who is it?" to a note that stands in the CRM.
let browser: Browser;
let crm: PlayedBottleCrm;
let service: Service;
let page: Page;
let errors: string[];

beforeAll(async () => {
  crm = await PlayedBottleCrm.start();
  service = await Service.start(`[crm]\nsystem = "bottlecrm"\nurl = "${crm.url}/"\ntoken = "bcrm_pat_x"\nregion = "GB"\n`);
  browser = await launch();
  page = await (await signedIn(browser, service)).newPage();
  page.setDefaultTimeout(60_000);
  errors = watchErrors(page);
});
afterAll(async () => {
  await browser?.close();
  await service?.stop();
  await crm?.stop();
});

test('a call is given its customer, and its outcome gets into the CRM once, also after a refusal', async () => {
  service.replay().catch(() => undefined);
  await page.goto('/desktop');
  const id = await waitFor('the call', 60_000, async () => (await page.evaluate(() => location.hash.slice(1))) || undefined);
  // The demo call brings no number: the agent asks for one.
  const panel = page.locator('bc-customer-panel');
  await panel.getByText('There is no number or address to look for.').waitFor();
  await panel.getByLabel('Look up by another number or e-mail').fill('(020) 7946-0123');
  await page.keyboard.press('Enter');
  await page.locator('bc-customer').getByText('2 contacts have this number: who is it?').waitFor();
  await panel.getByRole('button', { name: /Grace Okafor/ }).click();
  await page.locator('bc-customer').getByText('Okafor Joinery · Full fibre 200 · since 2021 · 1 open case').waitFor();
  await page.locator('bc-customer').getByText('VIP').waitFor();
  await panel.locator('.subject').getByText('Router drops the line at night').waitFor();
  expect(crm.notes).toEqual([]);

  await waitFor('something to sum up', 60_000, async () => (await service.conversation(id)).turns.length >= 8);
  service.hangUp();
  const sheet = page.locator('bc-outcome section');
  const row = (title: string) => sheet.locator('li').filter({ has: page.getByText(title, { exact: true }) });
  await row('Note with the summary').waitFor();
  // The only open case is proposed.
  expect(await sheet.getByLabel('Case').locator('option:checked').innerText()).toContain('Router drops');
  for (const box of await sheet.getByRole('checkbox').all()) await box.uncheck();
  await row('Note with the summary').getByRole('checkbox').check();
  crm.refuses = 'Comments are closed.';
  await sheet.getByRole('button', { name: 'Put into the CRM' }).click();
  await row('Note with the summary').getByText('not written').waitFor();
  expect(crm.notes).toEqual([]);

  const outbox = await page.context().newPage();
  await outbox.goto('/outbox');
  await outbox.locator('bc-outbox-row').getByRole('heading', { name: 'Note' }).waitFor();
  await outbox.getByText(/CRM \(BottleCRM\): .*1 failed/).waitFor();

  crm.refuses = '';
  await row('Note with the summary').getByRole('button', { name: 'Try again' }).click();
  await row('Note with the summary').getByText('written', { exact: true }).waitFor();
  await outbox.locator('bc-outbox-row').getByText(/^Written/).waitFor();
  expect(crm.notes.map((note) => note.to)).toEqual(['33333333-3333-4333-8333-333333333333']);
  expect(crm.notes[0]?.text).toContain(`conversation ${id}`);

  // Something was written to her already: it can't become somebody else's call.
  await panel.getByRole('button', { name: 'Somebody else?' }).click();
  await panel.getByLabel('Look up by another number or e-mail').fill('+442079460123');
  await page.keyboard.press('Enter');
  await panel.getByText('Something was written to another contact already, so this conversation stays theirs').waitFor();
  await page.locator('bc-customer h2').getByText('Grace Okafor').waitFor();
  expect(errors).toEqual([]);
});
