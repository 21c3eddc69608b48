import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { launch, signedIn, watchErrors } from './browser.ts';
import { makeFakeVoice } from './fake-voice.ts';
import { DEMO_CALL, Service } from './service.ts';

let service: Service;
let folder: string;
let browser: Browser | undefined;

beforeAll(async () => {
  service = await Service.start();
  folder = mkdtempSync(join(tmpdir(), 'backchannel-voice-'));
});

afterEach(async () => {
  await browser?.close();
});

afterAll(async () => {
  await service?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('speaking to it makes a live call that ends when stopped', async () => {
  const voice = join(folder, 'customer.wav');
  makeFakeVoice(DEMO_CALL, voice, 5.3, 20);
  browser = await launch(['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', `--use-file-for-fake-audio-capture=${voice}`]);
  const context = await signedIn(browser, service, { permissions: ['microphone'] });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const errors = watchErrors(page);
  await page.goto('/desktop');

  await page.locator('bc-idle').getByRole('button', { name: 'Speak to it' }).click();
  const stop = page.locator('.strip').getByRole('button', { name: 'Stop' });
  await stop.waitFor();
  await page.locator('bc-turn [data-turn]:not(.partial)').first().waitFor();
  const id = await page.evaluate(() => location.hash.slice(1));
  const level = await page.locator('.strip meter').evaluate((meter) => (meter as HTMLMeterElement).value);
  expect(level).toBeGreaterThanOrEqual(0);

  await stop.click();
  await page.getByText(/^Ended/).first().waitFor();
  const stored = await service.conversation(id);
  expect(stored.state).toBe('ended');
  expect(stored.turns.length).toBeGreaterThan(0);
  expect(stored.turns[0]!.party.role).toBe('customer');
  expect(errors).toEqual([]);
});

test('a refused microphone is explained where the button is', async () => {
  browser = await launch(['--use-fake-device-for-media-stream', '--deny-permission-prompts']);
  const page = await (await signedIn(browser, service)).newPage();
  await page.goto('/desktop');
  await page.locator('bc-idle').getByRole('button', { name: 'Speak to it' }).click();
  await page.locator('bc-idle').getByText('The microphone is blocked for this page.').waitFor();
});
