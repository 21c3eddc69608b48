import type { BrowserContext, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { signedIn, watchErrors } from './browser.ts';
import { house } from './house.ts';
import { waitFor } from './service.ts';

const all = house();

/** A visitor on the company's page and an agent at the desktop, each in a browser of their own. */
async function both(): Promise<{ visitor: Page; agent: Page; errors: string[]; close: () => Promise<void> }> {
  const contexts: BrowserContext[] = [await all.browser.newContext({ baseURL: all.service.url }), await signedIn(all.browser, all.service)];
  const [visitor, agent] = await Promise.all(contexts.map((context) => context.newPage()));
  const errors = [...watchErrors(visitor!), ...watchErrors(agent!)];
  for (const page of [visitor!, agent!]) page.setDefaultTimeout(15_000);
  return { visitor: visitor!, agent: agent!, errors, close: async () => void (await Promise.all(contexts.map((context) => context.close()))) };
}

test('a visitor asks, a card comes, the agent sends it, and the visitor reads it', async () => {
  const { visitor, agent, errors, close } = await both();
  await agent.goto('/desktop');
  await agent.getByText('No call right now').waitFor();
  await visitor.goto('/chat');
  const chat = visitor.locator('backchannel-chat');
  await chat.getByRole('textbox').fill('My direct debit was taken twice. When do I get the second payment back? My card is 4539 1488 0343 6467.');
  await visitor.keyboard.press('Enter');
  await chat.getByText('My card is ••••').waitFor();

  await agent.locator('bc-card[front]').waitFor();
  const [live] = await all.service.conversations('live');
  const stored = await all.service.conversation(live!.id);
  await agent.keyboard.press('1');
  await agent.keyboard.press('Control+Enter');
  const words = stored.cards[0]!.text;
  await chat.getByText(words).waitFor();
  await waitFor('the verdict', 5_000, async () => (await all.service.conversation(live!.id)).cards[0]?.verdict?.verdict === 'accepted');
  const shown = await chat.evaluate((element) => element.shadowRoot?.textContent ?? '');
  expect(shown).not.toContain(stored.cards[0]!.title);
  expect(shown).not.toContain('4539');

  await all.service.send('POST', `/v1/conversations/${live!.id}/end`, {});
  await chat.getByText('This chat has ended').waitFor();
  await agent.locator('bc-reply').waitFor({ state: 'detached' });
  await agent.locator('bc-wrapup .summary').waitFor();
  expect(errors).toEqual([]);
  await close();
});
