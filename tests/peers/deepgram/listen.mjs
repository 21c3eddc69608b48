// Plays a recording into /v1/listen with the official JavaScript SDK, unmodified.
//
//     node listen.mjs <folder with node_modules> <http url> <api key> <raw audio> <bytes per second>
//         <query as JSON>
//
// Prints each message as the SDK has parsed it, one JSON object a line, and the code of the close.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const [folder, url, apiKey, recording, bytesPerSecond, query] = process.argv.slice(2);
const { DeepgramClient } = createRequire(join(folder, 'package.json'))('@deepgram/sdk');

const SPEED = 4;
const FRAME_SECONDS = 0.1;

const socketUrl = url.replace(/^http/, 'ws');
const environment = { base: url, production: socketUrl, agent: socketUrl, agentRest: url };
const client = new DeepgramClient({ apiKey, environment });
const connection = await client.listen.v1.connect({ ...JSON.parse(query), reconnectAttempts: 0 });
const closed = new Promise((resolve) => connection.on('close', resolve));
connection.on('message', (message) => console.log(JSON.stringify({ event: 'message', ...message })));
connection.on('error', (error) => console.log(JSON.stringify({ event: 'error', error: String(error) })));
connection.connect();
await connection.waitForOpen();

connection.sendKeepAlive({ type: 'KeepAlive' });
const audio = readFileSync(recording);
const frame = Math.round(Number(bytesPerSecond) * FRAME_SECONDS);
let finalized = false;
for (let at = 0; at < audio.length; at += frame) {
  connection.sendMedia(audio.subarray(at, at + frame));
  await sleep((FRAME_SECONDS / SPEED) * 1000);
  if (!finalized && at >= audio.length / 2) {
    connection.sendFinalize({ type: 'Finalize' });
    finalized = true;
  }
}
connection.sendCloseStream({ type: 'CloseStream' });
const event = await Promise.race([closed, sleep(120_000, { code: 'none' })]);
console.log(JSON.stringify({ event: 'close', code: event.code }));
process.exit(0);
