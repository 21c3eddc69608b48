// Turns the sound card's rate (44.1 or 48 kHz, seldom others) into the 16 kHz that the service hears.

const TAPS = 32;

/**
 * A streaming windowed-sinc resampler. State carries over between blocks, so block borders make no clicks, and the
 * low-pass at the output's Nyquist frequency keeps hiss above 8 kHz from folding into speech.
 */
export class Resampler {
  private readonly step: number;
  private readonly cutoff: number;
  private history = new Float32Array(0);
  /** Position of the next output sample, in input samples, relative to the history's first. */
  private position = TAPS / 2;

  constructor(inputHz: number, outputHz: number) {
    this.step = inputHz / outputHz;
    this.cutoff = Math.min(1, outputHz / inputHz);
  }

  push(block: Float32Array): Float32Array {
    const input = new Float32Array(this.history.length + block.length);
    input.set(this.history);
    input.set(block, this.history.length);
    const half = TAPS / 2;
    const output: number[] = [];
    while (this.position + half < input.length) {
      output.push(this.sample(input, this.position));
      this.position += this.step;
    }
    const keepFrom = Math.max(0, Math.min(input.length, Math.floor(this.position) - half));
    this.history = input.slice(keepFrom);
    this.position -= keepFrom;
    return Float32Array.from(output);
  }

  private sample(input: Float32Array, position: number): number {
    const first = Math.ceil(position - TAPS / 2);
    let sum = 0;
    let weights = 0;
    for (let i = Math.max(0, first); i < first + TAPS && i < input.length; i += 1) {
      const weight = sinc((i - position) * this.cutoff) * hann((i - position) / TAPS);
      sum += weight * input[i]!;
      weights += weight;
    }
    // Dividing by the weights keeps a constant signal constant at every fractional position.
    return weights === 0 ? 0 : sum / weights;
  }
}

export function toPcm16(samples: Float32Array): Int16Array {
  return Int16Array.from(samples, (sample) => Math.round(Math.max(-1, Math.min(1, sample)) * 32_767));
}

/** Loudness for a meter: 0 for −60 dB and below, 1 for full scale. */
export function level(samples: Float32Array): number {
  if (samples.length === 0) return 0;
  let square = 0;
  for (const sample of samples) square += sample * sample;
  const decibel = 10 * Math.log10(square / samples.length + 1e-12);
  return Math.max(0, Math.min(1, 1 + decibel / 60));
}

function sinc(x: number): number {
  return Math.abs(x) < 1e-9 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

function hann(x: number): number {
  return Math.abs(x) > 0.5 ? 0 : 0.5 + 0.5 * Math.cos(2 * Math.PI * x);
}
