import { expect, test } from 'vitest';
import type { WrapUpFollowUp } from '../api/types.ts';
import { dueText, noWrapUp, sectionName, withReview, withWrapUpEvent } from './wrapup.ts';

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
