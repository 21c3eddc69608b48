import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { launch } from './browser.ts';
import { PICTURES } from './house.ts';
import { known, live } from './played-crm.ts';
import { PlayedHouse, Refusal } from './played-house.ts';
import { citation } from './played.ts';

const TOKEN = 'st-once';
/** A page with habits that must not reach in. */
const HABITS = `
  :root { color-scheme: COLOR; font-size: 62.5%; --bg: red; --ink: red; --s4: 90px; }
  * { letter-spacing: 9px !important; text-transform: uppercase !important; }
  body { margin: 0; font: italic 30px/3 serif; cursor: wait; }
  button, h2, p, .panel { background: red !important; padding: 40px !important; }`;

interface Site {
  url: string;
  server: Server;
}

let browser: Browser;
let house: PlayedHouse;
let friend: Site;
let stranger: Site;
let page: Page;
let refused: string[];

async function site(): Promise<Site> {
  const server = createServer((request, response) => {
    const wanted = new URL(request.url ?? '/', 'http://x').searchParams;
    response.setHeader('content-type', 'text/html; charset=utf-8');
    if (request.url?.startsWith('/framed')) {
      response.end(`<!doctype html><html lang="en"><title>A CRM</title><script>window.told = []; onmessage = ({ data, origin }) => told.push([data.type, data.text, origin])</script>
        <iframe title="Backchannel" width="360" height="640" src="${house.url}/embed/frame.html#conversation=c-9&token=${TOKEN}"></iframe>`);
      return;
    }
    response.end(`<!doctype html><html lang="en"><title>A CRM</title>
      <style>${HABITS.replace('COLOR', wanted.get('scheme') ?? 'normal')}</style>
      <script type="module" src="${house.url}/embed/backchannel-copilot.js"></script>
      <h1>Contact</h1><label>Reply <input id="reply"></label>
      <backchannel-copilot conversation="${wanted.get('conversation') ?? ''}" token="${wanted.get('token') ?? ''}" style="width: ${wanted.get('width') ?? '360'}px"></backchannel-copilot>`);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

beforeEach(async () => {
  house = await PlayedHouse.start();
  [friend, stranger] = [await site(), await site()];
  house.token = TOKEN;
  house.origins = [friend.url];
  house.answers.set('GET /v1/conversations/c-9', { ...live, crm: known });
  house.answers.set('POST /v1/suggestions/k-1/verdict', {});
  house.answers.set(`GET /v1/articles/${encodeURIComponent(citation.article_id)}`, () => {
    throw new Refusal(403, 'this token reads one conversation');
  });
  page = await (await browser.newContext({ viewport: { width: 800, height: 800 } })).newPage();
  page.setDefaultTimeout(10_000);
  refused = [];
  page.on('console', (message) => message.text().includes('CORS') && refused.push(message.text()));
});
afterEach(async () => {
  await page.context().close();
  await house.stop();
  for (const { server } of [friend, stranger]) {
    server.closeAllConnections();
    server.close();
  }
});

const copilot = () => page.locator('backchannel-copilot');
const open = (at: Site, query = `conversation=c-9&token=${TOKEN}`) => page.goto(`${at.url}/?${query}`);

test('in another site’s page it shows cards, words and customer, live, without a cookie', async () => {
  await page.context().addCookies([{ name: 'backchannel_session', value: 'somebody', url: house.url }]);
  await open(friend);
  await copilot().locator('bc-card[front]').getByText('We refund a duplicate direct debit').waitFor();
  await copilot().locator('bc-customer').getByText('Daniel Okafor').waitFor();
  await expect.poll(() => house.listeners('c-9')).toBe(1);
  house.tell('c-9', 4, 'turn.final', { turn_id: 't-2', party: { id: 'p-1', role: 'customer' }, start_ms: 5_000, end_ms: 6_000, text: 'My bank charged me, too.' });
  await page.screenshot({ path: join(PICTURES, 'embed-cards-360.png') });
  await copilot().getByRole('tab', { name: 'Transcript' }).click();
  await copilot().getByText('My bank charged me, too.').waitFor();
  await copilot().getByRole('tab', { name: 'Customer' }).click();
  await copilot().getByText('Router drops the line at night').waitFor();
  await page.screenshot({ path: join(PICTURES, 'embed-customer-360.png') });
  const api = house.asked.filter((one) => one.path.startsWith('/v1/'));
  expect(api.length).toBeGreaterThan(1);
  expect(api.every((one) => one.headers.cookie === undefined)).toBe(true);
  // The token stands in headers only; what opens the stream is another, which works once.
  expect(api.filter((one) => one.path.includes(TOKEN))).toEqual([]);
  expect(api.filter((one) => one.path.includes('token=')).every((one) => one.path.includes('/events'))).toBe(true);
});

test('what is accepted reaches the page, which puts it where it belongs', async () => {
  await open(friend);
  await page.evaluate(() => {
    document.addEventListener('backchannel-card-accepted', (event) => {
      (document.getElementById('reply') as HTMLInputElement).value = (event as CustomEvent<{ text: string }>).detail.text;
      event.preventDefault();
    });
  });
  // Its keys are its own: outside they are the page's.
  await page.locator('#reply').focus();
  await page.keyboard.type('1');
  await page.keyboard.press('Escape');
  expect(await page.locator('#reply').inputValue()).toBe('1');
  expect(house.sent('POST', '/v1/suggestions/k-1/verdict')).toEqual([]);
  await copilot().locator('bc-card[front] .answer').focus();
  await page.keyboard.press('1');
  await expect.poll(() => page.locator('#reply').inputValue()).toBe(citation.quote);
  await expect.poll(() => house.sent('POST', '/v1/suggestions/k-1/verdict').map((one) => one.body)).toEqual([{ verdict: 'accepted' }]);
  // What the page took isn't copied as well.
  expect(await copilot().locator('bc-announcer .toast').count()).toBe(0);
  // The article is closed to this token; its words came with the card.
  await page.keyboard.press('Enter');
  await copilot().getByText(`These words bear it out: “${citation.quote}”`).waitFor();
});

test('an origin that isn’t on the list gets nothing', async () => {
  await open(stranger);
  await copilot().getByText('Not connected. The service can’t be reached, or its settings (embed_origins) don’t name this page.').waitFor();
  await expect.poll(() => refused.length).toBeGreaterThan(0);
  expect(await copilot().locator('bc-card, bc-turn, bc-customer').count()).toBe(0);
  expect(await page.content()).not.toContain('Daniel');
  expect(house.listeners('c-9')).toBe(0);
});

test('in a frame it needs nothing but the address, and only the pages on the list may hold it', async () => {
  await page.goto(`${friend.url}/framed`);
  const frame = page.frameLocator('iframe');
  await frame.locator('bc-card[front]').getByText('We refund a duplicate direct debit').waitFor();
  await frame.getByRole('button', { name: 'Insert' }).click();
  await expect.poll(() => page.evaluate(() => (window as unknown as { told: unknown[] }).told)).toEqual([['backchannel-card-accepted', citation.quote, house.url]]);
  // No log of the service saw the token.
  expect(house.asked.filter((one) => one.path.includes(TOKEN))).toEqual([]);
  const before = house.asked.length;
  await page.goto(`${stranger.url}/framed`);
  await page.waitForTimeout(1_000);
  expect([await frame.locator('bc-card').count(), house.asked.length]).toEqual([0, before]);
});

test('a token that has run out is asked for again, and the new one goes on where it was', async () => {
  await open(friend, 'conversation=c-9&token=old');
  await page.evaluate((token) => {
    document.addEventListener('backchannel-token-expired', (event) => (event.target as HTMLElement).setAttribute('token', token));
  }, TOKEN);
  // The first one may have run out before anybody listened.
  await copilot().evaluate((element) => element.setAttribute('token', 'older'));
  await copilot().locator('bc-card[front]').waitFor();
  await page.evaluate(() => document.querySelector('h1')!.after(document.querySelector('backchannel-copilot')!));
  await copilot().locator('bc-card[front]').waitFor();
  await expect.poll(() => house.listeners('c-9')).toBe(1);
});

test('no rule of the page reaches in, none of ours reaches out, and light or dark is the page’s', async () => {
  for (const scheme of ['light', 'dark', 'normal'] as const) {
    await open(friend, `conversation=c-9&token=${TOKEN}&scheme=${scheme}&width=420`);
    await copilot().locator('bc-card[front]').waitFor();
    await page.waitForTimeout(250);
    await page.screenshot({ path: join(PICTURES, `embed-habits-${scheme}.png`) });
    const style = (selector: string) =>
      copilot().locator(selector).first().evaluate((element) => {
        const { fontSize, letterSpacing, textTransform, fontStyle, backgroundColor, paddingTop, color } = getComputedStyle(element);
        return { fontSize, letterSpacing, textTransform, fontStyle, backgroundColor, paddingTop, color };
      });
    const quiet = { letterSpacing: 'normal', textTransform: 'none', fontStyle: 'normal' };
    expect(await style('.root')).toMatchObject({ ...quiet, fontSize: '15px', backgroundColor: scheme === 'dark' ? 'rgb(19, 22, 20)' : 'rgb(246, 246, 244)' });
    expect(await style('bc-card[front] .answer')).toMatchObject({ ...quiet, fontSize: '18px', color: scheme === 'dark' ? 'rgb(233, 237, 234)' : 'rgb(26, 30, 28)' });
    expect(await style('bc-customer h2')).toMatchObject({ paddingTop: '0px' });
  }
  // The page has what it had: no style sheet, no rule, no global name, nothing kept.
  const left = await page.evaluate(() => ({
    sheets: document.styleSheets.length, adopted: document.adoptedStyleSheets.length, theme: document.documentElement.dataset['theme'], kept: localStorage.length,
    globals: Object.keys(window).filter((name) => /backchannel|^bc/i.test(name)), font: getComputedStyle(document.body).fontSize,
  }));
  expect(left).toEqual({ sheets: 1, adopted: 0, theme: undefined, kept: 0, globals: [], font: '30px' });
});
