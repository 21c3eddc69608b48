import { afterEach, expect, test, vi } from 'vitest';
import { Visitor, framesOf, noVisit, withTurn } from './visit.ts';

afterEach(() => vi.unstubAllGlobals());

/** What is told after a message, where the browser may not read the chat's answers. */
async function afterwards(livez: () => Promise<Response>): Promise<{ trouble: string | null; said: string[]; failed: boolean[] }> {
  const said: string[] = [];
  vi.stubGlobal('location', { origin: 'https://shop.example' });
  vi.stubGlobal('console', { ...console, error: (text: string) => said.push(text) });
  vi.stubGlobal('fetch', (url: string) => (url.endsWith('/livez') ? livez() : Promise.reject(new TypeError('Failed to fetch'))));
  const kept = new Map<string, string>();
  const store = { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value), removeItem: (key: string) => void kept.delete(key) };
  const visitor = new Visitor('https://copilot.example', () => undefined, store as unknown as Storage);
  await visitor.send('Hello?', 'm1');
  return { trouble: visitor.visit.trouble, said, failed: visitor.visit.pending.map((one) => one.failed) };
}

test('a page that isn’t listed tells its owner what to do', async () => {
  const { trouble, said, failed } = await afterwards(() => Promise.resolve(new Response()));
  expect(trouble).toContain('isn’t set up for this page');
  expect(said[0]).toContain('origins = ["https://shop.example"]');
  expect(failed).toEqual([true]);
});

test('a service that is away is no fault of the page', async () => {
  const { trouble, said } = await afterwards(() => Promise.reject(new TypeError('Failed to fetch')));
  expect(trouble).toContain('can’t be reached');
  expect(said).toEqual([]);
});

test('frames are cut where they end, and comments left out', () => {
  const { frames, rest } = framesOf(': connected\n\nid: 1\nevent: turn\ndata: {"a":1}\n\nid: 2\nevent: end');
  expect(frames).toEqual([{ id: '1', event: 'turn', data: '{"a":1}' }]);
  expect(rest).toBe('id: 2\nevent: end');
  expect(framesOf(`${rest}ed\ndata: {}\n\n`).frames).toEqual([{ id: '2', event: 'ended', data: '{}' }]);
});

test('a turn that comes again takes its own place', () => {
  const turn = { turn_id: 't-1', by: 'agent', text: 'It is [digits-1]', at_ms: 0 } as const;
  const other = { ...turn, turn_id: 't-2', text: 'Thanks' };
  const visit = withTurn(withTurn(noVisit, turn), other);
  expect(withTurn(visit, { ...turn, text: 'It is 4711' }).turns.map((one) => one.text)).toEqual(['It is 4711', 'Thanks']);
});
