import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { EmailPart, WrapUp, WrapUpEmail, WrapUpFollowUp, WrapUpSummary } from '../api/types.ts';
import {
  type Place, authorText, authorshipOf, dueText, emailText, faultName, growing, noWrapUp, numbered, orderedAt, paragraphs, sectionName, standing,
  withGrowing, withReview, withWrapUpEvent,
} from './wrapup.ts';

const head = { state: 'draft', occasion: 'end', language: 'en' };
const followUp = (id: string): WrapUpFollowUp => ({
  ...head, wrapup_id: id, kind: 'task', promised_by: 'agent', sentence: { text: id, citations: [], support: 1 }, due: null,
});

interface Case {
  why: string;
  events: { draft?: string; verdict?: string; id: string; occasion?: string; by?: string; at_ms?: number }[];
  stands: Partial<Record<'summary' | 'hand_over' | 'email' | 'follow_ups', [id: string, provider: string][]>>;
}

// The service is tested with the same file: src/serve/view/drafts.rs.
const corpus = new URL('../../../tests/corpus/drafts/standing.json', import.meta.url);
const cases = JSON.parse(readFileSync(corpus, 'utf8')) as Case[];

test.each(cases)('$why', ({ events, stands }) => {
  const now = events.reduce<WrapUp | null>((before, { draft, verdict, id, occasion, by, at_ms }) => {
    if (verdict) return withWrapUpEvent(before, 'wrapup.verdict', { wrapup_id: id, verdict, text: null }, { time: new Date(at_ms!).toISOString() });
    const bodies: Record<string, object> = { summary: { sections: [], paragraph: [] }, email: { parts: [] }, followup: followUp(id) };
    return withWrapUpEvent(before, `wrapup.${draft}`, { ...head, ...bodies[draft!], wrapup_id: id, occasion, authorship: { provider: by } });
  }, null)!;
  for (const [place, shown] of Object.entries(stands)) {
    const all = [now[place as keyof typeof stands] ?? []].flat();
    expect(all.map((one) => [one.wrapup_id, one.authorship?.provider])).toEqual(shown);
  }
});

test('a hand-over is no summary, and the newest verdict counts', () => {
  const summary = { ...head, wrapup_id: 'w-1', sections: [], paragraph: [] };
  const pack = withWrapUpEvent(null, 'wrapup.summary', { ...summary, occasion: 'hand_over' });
  expect([pack?.summary, pack?.hand_over?.wrapup_id]).toEqual([null, 'w-1']);
  const reviewed = withWrapUpEvent(pack, 'wrapup.verdict', { wrapup_id: 'w-1', verdict: 'accepted', text: null });
  expect(reviewed?.verdicts['w-1']?.verdict).toBe('accepted');
  expect(withReview(reviewed!, 'w-1', null).verdicts).toEqual({});
  expect(withWrapUpEvent(null, 'turn.final', {})).toBeNull();
  expect(withWrapUpEvent(noWrapUp, 'wrapup.of_tomorrow', {})).toBe(noWrapUp);
});

test('dates say what is certain', () => {
  const due = { phrase: 'Thursday at two', date: '2026-03-05', time: '14:00', is_limit: false, time_zone: 'Europe/London' };
  expect(dueText(due)).toBe('Thu 5 Mar, 14:00');
  expect(dueText({ ...due, until: '16:00' })).toBe('Thu 5 Mar, 14:00–16:00');
  expect(dueText({ ...due, time: undefined, is_limit: true })).toBe('by Thu 5 Mar');
  expect(dueText({ ...due, date: undefined })).toBe('“Thursday at two”: which day?');
  expect(dueText(null)).toBe('no date');
  expect([sectionName('root_cause'), sectionName('money_back')]).toEqual(['Cause', 'Money back']);
});

// The ULIDs of three moments, a second apart; the first is 1,700,000,000,000 ms after the epoch.
const [first, second, third] = ['01HF7YAT00', '01HF7YATZ8', '01HF7YAVYG'].map((time) => `w-${time}0123456789ABCDEF`) as [string, string, string];
const email = (id: string, subject: string): WrapUpEmail => ({
  ...head, wrapup_id: `${id}-1`, occasion: 'demand', purpose: 'follow_up', length: 'short', tone: 'formal', subject, parts: [],
});

test('an identifier says when its draft was asked for', () => {
  expect([first, `${second}-1`, `${third}-12`].map(orderedAt)).toEqual([1_700_000_000_000, 1_700_000_001_000, 1_700_000_002_000]);
  expect(['w-end-email-1', 'w-join-p-2-1', 'w-9-1', `${first}x`].map(orderedAt)).toEqual([null, null, null, null]);
});

test('a verdict that is on its way is newer than every order that has been answered', () => {
  const judged = withReview(withWrapUpEvent(null, 'wrapup.email', email(first, 'mine'))!, `${first}-1`, { verdict: 'edited', text: 'x' });
  expect(withWrapUpEvent(judged, 'wrapup.email', email(second, 'ordered'))?.email?.subject).toBe('mine');
});

test('each draft knows the number of its event', () => {
  const plain = withWrapUpEvent(null, 'wrapup.email', email('w-end', 'plain'), { sequence: 7 })!;
  expect(plain.email?.sequence).toBe(7);
  expect(withWrapUpEvent(plain, 'wrapup.email', email('w-end', 'late'), { sequence: 9 })?.email?.sequence).toBe(9);
  const loaded = numbered({ ...plain, email: email('w-end', 'plain'), follow_ups: [followUp('w-f-1')], sequences: { 'w-end-1': 7, 'w-f-1': 3 } });
  expect([loaded.email?.sequence, loaded.follow_ups[0]?.sequence, loaded.summary]).toEqual([7, 3, null]);
});

test('a verdict on a text that was replaced just then is none on the new one', () => {
  const late = withWrapUpEvent(null, 'wrapup.email', email('w-end', 'late'), { sequence: 9 });
  const verdicts = (sequence: number, verdict: string) =>
    Object.keys(withWrapUpEvent(late, 'wrapup.verdict', { wrapup_id: 'w-end-1', verdict, text: null, sequence })!.verdicts).length;
  expect([verdicts(7, 'accepted'), verdicts(9, 'accepted'), verdicts(7, 'edited')]).toEqual([0, 1, 1]);
});

test('a draft that is being read or written in keeps its place until it is left', () => {
  const now = (subject: string, sequence: number): WrapUp => ({ ...noWrapUp, email: { ...email('w-end', subject), sequence } });
  const [plain, late] = [now('plain', 7), now('late', 9)];
  const none = new Set<string>();
  const shows = (at: 'reading' | 'writing' | null, newest = late, asked: Set<string> = none) =>
    standing(plain, newest, (place: Place) => (place === 'email' ? at : null), asked).email?.subject;
  expect([shows(null), shows('reading'), shows('writing')]).toEqual(['late', 'plain', 'plain']);
  expect(standing(null, late, () => 'reading', none).email?.subject).toBe('late');
  // Who asked for it wants to see it, but never at the cost of words that are being written.
  const asked = new Set(['w-end-1']);
  expect([shows('reading', late, asked), shows('writing', late, asked)]).toEqual(['late', 'plain']);
  expect(shows('reading', withReview(late, 'w-end-1', { verdict: 'accepted', text: null }))).toBe('late');
  // The same drafts read anew are no news.
  const again = now('plain', 7);
  expect(standing(plain, again, () => 'reading', none).email).toBe(again.email);
});

test('an e-mail is read by paragraphs, also one from before they had numbers', () => {
  const part = (text: string, paragraph?: number): EmailPart => ({ kind: 'claim', text, paragraph, citations: [], support: 1 });
  const letter = (parts: EmailPart[]): WrapUpEmail => ({ ...head, wrapup_id: 'w-1', purpose: 'apology', length: 'short', tone: 'formal', subject: '', parts });
  expect(emailText(letter([part('Hello,', 1), part('One.', 2), part('Two.', 2), part('Three.', 3)]))).toBe('Hello,\n\nOne. Two.\n\nThree.');
  expect(paragraphs([part('One.'), part('Two.')]).length).toBe(2);
});

test('who wrote it is said, and how much was struck', () => {
  const struck = [{ text: 'x', fault: 'condition', why: 'y' }];
  const of = (provider: string, model?: string, list = struck.slice(1)) => authorText({ ...head, wrapup_id: 'w', authorship: { provider, model }, struck: list });
  expect(of('extractive')).toBe('');
  expect(authorText({ ...head, wrapup_id: 'w' })).toBe('');
  expect(of('house', 'qwen')).toBe('Written by qwen (house)');
  expect(of('house', undefined, struck)).toBe('Written by house, 1 sentence struck');
  expect(of('house', 'qwen', [...struck, ...struck])).toBe('Written by qwen (house), 2 sentences struck');
  expect(of('extractive', undefined, struck)).toContain('1 sentence struck');
  expect(authorshipOf([{ ...head, wrapup_id: 'w-1', struck }, { ...head, wrapup_id: 'w-2' }])?.struck).toEqual(struck);
  expect(authorshipOf([])).toBeUndefined();
  expect([faultName('condition'), faultName('of_tomorrow')]).toEqual(['said only under a condition', 'of tomorrow']);
});

test('a draft grows in its place until it is there, or won’t come', () => {
  const draft = (id: string, occasion = 'end'): WrapUpSummary => ({ ...head, wrapup_id: id, occasion, sections: [], paragraph: [] });
  const plain = withWrapUpEvent(null, 'wrapup.summary', draft('w-end-summary-1'))!;
  const grown = withGrowing(plain, { wrapup_id: 'w-end-summary-1', summary: draft('w-end-summary-1') })!;
  expect([growing(plain).summary, growing(grown).summary?.wrapup_id]).toEqual([undefined, 'w-end-summary-1']);
  expect(growing(withWrapUpEvent(grown, 'wrapup.summary', draft('w-end-summary-1'))!).summary).toBeUndefined();
  expect(growing(withGrowing(grown, { wrapup_id: 'w-end-summary-1' })!).summary).toBeUndefined();
  expect(growing(withGrowing(grown, { wrapup_id: 'another' })!).summary).toBeDefined();
  expect(growing(withReview(grown, 'w-end-summary-1', { verdict: 'accepted', text: null })).summary).toBeUndefined();
  const asked = withWrapUpEvent(grown, 'wrapup.summary', draft('w-9-1', 'demand'))!;
  expect(growing(asked).summary).toBeUndefined();
  expect(withGrowing(null, { wrapup_id: 'w-3', summary: draft('w-3', 'hand_over') })).toBeNull();
});
