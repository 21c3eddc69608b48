import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { launch, watchErrors } from './browser.ts';
import { Service } from './service.ts';

// People sign in at a real OpenID provider (the npm package oidc-provider), in a real browser.

let service: Service;
let provider: ChildProcess;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let errors: string[];

/** Both must know each other's address before they start. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

async function startProvider(redirect: string): Promise<string> {
  const cache = process.env.BACKCHANNEL_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'backchannel');
  const modules = join(cache, 'oidc-peer');
  if (!existsSync(join(modules, 'installed'))) throw new Error('the provider is missing: `make peers` installs it');
  provider = spawn('node', [resolve('../tests/peers/oidc/provider.mjs'), modules, redirect], { stdio: ['pipe', 'pipe', 'ignore'] });
  for await (const line of createInterface({ input: provider.stdout! })) return (JSON.parse(line) as { issuer: string }).issuer;
  throw new Error('the provider ended');
}

beforeAll(async () => {
  const port = await freePort();
  const issuer = await startProvider(`http://127.0.0.1:${port}/sign-in/oidc/callback`);
  service = await Service.start(
    `[auth.oidc]\nname = "Larkfield"\nissuer = "${issuer}"\nclient_id = "pages"\nclient_secret = "p4ges s3cret+"\n` +
      'role_claim = "groups"\nroles = { cc-agents = "agent", cc-leads = "supervisor", cc-editors = "knowledge_manager" }\ntenant_claim = "org"\n',
    `127.0.0.1:${port}`,
  );
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  await service?.stop();
  provider?.kill();
});
beforeEach(async () => {
  context = await browser.newContext({ baseURL: service.url });
  page = await context.newPage();
  page.setDefaultTimeout(20_000);
  errors = watchErrors(page);
});
afterEach(async () => {
  await context.close();
  expect(errors).toEqual([]);
});

async function signIn(who: string): Promise<void> {
  await page.getByRole('link', { name: 'Sign in with Larkfield' }).click();
  await page.locator('input[name=login]').fill(who);
  await page.locator('input[name=password]').fill('x');
  await page.locator('button[type=submit]').click();
  await page.locator('button[type=submit]').click(); // The provider asks whether we may know who it is.
}

test('a supervisor signs in, sees what is theirs, and signs out', async () => {
  await page.goto('/');
  await signIn('ada');
  await page.getByRole('heading', { name: 'Hello ada@larkfield.example' }).waitFor();
  expect(await page.locator('.place strong').allTextContents()).toEqual(['Agent desktop', 'Knowledge', 'Outbox', 'Routing']);
  const [session] = (await context.cookies()).filter((cookie) => cookie.name === 'backchannel_session');
  expect([session?.httpOnly, session?.sameSite]).toEqual([true, 'Strict']);
  // Scripts of the page can't read it.
  expect(await page.evaluate(() => document.cookie)).not.toContain('backchannel');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('link', { name: 'Sign in with Larkfield' }).waitFor();
  expect(await page.evaluate(() => fetch('/v1/me').then((answer) => answer.status))).toBe(401);
});

test('each role has its pages, and comes back to the one that was wanted', async () => {
  await page.goto('/?next=/knowledge');
  await signIn('kim');
  await page.waitForURL('**/knowledge');
  await page.goto('/');
  await page.getByText('knowledge manager').waitFor();
  expect(await page.locator('.place strong').allTextContents()).toEqual(['Knowledge']);
  expect(await page.evaluate(() => fetch('/v1/routing/plan').then((answer) => answer.status))).toBe(403);
});

test('an account without a role is told so', async () => {
  await page.goto('/');
  await signIn('stray');
  await page.getByText('your account has no role here').waitFor();
  expect((await context.cookies()).some((cookie) => cookie.name === 'backchannel_session')).toBe(false);
});
