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

test('follow-ups that were written together stand together, and a new writing replaces them', () => {
  const ids = (list: string[]) => list.reduce<ReturnType<typeof withWrapUpEvent>>((w, id) => withWrapUpEvent(w, 'wrapup.followup', followUp(id)), null)
    ?.follow_ups.map((one) => one.wrapup_id);
  expect(ids(['w-end-followup-1', 'w-end-followup-2', 'w-end-followup-2'])).toEqual(['w-end-followup-1', 'w-end-followup-2']);
  expect(ids(['w-end-followup-1', 'w-end-followup-2', 'w-x-1'])).toEqual(['w-x-1']);
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
  expect(dueText({ ...due, time: undefined, is_limit: true })).toBe('by Thu 5 Mar');
  expect(dueText({ ...due, date: undefined })).toBe('“Thursday at two”: which day?');
  expect(dueText(null)).toBe('no date');
  expect([sectionName('root_cause'), sectionName('money_back')]).toEqual(['Cause', 'Money back']);
});

test('a late draft of the end displaces nothing that somebody wanted', () => {
  const draft = (id: string, occasion: string, by: string): WrapUpSummary => ({
    ...head, wrapup_id: id, occasion, authorship: { provider: by }, sections: [], paragraph: [],
  });
  const plain = withWrapUpEvent(null, 'wrapup.summary', draft('w-end-summary-1', 'end', 'extractive'))!;
  const late = draft('w-end-summary-1', 'end', 'house');
  const by = (now: typeof plain) => withWrapUpEvent(now, 'wrapup.summary', late)?.summary?.authorship?.provider;
  expect(by(plain)).toBe('house');
  expect(by(withReview(plain, 'w-end-summary-1', { verdict: 'accepted', text: null }))).toBe('extractive');
  const asked = withWrapUpEvent(plain, 'wrapup.summary', draft('w-9-1', 'demand', 'asked'))!;
  expect(by(asked)).toBe('asked');
  // Whoever asks again wants another one.
  const judged = withReview(plain, 'w-end-summary-1', { verdict: 'edited', text: 'x' });
  expect(withWrapUpEvent(judged, 'wrapup.summary', draft('w-9-1', 'demand', 'asked'))?.summary?.wrapup_id).toBe('w-9-1');
  const followed = withReview(withWrapUpEvent(null, 'wrapup.followup', followUp('w-a-1'))!, 'w-a-1', { verdict: 'accepted', text: null });
  expect(withWrapUpEvent(followed, 'wrapup.followup', followUp('w-b-1'))?.follow_ups.map((one) => one.wrapup_id)).toEqual(['w-a-1']);
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

test('of two orders the later one counts, whichever comes first', () => {
  const come = (...drafts: WrapUpEmail[]) => drafts.reduce<WrapUp | null>((now, one) => withWrapUpEvent(now, 'wrapup.email', one), null)?.email?.subject;
  expect(come(email(first, 'slow'), email(second, 'quick'))).toBe('quick');
  expect(come(email(second, 'quick'), email(first, 'slow'))).toBe('quick');
  const pack = (id: string): WrapUpSummary => ({ ...head, wrapup_id: `${id}-1`, occasion: 'hand_over', sections: [], paragraph: [] });
  const packs = [pack(second), pack(first)].reduce<WrapUp | null>((now, one) => withWrapUpEvent(now, 'wrapup.summary', one), null);
  expect(packs?.hand_over?.wrapup_id).toBe(`${second}-1`);
});

test('what was accepted or edited gives way to an order of later alone', () => {
  const judged = (verdict: string, at: number) =>
    withWrapUpEvent(withWrapUpEvent(null, 'wrapup.email', email(first, 'mine')), 'wrapup.verdict', { wrapup_id: `${first}-1`, verdict, text: null }, {
      time: new Date(at).toISOString(),
    });
  const after = (now: WrapUp | null) => withWrapUpEvent(now, 'wrapup.email', email(second, 'ordered'))?.email?.subject;
  expect(after(judged('edited', 1_700_000_001_500))).toBe('mine');
  expect(after(judged('accepted', 1_700_000_001_500))).toBe('mine');
  expect(after(judged('edited', 1_700_000_000_500))).toBe('ordered');
  expect(after(judged('discarded', 1_700_000_001_500))).toBe('ordered');
  // It is the same when the ordered text comes while somebody is still writing.
  const between = (verdict: string, at: number) => {
    const both = [email(first, 'mine'), email(second, 'ordered')].reduce<WrapUp | null>((now, one) => withWrapUpEvent(now, 'wrapup.email', one), null);
    const data = { wrapup_id: `${first}-1`, verdict, text: null };
    return withWrapUpEvent(both, 'wrapup.verdict', data, { time: new Date(at).toISOString() })?.email?.subject;
  };
  expect(between('edited', 1_700_000_001_500)).toBe('mine');
  expect(between('edited', 1_700_000_000_500)).toBe('ordered');
  expect(between('discarded', 1_700_000_001_500)).toBe('ordered');
  // A verdict that is on its way is newer than every order that has been answered.
  expect(after(withReview(withWrapUpEvent(null, 'wrapup.email', email(first, 'mine'))!, `${first}-1`, { verdict: 'edited', text: 'x' }))).toBe('mine');
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
