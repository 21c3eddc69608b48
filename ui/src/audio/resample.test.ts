import { expect, test } from 'vitest';
import { Resampler, level, toPcm16 } from './resample.ts';

const tone = (hz: number, rate: number, seconds: number) =>
  Float32Array.from({ length: rate * seconds }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hz * i) / rate));

/** In blocks of 128, as the audio thread gives them. */
function inBlocks(input: Float32Array, resampler: Resampler): Float32Array {
  const output: number[] = [];
  for (let i = 0; i < input.length; i += 128) output.push(...resampler.push(input.slice(i, i + 128)));
  return Float32Array.from(output);
}
const loudness = (samples: Float32Array) => Math.sqrt(samples.reduce((sum, s) => sum + s * s, 0) / samples.length);

test.each([48_000, 44_100, 16_000])('a second at %i Hz becomes a second at 16 kHz', (rate) => {
  const output = inBlocks(tone(440, rate, 1), new Resampler(rate, 16_000));
  expect(Math.abs(output.length - 16_000)).toBeLessThan(40);
  expect(loudness(output.slice(200))).toBeCloseTo(0.5 / Math.SQRT2, 2);
});

test('block borders leave no trace', () => {
  const input = tone(440, 48_000, 0.5);
  const whole = new Resampler(48_000, 16_000).push(input);
  const parts = inBlocks(input, new Resampler(48_000, 16_000));
  expect(parts.length).toBe(whole.length);
  parts.forEach((sample, i) => expect(sample).toBeCloseTo(whole[i]!, 6));
});

test('what a 16 kHz signal can not hold is gone, not folded into speech', () => {
  expect(loudness(inBlocks(tone(12_000, 48_000, 1), new Resampler(48_000, 16_000)).slice(200))).toBeLessThan(0.02);
});

test('samples beyond full scale are held at it', () => {
  expect([...toPcm16(Float32Array.of(-2, 0, 2))]).toEqual([-32_767, 0, 32_767]);
});

test('the meter is 0 in silence and 1 at full scale', () => {
  expect(level(new Float32Array(100))).toBe(0);
  expect(level(new Float32Array(100).fill(1))).toBeCloseTo(1, 3);
});
