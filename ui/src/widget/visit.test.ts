import { expect, test } from 'vitest';
import { framesOf, noVisit, withTurn } from './visit.ts';

test('frames are cut where they end, and comments left out', () => {
  const { frames, rest } = framesOf(': connected\n\nid: 1\nevent: turn\ndata: {"a":1}\n\nid: 2\nevent: end');
  expect(frames).toEqual([{ id: '1', event: 'turn', data: '{"a":1}' }]);
  expect(rest).toBe('id: 2\nevent: end');
  expect(framesOf(`${rest}ed\ndata: {}\n\n`).frames).toEqual([{ id: '2', event: 'ended', data: '{}' }]);
});

test('a turn that comes again takes its own place', () => {
  const turn = { turn_id: 't-1', by: 'agent', text: 'It is [digits-1]', at_ms: 0 } as const;
  const other = { ...turn, turn_id: 't-2', text: 'Thanks' };
  const visit = withTurn(withTurn(noVisit, turn), other);
  expect(withTurn(visit, { ...turn, text: 'It is 4711' }).turns.map((one) => one.text)).toEqual(['It is 4711', 'Thanks']);
});
