import type { Envelope } from './types.ts';

export type StreamState = 'connecting' | 'open' | 'reconnecting';

export interface StreamOptions {
  /** Path without the resume parameter. */
  path: string;
  /** Resume after this id; without it the stream begins with the next event. */
  after?: string;
  /**
   * From another site's page: an EventSource can send no header, so a token goes in the address. What stands there gets into
   * logs, so it is one that opens one stream once, and each connection asks for its own.
   */
  foreign?: { base: string; ticket: () => Promise<string> } | undefined;
  onEvent: (event: Envelope) => void;
  onState: (state: StreamState) => void;
  /** Called after every failed attempt; `failures` counts those in a row. */
  onFailure?: (failures: number) => void;
}

const FIRST_RETRY_MS = 300;
const LONGEST_RETRY_MS = 8_000;
const SETTLED_MS = 5_000;

/** Doubles from the first pause to the longest, with up to a third added by chance so that desktops don't return in step. */
export function retryDelayMs(failures: number, random: number): number {
  const pause = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.max(0, failures - 1));
  return Math.round(pause * (1 + random / 3));
}

/**
 * An EventSource that we reopen ourselves. The browser's own retry gives up for good on an HTTP error and repeats the
 * first resume position in the address; this one always asks for what comes after the last id that arrived.
 */
export class EventStream {
  private source: EventSource | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  private lastId: string | undefined;
  private closed = false;
  private attempt = 0;

  constructor(private readonly options: StreamOptions) {
    this.lastId = options.after;
    window.addEventListener('online', this.retryNow);
    window.addEventListener('offline', this.lost);
    options.onState('connecting');
    this.open();
  }

  /** Tries at once, when something suggests that the network is back. */
  readonly retryNow = (): void => {
    if (this.closed || this.source?.readyState === EventSource.OPEN) return;
    this.open();
  };

  close(): void {
    this.closed = true;
    window.removeEventListener('online', this.retryNow);
    window.removeEventListener('offline', this.lost);
    clearTimeout(this.timer);
    this.source?.close();
  }

  private open(): void {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = undefined;
    const { foreign, path } = this.options;
    const attempt = ++this.attempt;
    if (!foreign) return this.connect(new URL(path, window.location.href));
    foreign.ticket().then(
      (ticket) => {
        // Closed, or opened anew, in the meantime.
        if (this.closed || attempt !== this.attempt) return;
        const address = new URL(path, foreign.base);
        address.searchParams.set('token', ticket);
        this.connect(address);
      },
      () => {
        if (attempt === this.attempt) this.lost();
      },
    );
  }

  private connect(address: URL): void {
    if (this.lastId !== undefined) address.searchParams.set('last_event_id', this.lastId);
    const source = new EventSource(address);
    this.source = source;
    source.onopen = () => {
      // A door that opens and shuts again at once is still a failure: only a connection that lasts clears the count.
      clearTimeout(this.timer);
      this.timer = setTimeout(() => (this.failures = 0), SETTLED_MS);
      this.options.onState('open');
    };
    source.onmessage = (message) => {
      this.failures = 0;
      // A partial has no id of its own: the browser then repeats the last one, which is what we want to resume after.
      if (message.lastEventId !== '') this.lastId = message.lastEventId;
      const event = parse(message.data);
      // Nothing is left of what was erased.
      if (event && (event.data as { erased?: boolean } | null)?.erased !== true) this.options.onEvent(event);
    };
    source.onerror = this.lost;
  }

  private readonly lost = (): void => {
    if (this.closed) return;
    this.source?.close();
    this.failures += 1;
    this.options.onState('reconnecting');
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(), retryDelayMs(this.failures, Math.random()));
    this.options.onFailure?.(this.failures);
  };
}

function parse(data: unknown): Envelope | undefined {
  try {
    return JSON.parse(String(data)) as Envelope;
  } catch {
    // One unreadable line must not end the call's transcript.
    console.warn('backchannel: skipped an unreadable event');
    return undefined;
  }
}
