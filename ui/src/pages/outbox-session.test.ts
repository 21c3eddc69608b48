import type { ReactiveControllerHost } from 'lit';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { OutboxSession } from './outbox-session.ts';

const item = (id: number) => ({
  id, conversation_id: 'c-1', operation: 'add_note', destination: id % 2 === 0 ? 'crm' : 'mail', dedupe_key: `k${id}`, contact_id: '7', state: 'failed', attempts: 1,
  next_at: null, problem: 'it refuses: status 400', remote_id: null, created_at: '2026-11-28T11:58:00Z', updated_at: '2026-11-28T11:58:00Z', by: 'Emma', text: 'A note.',
});
const tally = [{ destination: 'crm', state: 'failed', count: 60 }, { destination: 'mail', state: 'failed', count: 60 }];

let retried: number[];
let pages: number;
let session: OutboxSession;

/** 120 dead letters, the newest first, 50 a page. */
function page(path: string): Response {
  if (pages === 0) return new Response('', { status: 503 });
  pages -= 1;
  const before = Number(new URLSearchParams(path.split('?')[1]).get('cursor') ?? 121);
  const last = Math.max(before - 50, 1);
  const items = Array.from({ length: before - last }, (_, index) => item(before - 1 - index));
  return Response.json({ items, next: last === 1 ? null : String(last), tally });
}

beforeEach(async () => {
  vi.useFakeTimers();
  vi.stubGlobal('history', { replaceState() {} });
  retried = [];
  pages = 9;
  vi.stubGlobal('fetch', (path: string, init: RequestInit) => {
    const id = /outbox\/(\d+)\/retry/.exec(path)?.[1];
    if (init.method !== 'POST' || id === undefined) return Promise.resolve(page(path));
    retried.push(Number(id));
    return Promise.resolve(Response.json({ ...item(Number(id)), state: 'waiting' }));
  });
  const host = { addController() {}, requestUpdate() {} };
  session = new OutboxSession(host as unknown as ReactiveControllerHost, () => {});
  await session.load();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('all again means all pages, and the oldest first: a call goes into a case that came before it', async () => {
  const all = session.retryAll();
  expect(session.progress).toEqual({ done: 0, of: 120 });
  await all;
  expect(retried).toEqual(Array.from({ length: 120 }, (_, index) => index + 1));
  expect(session.progress).toBeNull();
});

test('of one system, where one is chosen', async () => {
  session.system = 'mail';
  const all = session.retryAll();
  expect(session.progress).toEqual({ done: 0, of: 60 });
  await all;
  expect(retried).toEqual(Array.from({ length: 60 }, (_, index) => 2 * index + 1));
});

test('a page that doesn’t come leaves the newer ones alone: the older would be overtaken', async () => {
  pages = 1;
  await session.retryAll();
  expect(retried).toEqual([]);
  expect(session.progress).toBeNull();
});
