import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ConversationFeed } from '../api/conversation-feed.ts';
import type { Conversation } from '../api/types.ts';
import { type ConversationView, fromSnapshot } from '../state/conversation.ts';
import { CrmDesk } from './crm-desk.ts';

const ended = {
  id: 'c-1', state: 'ended', channel: 'voice', external_id: null, started_at: '2026-11-28T11:58:00Z', ended_at: null, duration_ms: 0, parties: [], attributes: {},
  turn_count: 0, card_count: 0, last_turn: null, last_sequence: 2, position: '2', turns: [], cards: [], questions: [], gaps: [], wrapup: null,
} satisfies Conversation;
const write = { operation: 'add_note', dedupe_key: 'k', destination: 'crm', attempts: 1, state: 'done' as const };
const crm = { name: 'crm', kind: 'crm', system: 'rt', resting: false, problem: null, waiting: 0, failed: 2 };
const plan = { items: [], cases: [], why_not: null };

let asked: string[];
let answers: Record<string, () => Response | Promise<Response>>;
let feed: { id: string; view: ConversationView; closed: boolean; update: (change: (view: ConversationView) => ConversationView) => void; refresh: () => void };
let said: string[];
let desk: CrmDesk;

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  said = [];
  answers = { '/v1/systems': () => Response.json({ items: [crm] }), '/v1/conversations/c-1/outcome': () => Response.json(plan) };
  vi.stubGlobal('fetch', (path: string, init: RequestInit) => {
    asked.push(`${init.method} ${path}`);
    return Promise.resolve(answers[path.split('?')[0]!]?.() ?? new Response('', { status: 503 }));
  });
  feed = { id: 'c-1', view: fromSnapshot(ended), closed: false, update: (change) => (feed.view = change(feed.view)), refresh: () => said.push('refresh') };
  desk = new CrmDesk({
    feed: () => feed as unknown as ConversationFeed, say: { show: (text) => said.push(text), announce: (text) => said.push(text) },
    fail: (_, text) => said.push(text), changed() {},
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('the plan is read whichever of call and systems comes first, and once', async () => {
  desk.follow(feed.view);
  expect(asked).toEqual([]);
  await desk.begin();
  await vi.runAllTimersAsync();
  expect(desk.outcome).toEqual(plan);
  desk.follow(feed.view);
  await vi.runAllTimersAsync();
  expect(asked.filter((one) => one.includes('outcome'))).toHaveLength(1);
  // What it is made from has moved.
  desk.follow({ ...feed.view, writes: [write] });
  await vi.runAllTimersAsync();
  expect(asked.filter((one) => one.includes('outcome'))).toHaveLength(2);
});

test('a service that is away is asked again later, one without other systems isn’t', async () => {
  answers['/v1/systems'] = () => new Response('', { status: 503 });
  await desk.begin();
  const again = async () => {
    vi.advanceTimersByTime(31_000);
    desk.look();
    await vi.runAllTimersAsync();
  };
  answers['/v1/systems'] = () => new Response('', { status: 404 });
  await again();
  expect(asked).toHaveLength(2);
  await again();
  expect([asked.length, desk.unwritten, desk.hasCrm(feed.view)]).toEqual([2, 0, false]);
});

test('what was put and is streamed already is not set back', async () => {
  feed.view = { ...feed.view, writes: [{ ...write, sequence: 9 }] };
  answers['/v1/conversations/c-1/outcome'] = () => Response.json({ items: [{ ...write, state: 'waiting', attempts: 0 }] });
  await desk.put({ items: ['note'], case: null, changes: {} });
  expect(feed.view.writes).toEqual([{ ...write, sequence: 9 }]);
});

test('where a colleague was first it is said, and what stands is read', async () => {
  const stands = { ...plan, items: [{ id: 'note', operation: 'add_note', destination: 'crm', rule: 'ask', title: 'Note', text: 'Refund granted.', due: null, write }] };
  let posted = false;
  answers['/v1/conversations/c-1/outcome'] = () => {
    if (posted) return Response.json(stands);
    posted = true;
    return Response.json({ title: 'Conflict', status: 409, detail: '“Note” was put by Bea already, with other words' }, { status: 409, headers: { 'content-type': 'application/problem+json' } });
  };
  const order = { items: ['note'], case: null, changes: { note: { text: 'Refund denied.' } } };
  await desk.put(order);
  expect(said).toEqual(['Nothing was put into the CRM. “Note” was put by Bea already, with other words.']);
  expect([desk.outcome, desk.taken]).toEqual([stands, undefined]);
  answers['/v1/conversations/c-1/outcome'] = () => Response.json(stands);
  await desk.put(order);
  expect(desk.taken).toEqual(order);
});

test('a dead letter is tried again by its place in the outbox, and one that is there no more is looked at anew', async () => {
  const dead = { ...write, state: 'failed' as const, problem: 'No.' };
  feed.view = { ...feed.view, writes: [{ ...dead, sequence: 9 }] };
  answers['/v1/outbox'] = () => Response.json({ items: [{ ...dead, id: 41, dedupe_key: 'other' }, { ...dead, id: 42 }], next: null, tally: [] });
  answers['/v1/outbox/42/retry'] = () => Response.json({});
  await desk.retry(dead);
  expect(asked.at(-1)).toBe('POST /v1/outbox/42/retry');
  expect(feed.view.writes).toEqual([{ ...write, state: 'waiting', sequence: 9 }]);
  answers['/v1/outbox'] = () => Response.json({ items: [], next: null, tally: [] });
  await desk.retry(dead);
  expect(said).toEqual(['refresh']);
});
