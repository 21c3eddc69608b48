import { sorted, withCallEvent } from '../state/calls.ts';
import { client } from './client.ts';
import { Problem } from './problem.ts';
import { EventStream, type StreamState } from './stream.ts';
import type { Degradation, Envelope, Summary } from './types.ts';

export interface CallsCallbacks {
  onCalls: (live: Summary[], ended: Summary[]) => void;
  onDegraded: (degraded: Degradation[]) => void;
  onStream: (state: StreamState) => void;
  onSignedOut: () => void;
}

// The stream brings beginnings and ends at once; the slow poll adds the last words and heals whatever was missed.
const POLL_MS = 10_000;

/** The list of calls and the service's own state, for everything around the one conversation that is open. */
export class CallsFeed {
  private live: Summary[] = [];
  private ended: Summary[] = [];
  private degraded: Degradation[] = [];
  private readonly stream: EventStream;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private closed = false;

  constructor(private readonly callbacks: CallsCallbacks) {
    // Listening begins before the list is read, so that no call can start in between unseen.
    this.stream = new EventStream({
      path: '/v1/events?types=conversation.started,conversation.ended,system.*',
      onEvent: (event) => this.receive(event),
      onState: (state) => {
        callbacks.onStream(state);
        // Without a position the stream only tells what comes next: what happened meanwhile is read anew.
        if (state === 'open') void this.poll();
      },
    });
    void this.poll();
  }

  retryNow(): void {
    this.stream.retryNow();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.stream.close();
  }

  private async poll(): Promise<void> {
    clearTimeout(this.timer);
    try {
      const [live, ended, system] = await Promise.all([client.conversations('live', 50), client.conversations('ended', 6), client.system()]);
      if (this.closed) return;
      this.live = sorted(live);
      this.ended = sorted(ended);
      this.degraded = system.degraded ?? [];
      this.callbacks.onCalls(this.live, this.ended);
      this.callbacks.onDegraded(this.degraded);
    } catch (error) {
      if (error instanceof Problem && error.status === 401) return this.callbacks.onSignedOut();
    }
    clearTimeout(this.timer);
    if (!this.closed) this.timer = setTimeout(() => void this.poll(), POLL_MS);
  }

  private receive(event: Envelope): void {
    const type = event.type.replace(/^backchannel\./, '');
    if (type === 'system.degraded' || type === 'system.recovered') {
      const data = event.data as Degradation;
      const others = this.degraded.filter((d) => d.what !== data.what);
      this.degraded = type === 'system.degraded' ? [...others, data] : others;
      this.callbacks.onDegraded(this.degraded);
      return;
    }
    const live = withCallEvent(this.live, event);
    if (live === this.live) return;
    this.live = live;
    this.callbacks.onCalls(this.live, this.ended);
    // The ended call moves to the other list, whose rows only the service knows in full.
    if (type === 'conversation.ended') void this.poll();
  }
}
