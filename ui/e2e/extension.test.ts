import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, type Page, chromium } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { pack } from '../extension/pack.mjs';
import { CHROMIUM, FLAGS } from './browser.ts';
import { PICTURES } from './house.ts';
import { known, live } from './played-crm.ts';
import { type Asked, PlayedHouse } from './played-house.ts';
import { citation } from './played.ts';

// The panel looks at its page now and then, and two cores may be busy.
const PATIENCE = { timeout: 15_000 };
// One browser with the extension in it; its leave for addresses is given, since no test can press the browser's own button.
let folder: string;
let context: BrowserContext;
let house: PlayedHouse;
let crm: Server;
let crmUrl: string;
let page: Page;

const mine = { ...live, crm: known, attributes: { from: '+442079460123', to: '+448001111' } };
const other = { ...live, id: 'c-10', attributes: { from: '+447700900999', to: '+448001111' }, parties: [{ id: 'p-1', role: 'customer', name: 'Grace Hopper' }] };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'backchannel-extension-'));
  const packed = join(folder, 'packed');
  pack(packed);
  const manifest = JSON.parse(readFileSync(join(packed, 'manifest.json'), 'utf8')) as Record<string, unknown>;
  writeFileSync(join(packed, 'manifest.json'), JSON.stringify({ ...manifest, host_permissions: ['http://127.0.0.1/*', 'http://localhost/*'] }));
  // A page that draws itself anew when another contact is opened, as such a CRM does, with the company's own number on each.
  crm = createServer((request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    // Somebody else's page under the other name lets any frame in.
    if (request.headers.host?.startsWith('localhost')) response.setHeader('content-security-policy', "default-src 'self' 'unsafe-inline'");
    response.end(`<!doctype html><html lang="en"><title>CRM</title><style>iframe, div { display: none !important }</style>
      <main><h1>${request.url}</h1><p id="who"></p><label>Note <textarea id="note"></textarea></label></main><footer><a href="tel:+448001111">Our line</a></footer>
      <script>window.show = (html) => { document.getElementById('who').innerHTML = html; }; ${request.url?.includes('7') ? "show('<a href=\\'tel:020 7946 0123\\'>020 7946 0123</a>')" : ''}</script>`);
  });
  await new Promise<void>((done) => crm.listen(0, '127.0.0.1', done));
  crmUrl = `http://localhost:${(crm.address() as AddressInfo).port}`;
  context = await chromium.launchPersistentContext(join(folder, 'profile'), {
    executablePath: CHROMIUM, args: [...FLAGS, `--disable-extensions-except=${packed}`, `--load-extension=${packed}`], viewport: { width: 1200, height: 800 },
    ignoreDefaultArgs: ['--disable-extensions'],
  });
});
afterAll(async () => {
  await context?.close();
  crm.close();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  house = await PlayedHouse.start();
  // As if it were another origin altogether: only whoever has the key or the token is answered.
  house.answers.set('GET /v1/conversations', { items: [mine, other], next: null });
  for (const one of [mine, other]) house.answers.set(`GET /v1/conversations/${one.id}`, one);
  house.answers.set('POST /v1/tokens', ({ body }: Asked) => ({ token: `st-${(body as { conversation: string }).conversation}`, expires_at: '2027-01-01T00:00:00Z' }));
  house.answers.set('POST /v1/suggestions/k-1/verdict', {});
  page = await context.newPage();
  page.setDefaultTimeout(15_000);
  await page.goto(`chrome-extension://${await extensionId()}/options.html`);
  await page.getByLabel('Address of the service').fill(`${house.url}/`);
  await page.getByLabel('API key').fill('bk-agent');
  await page.getByLabel('Address of the CRM').fill(`${crmUrl}/app/contacts`);
  await page.getByLabel('Country code of numbers without one').fill('44');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved. Hello Emma').waitFor();
});
afterEach(async () => {
  await page.close();
  await house.stop();
});

async function extensionId(): Promise<string> {
  const [worker] = context.serviceWorkers();
  return new URL((worker ?? (await context.waitForEvent('serviceworker'))).url()).host;
}

const panel = () => page.frames().find((frame) => frame.url().endsWith('/panel.html'))!;

/** Those for a page; each connection of a stream asks for one of its own. */
const pageTokens = () => house.sent('POST', '/v1/tokens').filter((one) => (one.body as { use?: string }).use === undefined);

test('beside a contact’s page stands the call with that contact, and its words go where the agent writes', async () => {
  await page.goto(`${crmUrl}/contacts/7`);
  await expect.poll(() => panel()?.url(), PATIENCE).toBeTruthy();
  await panel().getByText('We refund a duplicate direct debit').waitFor();
  await panel().locator('bc-customer').getByText('Daniel Okafor').waitFor();
  // What comes live reaches it, too.
  await expect.poll(() => house.listeners('c-9'), PATIENCE).toBe(1);
  house.tell('c-9', 4, 'suggestion.withdrawn', { card_id: 'k-1', why: 'nothing' });
  await panel().getByText('No card is open.').waitFor();
  await page.reload();
  await expect.poll(() => panel()?.url(), PATIENCE).toBeTruthy();
  await panel().getByText('We refund a duplicate direct debit').waitFor();
  await page.screenshot({ path: join(PICTURES, 'extension-1200.png') });
  expect(pageTokens().map((one) => one.body)).toEqual([{ conversation: 'c-9' }, { conversation: 'c-9' }]);
  await page.getByLabel('Note').fill('He asks: ');
  await panel().getByRole('button', { name: 'Insert' }).click();
  await expect.poll(() => page.getByLabel('Note').inputValue(), PATIENCE).toBe(`He asks: ${citation.quote}`);
  // The key went to the service alone, and the page can see neither it nor the panel's inside.
  const keyed = house.asked.filter((one) => one.headers.authorization === 'Bearer bk-agent').map((one) => one.path.split('?')[0]);
  expect(new Set(keyed)).toEqual(new Set(['/v1/me', '/v1/conversations', '/v1/tokens']));
  const seen = await page.evaluate(() => [document.documentElement.outerHTML, document.querySelector('#backchannel-beside')?.shadowRoot]);
  expect(String(seen[0])).not.toMatch(/bk-agent|Daniel|st-c-9/);
  expect(seen[1]).toBeNull();
});

test('where no call fits the agent chooses, and another contact’s page changes the panel', async () => {
  await page.goto(`${crmUrl}/contacts/new`);
  await expect.poll(() => panel()?.url(), PATIENCE).toBeTruthy();
  await panel().getByText('No live call has this contact’s number.').waitFor();
  await page.screenshot({ path: join(PICTURES, 'extension-choice-1200.png') });
  await panel().getByRole('button', { name: /Grace Hopper/ }).click();
  await panel().locator('bc-customer').waitFor();
  await expect.poll(() => pageTokens().map((one) => one.body), PATIENCE).toEqual([{ conversation: 'c-10' }]);
  await page.evaluate(() => (window as unknown as { show: (html: string) => void }).show('Telephone: +44 20 7946 0123'));
  await expect.poll(() => pageTokens().at(-1)?.body, PATIENCE).toEqual({ conversation: 'c-9' });
  await page.evaluate(() => (window as unknown as { show: (html: string) => void }).show('+44 20 7946 0123, <a href="tel:+44 7700 900999">mobile</a>'));
  await panel().getByText('Several calls fit. Which one is yours?').waitFor();
});

test('another page that holds the panel in a frame sees a sentence and no call', async () => {
  const port = new URL(crmUrl).port;
  // The same server under another name is another origin.
  await page.goto(`http://127.0.0.1:${port}/contacts/7`);
  const asked = house.asked.length;
  await page.evaluate((url) => {
    const frame = document.createElement('iframe');
    frame.src = url;
    frame.style.setProperty('display', 'block', 'important');
    document.querySelector('main')?.append(frame);
    addEventListener('message', () => frame.contentWindow?.postMessage({ type: 'backchannel-whose', phones: ['+442079460123'], emails: [] }, '*'));
  }, `chrome-extension://${await extensionId()}/panel.html`);
  await expect.poll(() => panel()?.url(), PATIENCE).toBeTruthy();
  await panel().getByText('This page isn’t the CRM that this extension’s options name').waitFor();
  expect(house.asked.length).toBe(asked);
});
