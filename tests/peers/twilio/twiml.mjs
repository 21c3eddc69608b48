// Writes TwiML that streams a call, with the official SDK, unmodified.
//
//     node twiml.mjs <folder with node_modules> < url, track and parameters as JSON
//
// Prints both verbs as a JSON object: `start`, which only listens, and `connect`.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const { twiml } = createRequire(join(process.argv[2], 'package.json'))('twilio');

const { url, track, parameters } = JSON.parse(readFileSync(0, 'utf8'));
const write = (stream) => {
  const response = new twiml.VoiceResponse();
  const verb = stream(response);
  for (const [name, value] of Object.entries(parameters)) {
    verb.parameter({ name, value });
  }
  return response.toString();
};
const start = write((response) => response.start().stream({ url, track }));
// Both directions at once, so the caller's side alone is sent.
const connect = write((response) => response.connect().stream({ url }));
console.log(JSON.stringify({ start, connect }));
