import { expect, test } from 'vitest';
import { retryDelayMs } from './stream.ts';

test('pauses double, stop growing, and differ by chance', () => {
  expect([1, 2, 3, 9].map((failures) => retryDelayMs(failures, 0))).toEqual([300, 600, 1_200, 8_000]);
  expect(retryDelayMs(1, 1)).toBe(400);
});
