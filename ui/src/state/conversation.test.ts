import { describe, expect, test } from 'vitest';
import type { Conversation, Envelope, StoredSuggestion } from '../api/types.ts';
import {
  type ConversationView, answerAloud, apply, fromSnapshot, hasHole, openSuggestions, withAnswer, withBroken, withVerdict, withWritten,
  wordsOf,
} from './conversation.ts';

const customer = { id: 'p-1', role: 'customer' as const };
const empty: Conversation = {
  id: 'c-1', state: 'live', channel: 'voice', external_id: null, started_at: '2026-11-22T10:00:00.000Z', ended_at: null, duration_ms: 0,
  parties: [customer], attributes: {}, turn_count: 0, card_count: 0, last_turn: null, last_sequence: 2, position: '2', turns: [], cards: [],
  questions: [], gaps: [], wrapup: null,
};

function event(type: string, sequence: number | null, data: unknown, time = '2026-11-22T10:00:05.000Z'): Envelope {
  return { id: `e-${type}-${sequence}`, type: `backchannel.${type}`, time, subject: 'c-1', sequence, data };
}
const partial = (id: string, text: string, start_ms = 1_000) =>
  event('turn.partial', null, { turn_id: id, party: customer, start_ms, text, stable_prefix_chars: 0 });
const final = (id: string, sequence: number, text: string, start_ms = 1_000) =>
  event('turn.final', sequence, { turn_id: id, party: customer, start_ms, end_ms: start_ms + 1_500, text });
const offer = (id: string, sequence: number) =>
  event('suggestion.offered', sequence, { card_id: id, kind: 'answer', title: id, text: id, citations: [], why: [] });
const run = (events: Envelope[], from: ConversationView = fromSnapshot(empty)) => events.reduce(apply, from);
const texts = (view: ConversationView) => view.turns.map((turn) => `${turn.text}${turn.partial ? '…' : ''}`);

describe('turns', () => {
  test('a final replaces its partial in the same place', () => {
    const view = run([partial('t-1', 'so when'), partial('t-2', 'well', 2_000), final('t-1', 3, 'So when?', 2_500)]);
    expect(texts(view)).toEqual(['So when?', 'well…']);
  });

  test('a partial that comes after its final changes nothing', () => {
    const settled = run([final('t-1', 3, 'So when?')]);
    expect(apply(settled, partial('t-1', 'so'))).toBe(settled);
  });

  test('a turn that could not be stored is marked until its final comes, and never after', () => {
    const unsaved = event('turn.unsaved', null, { turn_id: 't-1', party: customer, start_ms: 1_000, end_ms: 2_500, text: 'So when?' });
    const marked = run([partial('t-1', 'so when'), unsaved]);
    expect(marked.turns.map((turn) => [turn.text, turn.partial, turn.unsaved])).toEqual([['So when?', false, true]]);
    expect(texts(apply(marked, partial('t-1', 'so')))).toEqual(['So when?']);
    const saved = apply(marked, final('t-1', 3, 'So when?'));
    expect(saved.turns.map((turn) => turn.unsaved ?? false)).toEqual([false]);
    expect(apply(saved, unsaved)).toBe(saved);
  });

  test('an empty partial withdraws what was heard', () => {
    expect(texts(run([partial('t-1', 'hm'), partial('t-1', '')]))).toEqual([]);
  });

  test('turns stand in the order in which they began, however they come', () => {
    expect(texts(run([final('t-2', 3, 'second', 5_000), final('t-1', 4, 'first', 1_000)]))).toEqual(['first', 'second']);
  });

  test('a long turn that began first stays above a short one of the other party that was final first', () => {
    const agent = { id: 'p-2', role: 'agent' as const };
    const short = event('turn.final', 3, { turn_id: 't-2-1', party: agent, start_ms: 4_000, end_ms: 4_500, text: 'mhm' });
    const long = event('turn.final', 4, { turn_id: 't-1-1', party: customer, start_ms: 1_000, end_ms: 9_000, text: 'charged twice' });
    for (const events of [[short, long], [partial('t-1-1', 'charged'), short, long], [short, partial('t-1-1', 'charged'), long]]) {
      const view = run(events);
      expect(texts(view)).toEqual(['charged twice', 'mhm']);
      expect(view.turns.map((turn) => [turn.start_ms, turn.end_ms])).toEqual([[1_000, 9_000], [4_000, 4_500]]);
    }
    const stored = [short, long].map((e) => e.data) as Conversation['turns'];
    expect(texts(fromSnapshot({ ...empty, turns: stored }))).toEqual(['charged twice', 'mhm']);
  });

  test('a turn is shown as people write it, and what was heard is kept beside it', () => {
    const data = { turn_id: 't-1', party: customer, start_ms: 0, end_ms: 900, text: 'forty-two pounds', display_text: '£42' };
    const [written, plain] = run([event('turn.final', 3, data), final('t-2', 4, 'well', 2_000)]).turns;
    expect([written?.text, written?.heard]).toEqual(['£42', 'forty-two pounds']);
    expect([plain?.text, plain?.heard]).toEqual(['well', null]);
  });

  test('the end of the call takes away what never settled', () => {
    const view = run([partial('t-1', 'bye'), event('conversation.ended', 3, { reason: 'hangup', duration_ms: 9_000 })]);
    expect([view.state, view.duration_ms, texts(view)]).toEqual(['ended', 9_000, []]);
  });

  test('the lag is the time from the end of speech to its final', () => {
    expect(run([final('t-1', 3, 'So when?', 2_800)]).behind_ms).toBe(700);
  });
});

describe('sequence', () => {
  test('an event that comes twice counts once', () => {
    const once = run([final('t-1', 3, 'one'), offer('k-1', 4)]);
    expect(run([final('t-1', 3, 'one'), offer('k-1', 4)], once)).toEqual(once);
  });

  test('what the snapshot already has is ignored', () => {
    const view = fromSnapshot(empty);
    expect(apply(view, final('t-0', 2, 'old'))).toBe(view);
  });

  test('an event that overtook another leaves a hole until the other comes', () => {
    const ahead = run([final('t-2', 4, 'second', 5_000)]);
    expect(hasHole(ahead)).toBe(true);
    const whole = apply(ahead, final('t-1', 3, 'first'));
    expect([hasHole(whole), whole.through, texts(whole)]).toEqual([false, 4, ['first', 'second']]);
  });

  test('unknown types still count, so that they make no hole', () => {
    expect(run([event('insight.topic', 3, {}), final('t-1', 4, 'one')]).ahead).toEqual([]);
  });

  test('events of other conversations are not ours', () => {
    const view = fromSnapshot(empty);
    expect(apply(view, { ...final('t-1', 3, 'one'), subject: 'c-2' })).toBe(view);
  });
});

describe('cards and questions', () => {
  test('a stored verdict and our own early one end alike', () => {
    const offered = run([offer('k-1', 3)]);
    const early = withVerdict(offered, 'k-1', { verdict: 'accepted', text: null });
    const stored = apply(early, event('suggestion.verdict', 4, { card_id: 'k-1', verdict: 'accepted', text: null }));
    expect(stored.cards).toEqual(early.cards);
  });

  test('a withdrawal says why', () => {
    const view = run([offer('k-1', 3), event('suggestion.withdrawn', 4, { card_id: 'k-1', why: 'article retired' })]);
    expect(view.cards[0]?.withdrawn).toBe('article retired');
  });

  test('a snapshot keeps verdicts and withdrawals', () => {
    const card = { card_id: 'k-1', kind: 'answer', title: '', text: '', citations: [], why: [], offered_at: '', sequence: 1, withdrawn: true,
      verdict: { verdict: 'dismissed', text: null } } as StoredSuggestion;
    const [kept] = fromSnapshot({ ...empty, cards: [card] }).cards;
    expect([kept?.withdrawn, kept?.verdict?.verdict]).toEqual(['withdrawn', 'dismissed']);
  });

  test('an answer by request and the same one by stream are one', () => {
    const answered = { question_id: 'q-1', question: 'fee?', state: 'abstained' as const, answer: null, nearest: [] };
    const view = withAnswer(run([event('question.asked', 3, { question_id: 'q-1', question: 'fee?' })]), answered);
    expect(apply(view, event('question.answered', 4, answered)).questions).toHaveLength(1);
  });

  test('a voice comes to its card later and is what is said, unless the agent wrote something else', () => {
    const voice = { card_id: 'k-1', text: 'You get it back.', sentences: [{ text: 'You get it back.', citations: [], support: 1 }] };
    const offered = run([offer('k-1', 3), offer('k-2', 4)]);
    const view = apply(offered, event('suggestion.voiced', 5, voice));
    expect(offered.cards.map(wordsOf)).toEqual(['k-1', 'k-2']);
    expect(view.cards.map(wordsOf)).toEqual(['You get it back.', 'k-2']);
    expect(wordsOf(withVerdict(view, 'k-1', { verdict: 'edited', text: 'mine' }).cards[0]!)).toBe('mine');
    expect(run([event('suggestion.voiced', 3, voice)]).cards).toEqual([]);
  });

  test('suggested questions take the place of those before, and one that was asked is none', () => {
    const suggest = (sequence: number, ...questions: string[]) =>
      event('suggestion.questions', sequence, { questions: questions.map((question) => ({ question, article_id: 'a', passage_id: 'a#1' })) });
    const view = run([suggest(3, 'one?', 'two?'), suggest(4, 'two?', 'three?'), event('question.asked', 5, { question_id: 'q', question: 'two?' })]);
    expect(openSuggestions(view).map((one) => one.question)).toEqual(['three?']);
    expect(openSuggestions({ ...view, state: 'ended' })).toEqual([]);
  });

  test('what is written of an answer is shown until the answer is there, and can be void', () => {
    const asked = { question_id: 'q-1', question: 'fee?' };
    const sentence = { text: 'Yes.', citations: [], support: 1 };
    const written = withWritten(run([]), asked, [sentence]);
    expect(written.questions[0]?.written).toEqual([sentence]);
    expect(withWritten(written, asked, []).questions[0]?.written).toEqual([]);
    const answered = { ...asked, state: 'asks_back' as const, answer: null, ask_back: 'Which one?', nearest: [] };
    const done = withAnswer(written, answered);
    expect(done.questions).toEqual([{ ...asked, answer: answered, written: [], broken: false }]);
    expect(withWritten(done, asked, [sentence])).toEqual(done);
    expect(answerAloud(answered)).toBe('Asked back: Which one?');
  });

  test('a question that was given up is waited for no longer, and what was proven of its answer stays', () => {
    const asked = { question_id: 'q-1', question: 'fee?' };
    const sentence = { text: 'Yes.', citations: [], support: 1 };
    const written = withWritten(run([]), asked, [sentence]);
    const broken = withBroken(written, 'q-1');
    expect(broken.questions).toEqual([{ ...asked, answer: null, written: [sentence], broken: true }]);
    const abandoned = event('question.answered', 3, { ...asked, state: 'abandoned', answer: null, nearest: [] });
    expect(apply(broken, abandoned).questions).toEqual(broken.questions);
    expect(apply(run([]), abandoned).questions).toEqual([{ ...asked, answer: null, written: [], broken: true }]);
    const answered = { ...asked, state: 'abstained' as const, answer: null, nearest: [] };
    const done = withAnswer(broken, answered);
    expect(done.questions[0]?.broken).toBe(false);
    expect(withBroken(done, 'q-1')).toEqual(done);
  });

  test('a gap is noted once', () => {
    const gap = { party: customer, start_ms: 4_000, lost_ms: 600, why: 'network' };
    expect(run([event('audio.gap', 3, gap), event('audio.gap', 4, gap)]).gaps).toHaveLength(1);
  });
});
