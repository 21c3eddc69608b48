import { expect, test } from 'vitest';
import type { DiffLine } from '../../api/knowledge-types.ts';
import { changedLines, lineText, sideBySide } from './diff.ts';

const line = (change: DiffLine['change'], text: string): DiffLine => ({ change, from_line: null, to_line: null, parts: [{ text: `${text}\n`, changed: false }] });
const shown = (lines: DiffLine[]) =>
  sideBySide(lines).map((row) => (row.kind === 'fold' ? row.lines.length : [row.left && lineText(row.left), row.right && lineText(row.right)]));

test('what was removed stands beside what came for it', () => {
  expect(shown([line('same', 'a'), line('removed', 'b'), line('removed', 'c'), line('added', 'B'), line('same', 'd'), line('added', 'e')])).toEqual([
    ['a', 'a'], ['b', 'B'], ['c', null], ['d', 'd'], [null, 'e'],
  ]);
});

test('long stretches without a change are folded, but for two lines beside a change', () => {
  const same = (from: number, count: number) => Array.from({ length: count }, (_, at) => line('same', String(from + at)));
  const rows = shown([...same(0, 5), line('added', 'x'), ...same(10, 6), line('removed', 'y'), ...same(20, 5)]);
  expect(rows).toEqual([3, ['3', '3'], ['4', '4'], [null, 'x'], ['10', '10'], ['11', '11'], 2, ['14', '14'], ['15', '15'], ['y', null], ['20', '20'], ['21', '21'], 3]);
  // To hide one line would save nothing.
  expect(shown([...same(0, 3), line('added', 'x')])).toEqual([['0', '0'], ['1', '1'], ['2', '2'], [null, 'x']]);
});

test('no line is lost', () => {
  const lines = [...Array(20)].map((_, at) => line(at % 7 === 0 ? 'removed' : 'same', String(at)));
  const kept = sideBySide(lines).flatMap((row) => (row.kind === 'fold' ? row.lines : [row.left ?? row.right]));
  expect(kept).toEqual(lines);
  expect(changedLines({ from: 1, to: 2, fields: [], body: lines })).toEqual({ added: 0, removed: 3 });
});
