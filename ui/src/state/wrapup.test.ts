import { expect, test } from 'vitest';
import type { EmailPart, WrapUpEmail, WrapUpFollowUp, WrapUpSummary } from '../api/types.ts';
import { authorText, dueText, emailText, faultName, growing, holding, noWrapUp, paragraphs, sectionName, withGrowing, withReview, withWrapUpEvent } from './wrapup.ts';

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

test('what is being edited stays, whatever comes meanwhile', () => {
  const held: WrapUpSummary = { ...head, wrapup_id: 'w-end-summary-1', sections: [], paragraph: [] };
  const late = withWrapUpEvent(noWrapUp, 'wrapup.summary', { ...held, occasion: 'demand', wrapup_id: 'w-2' })!;
  expect(holding(late, { summary: held }).summary).toBe(held);
  expect(holding(late, {}).summary?.wrapup_id).toBe('w-2');
});

test('an e-mail is read by paragraphs, also one from before they had numbers', () => {
  const part = (text: string, paragraph?: number): EmailPart => ({ kind: 'claim', text, paragraph, citations: [], support: 1 });
  const email = (parts: EmailPart[]): WrapUpEmail => ({ ...head, wrapup_id: 'w-1', purpose: 'apology', length: 'short', tone: 'formal', subject: '', parts });
  expect(emailText(email([part('Hello,', 1), part('One.', 2), part('Two.', 2), part('Three.', 3)]))).toBe('Hello,\n\nOne. Two.\n\nThree.');
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
