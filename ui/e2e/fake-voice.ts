import { readFileSync, writeFileSync } from 'node:fs';

const OUTPUT_HZ = 48_000;

/** Makes the file that Chromium plays as its microphone: the customer's channel of a µ-law call, 16-bit, 48 kHz, mono. */
export function makeFakeVoice(callWav: string, output: string, fromSeconds: number, seconds: number): void {
  const { channels, rate, data } = muLawData(readFileSync(callWav));
  const first = Math.floor(fromSeconds * rate);
  const count = Math.min(Math.floor(seconds * rate), data.length / channels - first);
  const times = OUTPUT_HZ / rate;
  const samples = Buffer.alloc(count * times * 2);
  const at = (i: number) => decodeMuLaw(data[(first + Math.min(i, count - 1)) * channels]!);
  for (let i = 0; i < count * times; i += 1) {
    const place = i / times;
    const left = Math.floor(place);
    // Straight lines between samples are good enough for a voice that a telephone has already narrowed.
    samples.writeInt16LE(Math.round(at(left) + (at(left + 1) - at(left)) * (place - left)), i * 2);
  }
  writeFileSync(output, Buffer.concat([wavHeader(samples.length), samples]));
}

function muLawData(file: Buffer): { channels: number; rate: number; data: Buffer } {
  let offset = 12;
  let channels = 1;
  let rate = 8_000;
  while (offset + 8 <= file.length) {
    const name = file.toString('latin1', offset, offset + 4);
    const size = file.readUInt32LE(offset + 4);
    if (name === 'fmt ') {
      if (file.readUInt16LE(offset + 8) !== 7) throw new Error('the demo call is not µ-law');
      channels = file.readUInt16LE(offset + 10);
      rate = file.readUInt32LE(offset + 12);
    }
    if (name === 'data') return { channels, rate, data: file.subarray(offset + 8, offset + 8 + size) };
    offset += 8 + size + (size % 2);
  }
  throw new Error('the demo call has no data chunk');
}

/** ITU-T G.711. */
function decodeMuLaw(byte: number): number {
  const inverted = ~byte & 0xff;
  const magnitude = (((inverted & 0x0f) << 3) + 0x84) << ((inverted & 0x70) >> 4);
  return inverted & 0x80 ? 0x84 - magnitude : magnitude - 0x84;
}

function wavHeader(bytes: number): Buffer {
  const header = Buffer.alloc(44);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(36 + bytes, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(OUTPUT_HZ, 24);
  header.writeUInt32LE(OUTPUT_HZ * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(bytes, 40);
  return header;
}
