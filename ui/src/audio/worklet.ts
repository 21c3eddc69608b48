// Runs on the audio thread: microphone blocks in, 40 ms of 16 kHz PCM with its loudness out.
// Built as a file of its own; it shares nothing with the page but these messages.
import { Resampler, level, toPcm16 } from './resample.ts';

export interface MicrophoneFrame {
  pcm: ArrayBuffer;
  level: number;
}

// TypeScript's DOM library doesn't describe the audio worklet's global scope.
declare const sampleRate: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

const OUTPUT_HZ = 16_000;
const FRAME_SAMPLES = (OUTPUT_HZ * 40) / 1000;

class MicrophoneProcessor extends AudioWorkletProcessor {
  private readonly resampler = new Resampler(sampleRate, OUTPUT_HZ);
  private readonly frame = new Float32Array(FRAME_SAMPLES);
  private filled = 0;

  process(inputs: Float32Array[][]): boolean {
    const block = inputs[0]?.[0];
    if (block) for (const sample of this.resampler.push(block)) this.add(sample);
    return true;
  }

  private add(sample: number): void {
    this.frame[this.filled] = sample;
    this.filled += 1;
    if (this.filled < FRAME_SAMPLES) return;
    this.filled = 0;
    const pcm = littleEndian(toPcm16(this.frame));
    this.port.postMessage({ pcm, level: level(this.frame) } satisfies MicrophoneFrame, [pcm]);
  }
}

/** The wire is little-endian whatever the machine is. */
function littleEndian(samples: Int16Array): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(samples.length * 2));
  samples.forEach((sample, i) => view.setInt16(i * 2, sample, true));
  return view.buffer;
}

registerProcessor('microphone', MicrophoneProcessor);
