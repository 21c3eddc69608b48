import { expect, test } from 'vitest';
import { plain } from './markdown.ts';
import { numbers, originsIn, says, stretches } from './marks.ts';

const of = (...sentences: string[]) => sentences.map((sentence) => ({ sentence }));

test('a block is cut at the sentences that have a source', () => {
  const spans = [{ text: 'We repay ' }, { text: 'the fee', bold: true }, { text: '. Ask for it. It takes ten days.' }];
  const cut = stretches(spans, of('It takes ten days.', 'We repay **the fee**.'));
  expect(cut.map((one) => [plain(one.spans), one.origins])).toEqual([
    ['We repay the fee.', [1]], [' ', []], ['Ask for it. ', []], ['It takes ten days.', [0]],
  ]);
  expect(cut[0]?.spans[1]).toEqual({ text: 'the fee', bold: true });
  expect(cut.map(says)).toEqual([true, false, true, true]);
});

test('one sentence from two calls is one stretch, and overlaps go to the first', () => {
  const spans = [{ text: 'It takes ten days.' }];
  expect(stretches(spans, of('It takes ten days.', 'It takes ten days.'))).toEqual([{ spans, origins: [0, 1] }]);
  expect(stretches(spans, of('takes ten', 'ten days')).map((one) => one.origins)).toEqual([[], [0], [], []]);
});

test('sentences that are not there, or are empty, cut nothing', () => {
  const spans = [{ text: 'It takes ten days.' }];
  expect(stretches(spans, of('It takes five days.', ' '))).toEqual([{ spans, origins: [] }]);
  expect(stretches([], of('x'))).toEqual([]);
});

test('origins of one sentence bear one number', () => {
  const origins = of('We repay it.', 'It takes\nten days.', 'We repay it.');
  expect(numbers(origins)).toEqual([1, 2, 1]);
  expect(originsIn('- It **takes** ten days. Really.', origins)).toEqual([1]);
  expect(originsIn('Nothing of that.', origins)).toEqual([]);
});
