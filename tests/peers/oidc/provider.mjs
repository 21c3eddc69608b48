// A real OpenID provider (the npm package oidc-provider) on a free port of this machine.
//
//   node provider.mjs MODULES REDIRECT_URI
//
// MODULES is the folder in which the package is installed. The first line of output is JSON: the issuer, and the
// private keys, with which tests make tokens that no provider would give out.
import { createServer } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [modules, redirectUri] = process.argv.slice(2);
const found = createRequire(pathToFileURL(`${modules}/`).href).resolve('oidc-provider');
const { default: Provider } = await import(pathToFileURL(found).href);

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwk = (pair, kid, alg) => ({ ...pair.privateKey.export({ format: 'jwk' }), kid, alg, use: 'sig' });
const pem = (key, type) => key.export({ format: 'pem', type });

// Whoever signs in is who they say; the name says the role.
const ROLES = { ada: ['cc-leads'], emma: ['cc-agents'], kim: ['cc-editors', 'cc-agents'], stray: ['sales'] };

const server = createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const issuer = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(issuer, {
  jwks: { keys: [jwk(rsa, 'rsa-1', 'RS256'), jwk(ec, 'ec-1', 'ES256')] },
  cookies: { keys: ['only-for-tests'] },
  clients: [
    { client_id: 'pages', client_secret: 'p4ges s3cret+', redirect_uris: [redirectUri], grant_types: ['authorization_code'], response_types: ['code'] },
    ...['pbx', 'pbx-ec', 'reader', 'nobody'].map((client_id) => ({
      client_id,
      client_secret: 'machine-secret',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    })),
  ],
  pkce: { required: () => true },
  conformIdTokenClaims: false,
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'groups', 'org'] },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({
      sub: id, name: id, email: `${id}@larkfield.example`, email_verified: id !== 'unsure', groups: ROLES[id] ?? [], org: 'demo',
    }),
  }),
  features: {
    devInteractions: { enabled: true },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, resource, client) => ({
        scope: '',
        audience: resource === 'urn:backchannel' ? 'backchannel' : resource,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: client.clientId === 'pbx-ec' ? 'ES256' : 'RS256' } },
      }),
    },
  },
  extraTokenClaims: (_, token) => ({
    org: 'demo',
    groups: { pbx: ['cc-machines'], 'pbx-ec': ['cc-machines'], reader: ['cc-archive'] }[token.clientId] ?? [],
  }),
});
server.on('request', provider.callback());
console.log(JSON.stringify({
  issuer,
  rsa_private: pem(rsa.privateKey, 'pkcs8'),
  rsa_public: pem(rsa.publicKey, 'spki'),
  ec_private: pem(ec.privateKey, 'pkcs8'),
}));
// Whoever started it may be gone without a word.
process.stdin.on('end', () => process.exit(0)).resume();
