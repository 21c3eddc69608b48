import { join } from 'node:path';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { PICTURES } from './house.ts';

const WIDTHS = [360, 900, 1440];
const SCHEMES = ['light', 'dark'] as const;

/** Takes the pictures, and finds no sideways scrolling and nothing that axe-core objects to. */
export async function look(page: Page, name: string, widths = WIDTHS): Promise<void> {
  for (const width of widths) {
    await page.setViewportSize({ width, height: width < 600 ? 740 : 900 });
    for (const colorScheme of SCHEMES) {
      // The fade of a card that comes meanwhile would be judged half transparent.
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.waitForTimeout(250);
      await page.screenshot({ path: join(PICTURES, `${name}-${width}-${colorScheme}.png`) });
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      const panels = await page.locator('.panel:visible').evaluateAll((all) => all.filter((panel) => panel.scrollWidth > panel.clientWidth).length);
      expect.soft(panels, `${name} at ${width} px has a panel that scrolls sideways`).toBe(0);
      // Soft: one objection must not hide the other pictures.
      expect.soft(overflow, `${name} at ${width} px scrolls sideways`).toBe(0);
      expect.soft(await objections(page), `${name} at ${width} px, ${colorScheme}`).toEqual([]);
    }
  }
}

async function objections(page: Page): Promise<string[]> {
  // Evaluated, not added as a script: the page's content policy rightly refuses strangers.
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: typeof import('axe-core') };
    const { violations } = await axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] });
    return violations.map((v) => `${v.id}: ${v.nodes.map((node) => node.target.join(' ')).join(', ')}: ${v.nodes[0]?.failureSummary ?? ''}`);
  });
}
