import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import type { OutcomeOrder } from '../src/api/crm-types.ts';
import type { Conversation } from '../src/api/types.ts';
import { playedStage } from './house.ts';
import { look } from './look.ts';
import { dead, ended, houseWith, outcome, show, systems, unknown, writeOf } from './played-crm.ts';
import { type Asked, type PlayedHouse, Refusal } from './played-house.ts';
import { focused } from './staged.ts';

const OUTCOME = '/v1/conversations/c-9/outcome';
const stage = playedStage();
let house: PlayedHouse;
let page: Page;

async function open(changes: Partial<Conversation> = {}, planned: unknown = outcome): Promise<void> {
  house = await houseWith({ ...ended, ...changes });
  house.answers.set(`GET ${OUTCOME}`, planned);
  page = await stage.open(house);
  await page.goto('/desktop#c-9');
  await panel().waitFor();
}

const panel = () => page.locator('bc-outcome section');
const row = (title: string) => panel().locator('li').filter({ has: page.getByText(title, { exact: true }) });
const orders = () => house.sent('POST', OUTCOME).map((one) => one.body as OutcomeOrder);

test('the agent ticks, corrects, and puts it there; what fails is tried again', async () => {
  await open();
  await row('Note with the summary').waitFor();
  // What a rule does by itself is not for ticking; to send a mail is nobody's default.
  await row('Entry in the contact’s log').getByText('goes by itself').waitFor();
  expect(await row('Entry in the contact’s log').getByRole('checkbox').count()).toBe(0);
  expect(await row('Send the e-mail').getByRole('checkbox').isChecked()).toBe(false);
  await look(page, 'outcome-planned');
  await page.setViewportSize({ width: 1440, height: 900 });

  // Two cases are open: nobody guesses which.
  expect(await panel().getByLabel('Case').inputValue()).toBe('');
  await panel().getByLabel('Case').selectOption({ label: '#1057 Second direct debit in November (Open)' });
  await row('Note with the summary').getByRole('button', { name: 'Edit' }).click();
  const area = panel().getByLabel('Your words: Note with the summary');
  await area.fill('Paid back within five days. Fee is being checked.');
  await page.keyboard.press('Control+Enter');
  await row('Note with the summary').getByText('yours').waitFor();
  await row('Task for what was promised').getByText('“by the end of the week”: which day?').waitFor();
  await row('Task for what was promised').getByLabel('Day').fill('2026-12-04');
  await row('Task for what was promised').getByText('Fri 4 Dec').waitFor();
  await row('Calendar entry').getByRole('button', { name: 'Change' }).click();
  await row('Calendar entry').getByLabel('Time').fill('14:30');
  await row('Calendar entry').getByRole('button', { name: 'Done' }).click();
  await row('Calendar entry').getByText('Thu 3 Dec, 14:30').waitFor();
  await row('E-mail draft in your mailbox').getByRole('checkbox').uncheck();
  await look(page, 'outcome-corrected', [360, 1440]);
  await page.setViewportSize({ width: 1440, height: 900 });

  const chosen = ['note', 'task:w-end-followup-1', 'meeting:w-end-followup-2'];
  const write = (id: string) => writeOf(id);
  house.answers.set(`POST ${OUTCOME}`, () => ({ items: chosen.map(write) }));
  const planned = (id: string) => (chosen.includes(id) ? write(id) : id === 'call' ? writeOf('call', { state: 'done' }) : null);
  house.answers.set(`GET ${OUTCOME}`, { ...outcome, items: outcome.items.map((one) => ({ ...one, write: planned(one.id) })) });
  await page.locator('bc-transcript .scroll').focus();
  await page.keyboard.press('p');
  expect([await focused(page), orders()]).toEqual(['button', []]);
  await page.keyboard.press('p');
  await row('Note with the summary').getByText('waiting to be written').waitFor();
  expect(orders()).toEqual([{
    items: chosen, case: '10',
    changes: {
      note: { text: 'Paid back within five days. Fee is being checked.' }, 'task:w-end-followup-1': { date: '2026-12-04' },
      'meeting:w-end-followup-2': { starts: '2026-12-03T14:30[Europe/London]' },
    },
  }]);
  // The same key again orders nothing twice: what is left isn't ticked.
  await page.keyboard.press('p');

  house.tell('c-9', 8, 'crm.write', writeOf('note', { state: 'done', attempts: 1, remote_id: '88', url: 'http://127.0.0.1:9/notes/88' }));
  house.tell('c-9', 9, 'crm.write', writeOf('task:w-end-followup-1', { state: 'failed', attempts: 1, problem: 'BottleCRM refused the task: its due date is no working day.' }));
  house.tell('c-9', 10, 'crm.write', writeOf('meeting:w-end-followup-2', { attempts: 2, problem: 'The calendar can’t be reached; it is tried again in 40 s.' }));
  await row('Task for what was promised').getByText('BottleCRM refused the task').waitFor();
  expect(await row('Note with the summary').getByRole('link', { name: /open/ }).getAttribute('rel')).toBe('noopener noreferrer');
  await look(page, 'outcome-failed');
  await page.setViewportSize({ width: 1440, height: 900 });
  expect(orders()).toHaveLength(1);

  // A failed write blocks nothing: the rest can be put, the drafts decided about.
  expect(await panel().getByRole('button', { name: 'Put into the CRM' }).isVisible()).toBe(true);
  await page.locator('bc-wrapup .summary').getByRole('button', { name: 'Accept' }).isEnabled();
  house.answers.set('GET /v1/outbox', { items: [dead(41, { dedupe_key: 'key-task:w-end-followup-1' })], next: null, tally: [] });
  house.answers.set('POST /v1/outbox/41/retry', dead(41, { state: 'waiting' }));
  await row('Task for what was promised').getByRole('button', { name: 'Try again' }).click();
  await row('Task for what was promised').getByText('waiting to be written').waitFor();
  house.tell('c-9', 11, 'crm.write', writeOf('task:w-end-followup-1', { state: 'done', attempts: 2, remote_id: '89' }));
  await row('Task for what was promised').getByText('written', { exact: true }).waitFor();
});

test('a new case is put with what belongs to it', async () => {
  await open();
  await panel().getByLabel('Case').selectOption('new');
  await panel().getByText('Two direct debits in November').first().waitFor();
  house.answers.set(`POST ${OUTCOME}`, ({ body }: Asked) => ({ items: (body as OutcomeOrder).items.map((id) => writeOf(id)) }));
  await panel().getByRole('button', { name: 'Put into the CRM' }).click();
  await expect.poll(() => orders().length).toBe(1);
  expect(orders()[0]).toMatchObject({ case: 'new', items: ['case', 'note', 'task:w-end-followup-1', 'meeting:w-end-followup-2', 'mail:w-end-email-1'] });
});

test('where nobody is known nothing is put, and the way to the choice is one step', async () => {
  await open({ crm: unknown }, { items: [], cases: [], why_not: 'Nothing can be written: no contact is known. Choose one first.' });
  await panel().getByText('Nothing can be written').waitFor();
  await look(page, 'outcome-nobody', [360, 1440]);
  await page.setViewportSize({ width: 1440, height: 900 });
  await panel().getByRole('button', { name: 'Who was it?' }).click();
  expect(await focused(page)).toBe('input');
  // The choice brings the plan by itself.
  house.answers.set('POST /v1/conversations/c-9/crm/contact', ended.crm);
  house.answers.set(`GET ${OUTCOME}`, outcome);
  await page.keyboard.type('020 7946 0123');
  await page.keyboard.press('Enter');
  await row('Note with the summary').waitFor();
});

test('a service that is away, a system that rests, and a plan that can’t be read', async () => {
  house = await houseWith(ended);
  let broken = true;
  house.answers.set(`GET ${OUTCOME}`, () => {
    if (broken) throw new Refusal(503, 'the log can’t be read');
    return outcome;
  });
  house.answers.set('GET /v1/systems', { items: systems.map((one) => ({ ...one, resting: one.kind === 'crm', failed: one.kind === 'crm' ? 2 : 0 })) });
  page = await stage.open(house);
  await page.goto('/desktop#c-9');
  // Dead letters of other calls are told beside the calls.
  expect(await page.getByRole('link', { name: '2 not written' }).getAttribute('href')).toBe('/outbox');
  await panel().getByText('The log can’t be read. What was planned is not lost.').waitFor();
  broken = false;
  await panel().getByRole('button', { name: 'Look again' }).click();
  await panel().getByText('CRM (BottleCRM) can’t be reached at the moment.').waitFor();
  house.answers.set(`POST ${OUTCOME}`, () => {
    throw new Refusal(409, 'the contact was changed meanwhile');
  });
  await panel().getByRole('button', { name: 'Put into the CRM' }).click();
  await page.locator('bc-announcer .toast').getByText('Nothing was put into the CRM. The contact was changed meanwhile.').waitFor();
  expect(await row('Note with the summary').getByRole('checkbox').isChecked()).toBe(true);
  show(house, ended);
});

test('where a colleague was first, what she put stands there, and one’s own words are shown as not put', async () => {
  await open();
  await row('Note with the summary').getByRole('button', { name: 'Edit' }).click();
  await panel().getByLabel('Your words: Note with the summary').fill('Refund denied.');
  await page.keyboard.press('Control+Enter');
  house.answers.set(`POST ${OUTCOME}`, () => {
    const stands = (id: string) => (id === 'note' ? { text: 'Refund granted.', write: writeOf('note', { state: 'done', by: 'Bea' }) } : {});
    house.answers.set(`GET ${OUTCOME}`, { ...outcome, items: outcome.items.map((one) => ({ ...one, ...stands(one.id) })) });
    throw new Refusal(409, '“Note with the summary” was put by Bea already, with other words');
  });
  await panel().getByRole('button', { name: 'Put into the CRM' }).click();
  await page.locator('bc-announcer .toast').getByText('was put by Bea already, with other words').waitFor();
  const note = row('Note with the summary');
  await note.getByText('Refund granted.').waitFor();
  expect((await note.locator('.preview').allInnerTexts()).map((text) => text.trim())).toEqual(['Refund granted.', 'yours, not put Refund denied.']);
  expect(await note.getByText('written', { exact: true }).count()).toBe(1);
});
