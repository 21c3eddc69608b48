import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch } from './browser.ts';
import { Service, waitFor } from './service.ts';

// The same as embed.test.ts plays, with the real service and its own list of origins.
let browser: Browser;
let service: Service;
let friend: { server: Server; url: string };
let stranger: { server: Server; url: string };
let page: Page;

async function site(): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    const wanted = new URL(request.url ?? '/', 'http://x').searchParams;
    const [conversation, token] = [wanted.get('conversation') ?? '', wanted.get('token') ?? ''];
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(`<!doctype html><html lang="en"><title>A CRM</title>
      <script type="module" src="${service.url}/embed/backchannel-copilot.js"></script>
      <backchannel-copilot conversation="${conversation}" token="${token}" style="width: 360px"></backchannel-copilot>
      <iframe title="Backchannel" width="360" height="640" src="${service.url}/embed/frame.html#conversation=${conversation}&token=${token}"></iframe>`);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

beforeAll(async () => {
  [friend, stranger] = [await site(), await site()];
  service = await Service.start(`[serve]\nembed_origins = ["${friend.url}"]\n`);
  browser = await launch();
  page = await (await browser.newContext()).newPage();
  page.setDefaultTimeout(60_000);
});
afterAll(async () => {
  await browser?.close();
  await service?.stop();
  for (const { server } of [friend, stranger]) server.close();
});

test('another origin shows a live call by a token, if it is on the list, and that call alone', async () => {
  // It isn't played to its end.
  service.replay().catch(() => undefined);
  const { id } = await waitFor('the call', 30_000, async () => (await service.conversations('live'))[0]);
  const { token } = await service.send<{ token: string }>('POST', '/v1/tokens', { conversation: id });
  await page.goto(`${friend.url}/?conversation=${id}&token=${token}`);
  const framed = page.frameLocator('iframe');
  for (const copilot of [page.locator('body > backchannel-copilot'), framed.locator('backchannel-copilot')]) {
    await copilot.locator('bc-card[front]').waitFor();
    await copilot.getByRole('tab', { name: 'Transcript' }).click();
    await copilot.locator('bc-turn').first().waitFor();
  }

  const status = (at: string, path: string) =>
    page.evaluate(([url, bearer]) => fetch(url!, { headers: { authorization: `Bearer ${bearer}` } }).then((answer) => answer.status, () => 0), [`${at}${path}`, token] as const);
  expect(await status(service.url, `/v1/conversations/${id}`)).toBe(200);
  // With its token it opens no other door.
  for (const path of ['/v1/conversations', '/v1/conversations/c-other', '/v1/outbox', `/v1/conversations/${id}/outcome`]) {
    expect(await status(service.url, path), path).toBe(401);
  }

  await page.goto(`${stranger.url}/?conversation=${id}&token=${token}`);
  // Not the module, not an answer, not the frame: with a token that is right.
  expect(await status(service.url, `/v1/conversations/${id}`)).toBe(0);
  expect(await page.evaluate(() => customElements.get('backchannel-copilot') === undefined)).toBe(true);
  expect(await framed.locator('backchannel-copilot').count()).toBe(0);
});
