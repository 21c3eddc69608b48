// Reads and writes messages of audio streaming with the official SDK, unmodified.
//
//     node streaming.mjs <folder with node_modules> < JSON
//
// Takes `frames` (texts), `raw_ids` and `audio` (base64). Prints what the SDK reads in each frame,
// with its kind, or the error; the kind of participant that each id is; and the two messages that it
// sends to ACS.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.argv[2], 'package.json'));
const sdk = require('@azure/communication-call-automation');
const { createIdentifierFromRawId } = require('@azure/communication-common');

const read = (frame) => {
  try {
    const value = sdk.StreamingData.parse(frame);
    return { kind: sdk.StreamingData.getStreamingKind(), value };
  } catch (error) {
    return { error: String(error) };
  }
};

const { frames, raw_ids: rawIds, audio } = JSON.parse(readFileSync(0, 'utf8'));
const answer = {
  frames: frames.map(read),
  participants: rawIds.map((rawId) => createIdentifierFromRawId(rawId).kind),
  outbound: [sdk.createOutboundAudioData(audio), sdk.createOutboundStopAudioData()],
};
console.log(JSON.stringify(answer));
