import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { launch, signedIn, watchErrors } from './browser.ts';
import type { PlayedHouse } from './played-house.ts';
import { Service } from './service.ts';

/** Pictures for people; kept after the run. */
export const PICTURES = process.env.E2E_SCREENSHOTS ?? join(tmpdir(), 'backchannel-looks');

/** The service and a browser for all tests of a file. */
export function house(): { service: Service; browser: Browser } {
  const all = {} as { service: Service; browser: Browser };
  beforeAll(async () => {
    mkdirSync(PICTURES, { recursive: true });
    all.service = await Service.start();
    all.browser = await launch();
  });
  afterAll(async () => {
    await all.browser?.close();
    await all.service?.stop();
  });
  return all;
}

/** A signed-in page of its own for each test of a file, on which nothing may go wrong. */
export function stage(): { page: Page; errors: string[] } {
  const all = house();
  const now = {} as { page: Page; errors: string[] };
  let context: BrowserContext;
  beforeEach(async () => {
    context = await signedIn(all.browser, all.service);
    now.page = await context.newPage();
    now.page.setDefaultTimeout(10_000);
    now.errors = watchErrors(now.page);
  });
  afterEach(async () => {
    expect(now.errors).toEqual([]);
    await context.close();
  });
  return now;
}

/** For each test of a file a page of its own on a played house, which the test opens; nothing may go wrong on it. */
export function playedStage(): { open: (house: PlayedHouse, width?: number) => Promise<Page> } {
  let browser: Browser;
  const opened: { house: PlayedHouse; page: Page; errors: string[] }[] = [];
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser?.close());
  afterEach(async () => {
    const all = opened.splice(0);
    for (const { house, page } of all) {
      await page.context().close();
      await house.stop();
    }
    expect(all.flatMap((one) => one.errors)).toEqual([]);
  });
  return {
    open: async (house, width = 1440) => {
      const page = await (await browser.newContext({ viewport: { width, height: 900 }, baseURL: house.url })).newPage();
      page.setDefaultTimeout(10_000);
      opened.push({ house, page, errors: watchErrors(page) });
      return page;
    },
  };
}
