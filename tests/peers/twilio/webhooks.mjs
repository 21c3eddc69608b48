// Signs requests and checks them with the official SDK, unmodified.
//
//     node webhooks.mjs <folder with node_modules> < requests as JSON
//
// Each request: `token`, the address that is `signed`, the address as it was `received`, and either
// `params` (its form) or a JSON `body`. Prints a list of `signature` and of whether the SDK finds it
// `valid` for what was received.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const twilio = createRequire(join(process.argv[2], 'package.json'))('twilio');

const withHash = (url, body) => `${url}?bodySHA256=${twilio.getExpectedBodyHash(body)}`;

const answers = JSON.parse(readFileSync(0, 'utf8')).map(({ token, signed, received, params, body }) => {
  if (body === undefined) {
    const signature = twilio.getExpectedTwilioSignature(token, signed, params);
    return { signature, valid: twilio.validateRequest(token, signature, received, params) };
  }
  const url = withHash(signed, body.signed);
  const signature = twilio.getExpectedTwilioSignature(token, url, {});
  const valid = twilio.validateRequestWithBody(token, signature, url, body.received);
  return { url, signature, valid };
});
console.log(JSON.stringify(answers));
