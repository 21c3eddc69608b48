import { expect, test } from 'vitest';
import { AskProgress, frames } from './ask-stream.ts';
import { Problem } from './problem.ts';

const sentence = (text: string) => `event: sentence\ndata: ${JSON.stringify({ text, citations: [], support: 1 })}\n\n`;
const asked = 'event: asked\ndata: {"question_id":"q-1","question":"fee?"}\n\n';

test('frames are cut wherever the network cut the text', () => {
  const text = asked + sentence('One.') + 'event: done\ndata: {}\n\n';
  for (let at = 0; at <= text.length; at += 1) {
    const first = frames(text.slice(0, at));
    const second = frames(first.rest + text.slice(at));
    expect([...first.whole, ...second.whole].map((frame) => frame.event)).toEqual(['asked', 'sentence', 'done']);
    expect(second.rest).toBe('');
  }
});

test('sentences add up, a restart voids them, the answer is the whole', () => {
  const shown: string[][] = [];
  const progress = new AskProgress({ onAsked: () => undefined, onWritten: (_, sentences) => shown.push(sentences.map((one) => one.text)) });
  const answer = 'event: answer\ndata: {"question_id":"q-1","question":"fee?","state":"abstained","answer":null,"nearest":[]}\n\n';
  const text = asked + sentence('One.') + sentence('Two.') + 'event: restart\ndata: {}\n\n' + sentence('New.') + answer;
  frames(text).whole.forEach((frame) => progress.take(frame));
  expect(shown).toEqual([['One.'], ['One.', 'Two.'], [], ['New.']]);
  expect(progress.answer?.state).toBe('abstained');
});

test('a problem on the way is an error', () => {
  const progress = new AskProgress({ onAsked: () => undefined, onWritten: () => undefined });
  expect(() => progress.take({ event: 'problem', data: { status: 503, title: 'Away', detail: 'later' } })).toThrow(Problem);
});
