import type { Page } from 'playwright-core';
import type { Question } from '../src/api/types.ts';

export const citation = {
  article_id: 'billing/duplicate-payments', passage_id: 'billing/duplicate-payments#3', revision: 1, start: 0, end: 62,
  quote: 'We refund a duplicate direct debit within 5 working days, to the bank account it was taken from.',
};
export const customer = { id: 'p-1', role: 'customer', name: null };
export const spoken = ['You will have the money back within 5 working days.', 'It goes to the account that paid.'];
export const suggested = ['Charged twice in the same month?', 'How long does a refund take?', 'Claiming a duplicate payment back through the bank?'];
export const proven = (text: string) => ({ text, citations: [{ of: 'passage', ...citation }], support: 0.9 });
export const card = {
  card_id: 'k-1', kind: 'answer', title: 'Duplicate direct debits', article_title: 'Duplicate direct debits', heading: 'When the money comes back',
  text: citation.quote, citations: [citation], score: 0.8, trigger_turn: 't-1', latency_ms: 30, generator: 'extractive', why: ['terms: duplicate'],
  valid_from: '2026-05-01', verbatim: false, voice: null, offered_at: '2026-11-22T10:00:05.000Z', sequence: 3, verdict: null, withdrawn: false,
};
export const call = {
  id: 'c-9', state: 'live', channel: 'voice', external_id: null, started_at: '2026-11-22T10:00:00.000Z', ended_at: null, duration_ms: 9_000,
  parties: [customer], attributes: {}, turn_count: 1, card_count: 1, last_turn: null, last_sequence: 3, position: '3',
  turns: [{ turn_id: 't-1', party: customer, start_ms: 1_000, end_ms: 4_000, text: 'So when do I get my money back?', words: [], language: 'en' }],
  questions: [], gaps: [], wrapup: null, suggested_questions: suggested.map((question) => ({ question, article_id: citation.article_id, passage_id: citation.passage_id })),
};

function frame(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** One live call whose service is played: a card, its voice, suggested questions, and an answer in steps. Returns what was asked. */
export async function playCall(page: Page): Promise<Question[]> {
  const asked: Question[] = [];
  const voice = { card_id: 'k-1', text: spoken.join(' '), sentences: spoken.map(proven) };
  await page.route('**/v1/conversations/c-9', (route) => route.fulfill({ json: { ...call, cards: [card] } }));
  await page.route('**/v1/conversations/c-9/events**', (route) => {
    const data = { id: 'e-4', type: 'backchannel.suggestion.voiced', time: call.started_at, subject: 'c-9', sequence: 4, data: voice };
    return route.fulfill({ contentType: 'text/event-stream', body: `id: 4\ndata: ${JSON.stringify(data)}\n\n` });
  });
  await page.route('**/v1/conversations/c-9/ask', (route) => {
    const posted = route.request().postDataJSON() as Question;
    asked.push(posted);
    const { question } = posted;
    const id = { question_id: `q-${asked.length}`, question };
    const back = question.includes('How long');
    const answer = { title: card.title, heading: card.heading, text: spoken[0], citations: [citation], why: [], generator: 'provider' };
    const nearest = ['Refunds of credit', 'Charged twice'].map((heading) => ({ article_id: citation.article_id, title: card.title, heading }));
    const answered = back
      ? { ...id, state: 'asks_back', answer: null, ask_back: 'Which refund is it about?', nearest, latency_ms: 9 }
      : { ...id, state: 'answered', answer, sentences: [proven(spoken[0]!)], nearest: [], latency_ms: 9 };
    const body = frame('asked', id) + (back ? '' : frame('sentence', proven(spoken[0]!))) + frame('answer', answered) + frame('done', {});
    return route.fulfill({ contentType: 'text/event-stream', body });
  });
  return asked;
}
