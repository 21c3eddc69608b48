import { type Browser, type BrowserContext, type Page, chromium } from 'playwright-core';
import type { Service } from './service.ts';

export const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
// Nothing but the service may be talked to, and nothing of a desktop is needed.
export const FLAGS = [
  '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

export function launch(extra: string[] = []): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: [...FLAGS, ...extra] });
}

/** What went wrong in the page itself; every test ends by finding this empty. */
export function watchErrors(page: Page): string[] {
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    // A lost connection and a first look without a cookie are logged by the browser itself; the tests cause both.
    if (message.type() === 'error' && !message.text().includes('Failed to load resource')) errors.push(message.text());
  });
  return errors;
}

/** A signed-in context, as the page's own form would make it. */
export async function signedIn(browser: Browser, service: Service, options: Parameters<Browser['newContext']>[0] = {}): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, baseURL: service.url, ...options });
  const response = await context.request.post('/sign-in', { data: { api_key: service.apiKey }, headers: { origin: service.url } });
  if (response.status() !== 204) throw new Error(`sign-in answered ${response.status()}`);
  return context;
}

/** The words that stand in the transcript, by turn id. */
export async function shownTurns(page: Page): Promise<{ id: string; text: string }[]> {
  return page.locator('bc-turn').evaluateAll((turns) =>
    turns.map((element) => {
      const turn = (element as unknown as { turn: { turn_id: string; text: string } }).turn;
      return { id: turn.turn_id, text: turn.text };
    }),
  );
}
