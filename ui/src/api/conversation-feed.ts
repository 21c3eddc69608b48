import { type ConversationView, apply, fromSnapshot, hasHole } from '../state/conversation.ts';
import { type Client, client } from './client.ts';
import { Problem, sentenceFor } from './problem.ts';
import { EventStream, type StreamState } from './stream.ts';
import type { Envelope } from './types.ts';

export interface FeedCallbacks {
  onView: (view: ConversationView) => void;
  onStream: (state: StreamState) => void;
  /** The conversation can't be shown at all. */
  onProblem: (sentence: string) => void;
  onSignedOut: () => void;
}

// Events of one call can overtake each other by moments; what is missing longer than this was lost.
const HOLE_PATIENCE_MS = 2_000;
// Failures in a row after which the position itself is doubted and everything is read again.
const FAILURES_BEFORE_SNAPSHOT = 4;

/** Keeps one conversation's view true: snapshot, then the stream after the snapshot's position, repaired when it must be. */
export class ConversationFeed {
  view: ConversationView | undefined;
  private stream: EventStream | undefined;
  private holeTimer: ReturnType<typeof setTimeout> | undefined;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  /** Nobody looks at it any more: what still comes for it is shown to nobody. */
  closed = false;

  constructor(readonly id: string, private readonly callbacks: FeedCallbacks, private readonly door: Client = client) {
    void this.load();
  }

  /** A change that the agent made here, shown before the service confirms it. */
  update(change: (view: ConversationView) => ConversationView): void {
    if (this.view) this.show(change(this.view));
  }

  retryNow(): void {
    this.stream?.retryNow();
  }

  /** Reads everything anew, when the service has said that this view is behind it. */
  refresh(): void {
    if (!this.closed) void this.load();
  }

  close(): void {
    this.closed = true;
    this.stream?.close();
    clearTimeout(this.holeTimer);
    clearTimeout(this.retryTimer);
  }

  private async load(): Promise<void> {
    try {
      const snapshot = await this.door.conversation(this.id);
      if (this.closed) return;
      const before = this.view;
      const view = fromSnapshot(snapshot);
      // What only the stream tells is kept over a repair.
      this.show(before ? { ...view, audio_started_at: before.audio_started_at, behind_ms: before.behind_ms, end_reason: before.end_reason } : view);
      this.listen(snapshot.position);
    } catch (error) {
      if (!this.closed) this.failed(error);
    }
  }

  private failed(error: unknown): void {
    if (error instanceof Problem && error.status === 401) return this.callbacks.onSignedOut();
    if (error instanceof Problem && error.status >= 400 && error.status < 500) return this.callbacks.onProblem(sentenceFor(error));
    this.callbacks.onStream('reconnecting');
    this.retryTimer = setTimeout(() => void this.load(), 1_500);
  }

  private listen(after: string): void {
    this.stream?.close();
    this.stream = new EventStream({
      path: `/v1/conversations/${encodeURIComponent(this.id)}/events`,
      after,
      foreign: this.door.foreign && { base: this.door.foreign.base, ticket: () => this.door.streamTicket(this.id) },
      onEvent: (event) => this.receive(event),
      onState: (state) => {
        // An ended call has nothing more to say; a service that hangs up after it is right to.
        if (state === 'reconnecting' && this.view?.state === 'ended') this.stream?.close();
        else this.callbacks.onStream(state);
      },
      onFailure: (failures) => {
        if (failures === FAILURES_BEFORE_SNAPSHOT) {
          this.stream?.close();
          void this.load();
        }
      },
    });
  }

  private receive(event: Envelope): void {
    if (!this.view) return;
    this.show(apply(this.view, event));
    if (hasHole(this.view)) {
      this.holeTimer ??= setTimeout(() => this.repair(), HOLE_PATIENCE_MS);
    }
  }

  private repair(): void {
    this.holeTimer = undefined;
    if (this.closed || !this.view || !hasHole(this.view)) return;
    void this.load();
  }

  private show(view: ConversationView): void {
    if (this.closed || view === this.view) return;
    this.view = view;
    this.callbacks.onView(view);
  }
}
