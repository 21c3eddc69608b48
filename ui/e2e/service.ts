import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Conversation, List, Summary } from '../src/api/types.ts';

const BINARY = resolve(process.env.BACKCHANNEL_BIN ?? '../target/release/backchannel');
export const DEMO_CALL = resolve(process.env.E2E_CALL ?? '../tests/calls/billing-double-charge.wav');
const READY_WITHIN_MS = 60_000;

/** One service of our own on a free port, with its data in a folder that goes away afterwards. */
export class Service {
  private readonly calls: ChildProcess[] = [];

  private constructor(
    readonly url: string,
    readonly apiKey: string,
    private readonly child: ChildProcess,
    private readonly folder: string,
  ) {}

  /** `settings` is TOML; the address is a free one unless told. */
  static async start(settings = '', listen = '127.0.0.1:0'): Promise<Service> {
    if (!existsSync(BINARY)) throw new Error(`${BINARY} is missing: build it, or set BACKCHANNEL_BIN`);
    const folder = mkdtempSync(join(tmpdir(), 'backchannel-e2e-'));
    const ready = join(folder, 'ready.json');
    const args = ['serve', '--demo', '--listen', listen, '--data', join(folder, 'data'), '--ready-file', ready];
    if (settings !== '') {
      writeFileSync(join(folder, 'settings.toml'), settings);
      args.push('--config', join(folder, 'settings.toml'));
    }
    const child = spawn(BINARY, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    const door = await waitFor('the ready file', READY_WITHIN_MS, () => {
      if (child.exitCode !== null) throw new Error(`the service ended with ${child.exitCode}`);
      return existsSync(ready) ? readyFile(ready) : undefined;
    });
    return new Service(door.url, door.api_key, child, folder);
  }

  /** Plays the demo call; resolves when its finals are durable. */
  replay(): Promise<void> {
    const args = ['replay', DEMO_CALL, '--url', this.url, '--speed', process.env.E2E_SPEED ?? '1'];
    const child = spawn(BINARY, args, { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, BACKCHANNEL_API_KEY: this.apiKey } });
    this.calls.push(child);
    return new Promise((done, failed) => {
      child.on('error', failed);
      child.on('exit', (code) => (code === 0 ? done() : failed(new Error(`replay ended with ${code}`))));
    });
  }

  async get<T>(path: string): Promise<T> {
    const response = await fetch(this.url + path, { headers: { authorization: `Bearer ${this.apiKey}` } });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return (await response.json()) as T;
  }

  /** POST or PUT; what the service answers. */
  async send<T>(method: 'POST' | 'PUT', path: string, body: unknown): Promise<T> {
    const headers = { authorization: `Bearer ${this.apiKey}`, 'content-type': 'application/json' };
    const response = await fetch(this.url + path, { method, headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  conversation(id: string): Promise<Conversation> {
    return this.get(`/v1/conversations/${id}`);
  }

  async conversations(state: 'live' | 'ended' | 'all'): Promise<Summary[]> {
    return (await this.get<List<Summary>>(`/v1/conversations?state=${state}`)).items;
  }

  /** Ends the calls that are being played in the middle. */
  hangUp(): void {
    for (const call of this.calls) call.kill();
  }

  async stop(): Promise<void> {
    // The service would wait for their ends.
    this.hangUp();
    const ended = new Promise((done) => this.child.once('exit', done));
    if (this.child.exitCode === null && this.child.kill('SIGTERM')) await ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Polls until there is a value; says what it was waiting for when there is none. */
export async function waitFor<T>(what: string, withinMs: number, look: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  const until = Date.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > until) throw new Error(`waited ${withinMs} ms in vain for ${what}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

function readyFile(path: string): { url: string; api_key: string } | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as { url: string; api_key: string };
  } catch {
    return undefined; // Half written: look again.
  }
}
