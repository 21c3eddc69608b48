// One visitor's chat: a token for one conversation, messages out, public turns in. No DOM.

export interface PublicTurn {
  turn_id: string;
  by: 'visitor' | 'agent' | 'bot';
  text: string;
  at_ms: number;
}

/** A message that was written here; `failed` until it is sent again. */
export interface OwnMessage {
  id: string;
  text: string;
  failed: boolean;
}

export interface Visit {
  turns: readonly PublicTurn[];
  /** Written, and not yet among the turns. */
  pending: readonly OwnMessage[];
  ended: boolean;
  /** Null while all is well. */
  trouble: string | null;
}

export const noVisit: Visit = { turns: [], pending: [], ended: false, trouble: null };

/** The same turn again takes the place of the first: something masked in it turned out harmless. */
export function withTurn(visit: Visit, turn: PublicTurn): Visit {
  const known = visit.turns.some((one) => one.turn_id === turn.turn_id);
  return { ...visit, turns: known ? visit.turns.map((one) => (one.turn_id === turn.turn_id ? turn : one)) : [...visit.turns, turn] };
}

/** What the page's owner has to do. */
export function notListed(server: string, page: string): string {
  return `<backchannel-chat>: the service at ${server} refuses this page. Name its origin in the service's settings and start it again:\n`
    + `[channels.webchat]\norigins = ["${page}"]\nsecret = "…at least 32 characters…"`;
}

export interface Frame {
  id: string;
  event: string;
  data: string;
}

/** Cuts what has come into whole frames; the rest waits for more. */
export function framesOf(buffer: string): { frames: Frame[]; rest: string } {
  const parts = buffer.split('\n\n');
  const rest = parts.pop() ?? '';
  const frames = parts.filter((part) => !part.startsWith(':')).map((part) => {
    const frame: Frame = { id: '', event: 'message', data: '' };
    for (const line of part.split('\n')) {
      const [, name, value] = /^(id|event|data): ?(.*)$/.exec(line) ?? [];
      if (name) frame[name as keyof Frame] = value ?? '';
    }
    return frame;
  });
  return { frames, rest };
}

const RETRY_MS = [500, 1_000, 2_000, 5_000, 10_000];

/** Talks to the service. `changed` is called after every change of `visit`. */
export class Visitor {
  visit: Visit = noVisit;
  private token: string;
  private lastId = '';
  private failures = 0;
  private following = false;
  private readonly stop = new AbortController();

  constructor(private readonly server: string, private readonly changed: () => void, private readonly store: Storage) {
    this.token = store.getItem(this.key) ?? '';
    // Somebody who wrote before sees what was written.
    if (this.token !== '') void this.follow();
  }

  async send(text: string, id: string = crypto.randomUUID()): Promise<void> {
    this.move({ pending: [...this.visit.pending.filter((one) => one.id !== id), { id, text, failed: false }] });
    try {
      if (this.token === '' || this.visit.ended) await this.begin();
      const response = await this.ask('/v1/chat/turns', { method: 'POST', body: JSON.stringify({ id, text }) });
      if (response.status === 409) {
        this.move({ ended: true });
        throw new Error('ended');
      }
      if (response.status === 429) this.move({ trouble: 'Many people are writing just now. Try again in a minute.' });
      if (!response.ok) throw new Error(String(response.status));
      this.move({ ...withTurn(this.visit, (await response.json()) as PublicTurn), pending: this.visit.pending.filter((one) => one.id !== id), trouble: null });
      void this.follow();
    } catch (error) {
      this.move({ pending: this.visit.pending.map((one) => (one.id === id ? { ...one, failed: true } : one)) });
      // What a browser may not read looks like what it couldn't reach.
      if (error instanceof TypeError && !this.stop.signal.aborted) await this.explain();
    }
  }

  /** Whether the service is away, or doesn't know the page. */
  private async explain(): Promise<void> {
    try {
      await fetch(`${this.server}/livez`, { mode: 'no-cors', credentials: 'omit', signal: this.stop.signal });
    } catch {
      return this.move({ trouble: 'The chat can’t be reached just now. Try again in a moment.' });
    }
    console.error(notListed(this.server, location.origin));
    this.move({ trouble: 'The chat isn’t set up for this page yet. Whoever looks after the page finds the reason in the browser’s console.' });
  }

  close(): void {
    this.stop.abort();
  }

  private get key(): string {
    return `backchannel.chat.${this.server}`;
  }

  private async begin(): Promise<void> {
    const response = await this.ask('/v1/chat', { method: 'POST' });
    if (!response.ok) throw new Error(String(response.status));
    this.token = ((await response.json()) as { token: string }).token;
    this.store.setItem(this.key, this.token);
    this.lastId = '';
    this.visit = { ...noVisit, pending: this.visit.pending };
  }

  /** Reads the public turns until the conversation is over, and comes back after each break. */
  private async follow(): Promise<void> {
    if (this.following) return;
    this.following = true;
    while (!this.visit.ended && !this.stop.signal.aborted) {
      try {
        await this.read();
        this.failures = 0;
      } catch (error) {
        if (this.stop.signal.aborted) break;
        if (error instanceof Refused) {
          this.forget();
          break;
        }
        this.move({ trouble: 'The connection was lost. Trying again …' });
      }
      if (this.visit.ended) break;
      await new Promise((done) => setTimeout(done, RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)]));
      this.failures += 1;
    }
    this.following = false;
  }

  private async read(): Promise<void> {
    const headers: Record<string, string> = this.lastId === '' ? {} : { 'last-event-id': this.lastId };
    const response = await this.ask('/v1/chat/events', { headers });
    if (response.status === 401) throw new Refused();
    if (!response.ok || !response.body) throw new Error(String(response.status));
    this.move({ trouble: null });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let buffer = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const cut = framesOf(buffer + value);
      buffer = cut.rest;
      cut.frames.forEach((frame) => this.take(frame));
    }
  }

  private take(frame: Frame): void {
    this.lastId = frame.id;
    this.failures = 0;
    if (frame.event === 'turn') this.move(withTurn(this.visit, JSON.parse(frame.data) as PublicTurn));
    if (frame.event === 'ended') this.move({ ended: true });
  }

  /** The service knows this visitor no more: the next message begins anew. */
  private forget(): void {
    this.token = '';
    this.store.removeItem(this.key);
  }

  private ask(path: string, init: RequestInit): Promise<Response> {
    const headers: Record<string, string> = { ...(init.headers as Record<string, string>) };
    if (this.token !== '') headers['authorization'] = `Bearer ${this.token}`;
    if (init.body) headers['content-type'] = 'application/json';
    return fetch(this.server + path, { ...init, headers, credentials: 'omit', signal: this.stop.signal });
  }

  private move(change: Partial<Visit>): void {
    this.visit = { ...this.visit, ...change };
    this.changed();
  }
}

class Refused extends Error {}
