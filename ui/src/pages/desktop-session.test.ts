import type { ReactiveControllerHost } from 'lit';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Conversation } from '../api/types.ts';
import { DesktopSession } from './desktop-session.ts';

// The browser's microphone needs a browser.
vi.mock('../audio/microphone.ts', () => ({ Microphone: class {} }));

const call = (id: string): Conversation => ({
  id, state: 'ended', channel: 'voice', external_id: null, started_at: '2026-11-22T10:00:00.000Z', ended_at: null, duration_ms: 0, parties: [],
  attributes: { customer_name: `Caller of ${id}` }, turn_count: 0, card_count: 0, last_turn: null, last_sequence: 1, position: '1', turns: [],
  cards: [], questions: [], gaps: [], wrapup: null,
});
const head = { wrapup_id: 'w-1-1', state: 'draft', occasion: 'demand', language: 'en' };
const summary = { ...head, sections: [], paragraph: [] };
const email = { ...head, purpose: 'follow_up', length: 'short', tone: 'formal', subject: '', parts: [] };
const order = { purpose: 'follow_up', length: 'short', tone: 'formal' };
const asked = { question_id: 'q-1', question: 'fee?' };
const answered = { ...asked, state: 'abstained', answer: null, nearest: [] };
const frame = (event: string, data: unknown) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

class Silent {
  static OPEN = 1;
  readyState = 1;
  close(): void {}
}

let said: string[];
let session: DesktopSession;
/** Lets the service answer what isn't a snapshot. */
let release: (response: Response) => void;

beforeEach(async () => {
  said = [];
  vi.stubGlobal('window', { addEventListener() {}, removeEventListener() {}, location: { href: 'http://desk/' } });
  vi.stubGlobal('location', { pathname: '/desktop', hash: '' });
  vi.stubGlobal('history', { replaceState() {} });
  vi.stubGlobal('EventSource', Silent);
  vi.stubGlobal('fetch', (path: string, init: RequestInit) =>
    init.method === 'GET' ? Promise.resolve(Response.json(call(path.split('/').pop()!))) : new Promise<Response>((answer) => (release = answer)));
  const host = { addController() {}, requestUpdate() {} } as unknown as ReactiveControllerHost;
  session = new DesktopSession(host, { show: (text) => said.push(text), announce: (text) => said.push(text) });
  session.select('A');
  await vi.waitFor(() => expect(session.view?.id).toBe('A'));
});

afterEach(() => vi.unstubAllGlobals());

const acts: [string, () => Promise<unknown>, () => Response][] = [
  ['an e-mail', () => session.writeEmail(order), () => Response.json(email)],
  ['a summary', () => session.writeSummary(), () => Response.json(summary)],
  ['a hand-over', () => session.writeHandOver(), () => Response.json(summary)],
  ['an answer', () => session.ask({ question: 'fee?' }), () => new Response(frame('asked', asked) + frame('answer', answered))],
  ['a verdict', () => session.verdict('k-1', 'accepted'), () => Response.json({})],
  ['a contact', () => session.crm.choose({ contact_id: '7' }), () => Response.json({ state: 'known', contact: null, open_cases: [], history: [] })],
  ['what is put', () => session.crm.put({ items: ['note'], case: null, changes: {} }), () => Response.json({ items: [] })],
  ['a review', () => session.review({ id: 'w-1-1', verdict: 'accepted' }), () => Response.json({})],
];

test.each(acts)('%s of a call that was left changes nothing of the one that is looked at', async (_, act, response) => {
  const done = act();
  session.select('B');
  await vi.waitFor(() => expect(session.view?.id).toBe('B'));
  release(response());
  await done;
  expect([session.view?.id, session.selected, said]).toEqual(['B', 'B', []]);
});

test.each(acts)('the failure of %s is told with the call that it belongs to', async (_, act) => {
  const done = act();
  session.select('B');
  await vi.waitFor(() => expect(session.view?.id).toBe('B'));
  release(new Response('', { status: 503 }));
  await done;
  expect([session.view?.id, said.length]).toEqual(['B', 1]);
  expect(said[0]).toContain('In another call (Caller of A): ');
});

test('a choice that is on its way holds up no other call’s', async () => {
  const first = session.crm.choose({ contact_id: '7' });
  const answer = release;
  session.select('B');
  await vi.waitFor(() => expect(session.view?.id).toBe('B'));
  const second = session.crm.choose({ none: true });
  expect(session.crm.choosing).toBe(true);
  answer(new Response('', { status: 503 }));
  await first;
  expect([session.crm.choosing, session.crm.choiceProblem]).toEqual([true, '']);
  release(Response.json({ state: 'unknown', contact: null, open_cases: [], history: [], chosen_by: 'Emma' }));
  await second;
  expect([session.crm.choosing, session.view?.crm?.chosen_by]).toEqual([false, 'Emma']);
});
