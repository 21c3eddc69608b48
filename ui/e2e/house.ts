import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { launch, signedIn, watchErrors } from './browser.ts';
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
