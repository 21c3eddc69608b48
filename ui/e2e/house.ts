import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { launch } from './browser.ts';
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
