import { readFileSync, statSync } from 'node:fs';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, resolve } from 'node:path';

const DIST = resolve('dist');
const TYPES: Record<string, string> = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const ADDRESSES: Record<string, string> = { '/': '/index.html', '/desktop': '/desktop.html', '/knowledge': '/knowledge.html', '/outbox': '/outbox.html', '/floor/routing': '/floor-routing.html' };
/** As the service sends it. */
const POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self' ws: wss:; media-src 'self' blob:; worker-src 'self' blob:; " +
  "img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'";

export interface Asked {
  method: string;
  /** With its query. */
  path: string;
  body: unknown;
  headers: IncomingMessage['headers'];
}

type Answer = unknown | ((asked: Asked) => unknown);

/** What a played route may throw: a problem document. */
export class Refusal extends Error {
  constructor(readonly status: number, readonly detail: string) {
    super(detail);
  }
}

/**
 * The built pages and a played service behind one port: answers by method and path, and events when the test says so.
 * With `token`, requests from elsewhere need it, and only origins on the list may read the answers.
 */
export class PlayedHouse {
  readonly asked: Asked[] = [];
  readonly answers = new Map<string, Answer>();
  token = '';
  /** Those that open one stream, until it is opened. */
  private readonly once = new Set<string>();
  origins: string[] = [];
  private readonly streams = new Set<{ path: string; response: ServerResponse }>();
  private position = 0;

  private constructor(private readonly server: Server) {}

  static async start(): Promise<PlayedHouse> {
    const server = createServer();
    const house = new PlayedHouse(server);
    server.on('request', (request, response) => void house.serve(request, response));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    house.answers.set('GET /v1/me', { name: 'Emma', role: 'agent', tenant: 'demo', demo: true, version: '0.1.0' });
    house.answers.set('GET /v1/system', { degraded: [] });
    house.answers.set('GET /v1/systems', { items: [] });
    house.answers.set('GET /v1/conversations', { items: [], next: null });
    return house;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Sends an event to everybody who listens. */
  tell(subject: string, sequence: number, type: string, data: unknown, time = new Date().toISOString()): void {
    this.position += 1;
    const event = { id: `e-${this.position}`, type: `backchannel.${type}`, time, subject, sequence, data };
    for (const { path, response } of this.streams) {
      const own = path.startsWith(`/v1/conversations/${subject}/`) || path.startsWith('/v1/events');
      if (own) response.write(`id: ${this.position}\ndata: ${JSON.stringify(event)}\n\n`);
    }
  }

  listeners(part: string): number {
    return [...this.streams].filter(({ path }) => path.includes(part)).length;
  }

  sent(method: string, path: string): Asked[] {
    return this.asked.filter((one) => one.method === method && one.path.split('?')[0] === path);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/';
    const bare = path.split('?')[0]!;
    const method = request.method ?? 'GET';
    response.setHeader('content-security-policy', bare.startsWith('/embed/') ? `${POLICY} ${this.origins.join(' ')}` : POLICY);
    const { origin } = request.headers;
    const fromElsewhere = origin !== undefined && origin !== this.url;
    if (fromElsewhere && this.origins.includes(origin)) {
      response.setHeader('access-control-allow-origin', origin);
      response.setHeader('access-control-allow-headers', 'authorization, content-type');
      response.setHeader('access-control-allow-methods', 'GET, POST');
      response.setHeader('vary', 'origin');
    }
    if (method === 'OPTIONS') return void response.writeHead(204).end();
    if (!bare.startsWith('/v1/')) return this.file(ADDRESSES[bare] ?? bare, response);
    const asked = { method, path, body: await bodyOf(request), headers: request.headers };
    this.asked.push(asked);
    const inAddress = new URL(path, this.url).searchParams.get('token');
    if (inAddress !== null) {
      if (!this.once.delete(inAddress)) return problem(response, 401, 'this token is not known here');
      return this.stream(path, response);
    }
    const shownToken = request.headers.authorization?.replace('Bearer ', '');
    if (this.token !== '' && fromElsewhere && shownToken !== this.token) return problem(response, 401, 'this token is not known here');
    if (method === 'POST' && bare === '/v1/tokens' && (asked.body as { use?: string } | undefined)?.use === 'stream') {
      const token = `once-${this.asked.length}`;
      this.once.add(token);
      response.setHeader('content-type', 'application/json');
      return void response.end(JSON.stringify({ token, expires_at: '2027-01-01T00:00:00Z' }));
    }
    if (bare.endsWith('/events')) return this.stream(path, response);
    if (!this.answers.has(`${method} ${bare}`)) return problem(response, 404, `there is nothing at ${bare}`);
    try {
      const answer = this.answers.get(`${method} ${bare}`);
      const json = await (typeof answer === 'function' ? (answer as (asked: Asked) => unknown)(asked) : answer);
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(json));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      problem(response, error.status, error.detail);
    }
  }

  private stream(path: string, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' }).write(':\n\n');
    const entry = { path, response };
    this.streams.add(entry);
    response.on('close', () => this.streams.delete(entry));
  }

  private file(path: string, response: ServerResponse): void {
    const whole = join(DIST, path);
    if (!whole.startsWith(DIST) || !statSync(whole, { throwIfNoEntry: false })?.isFile()) return problem(response, 404, 'there is nothing here');
    // A module is fetched with CORS, whoever may read the API.
    if (path.startsWith('/embed/')) response.setHeader('access-control-allow-origin', '*');
    response.setHeader('content-type', TYPES[extname(path)] ?? 'application/octet-stream');
    response.end(readFileSync(whole));
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString();
  return text === '' ? undefined : (JSON.parse(text) as unknown);
}

function problem(response: ServerResponse, status: number, detail: string): void {
  response.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify({ title: 'Problem', status, detail }));
}
