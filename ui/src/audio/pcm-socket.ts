/** What the service can say about a call that we stream. */
export interface PcmCallbacks {
  onStarted: (conversationId: string) => void;
  /** The call is over and its finals are durable. */
  onStopped: () => void;
  /** The socket ended before that; the sentence says why. */
  onFailed: (why: string) => void;
}

// Two seconds of 16 kHz PCM. When the network is further behind, old sound is of no use to a live call.
const MOST_BUFFERED_BYTES = 64_000;

/** The client's half of `WS /v1/media/pcm`: start, binary frames, stop. */
export class PcmSocket {
  private readonly socket: WebSocket;
  private started = false;
  private finished = false;
  /** Frames that were not sent because the network could not take them. */
  droppedFrames = 0;

  constructor(private readonly callbacks: PcmCallbacks) {
    const address = new URL('/v1/media/pcm', window.location.href);
    address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
    this.socket = new WebSocket(address);
    this.socket.binaryType = 'arraybuffer';
    this.socket.onopen = () => {
      this.socket.send(
        JSON.stringify({
          type: 'start', encoding: 'pcm_s16le', sample_rate_hz: 16_000, channels: 1, parties: ['customer'],
          attributes: { source: 'desktop-microphone' },
        }),
      );
    };
    this.socket.onmessage = (message) => this.read(message.data);
    this.socket.onclose = (event) => {
      if (!this.finished) this.fail(closeSentence(event.code, event.reason));
    };
  }

  send(frame: ArrayBuffer): void {
    if (!this.started || this.socket.readyState !== WebSocket.OPEN) return;
    if (this.socket.bufferedAmount > MOST_BUFFERED_BYTES) {
      this.droppedFrames += 1;
      return;
    }
    this.socket.send(frame);
  }

  /** Asks the service to finish; `onStopped` follows when the last words are stored. */
  stop(): void {
    if (this.socket.readyState === WebSocket.OPEN && this.started) this.socket.send(JSON.stringify({ type: 'stop' }));
    else this.abandon();
  }

  /** Closes without waiting, as when the page goes away. */
  abandon(): void {
    this.finished = true;
    this.socket.close();
  }

  private read(data: unknown): void {
    if (typeof data !== 'string') return;
    const message = JSON.parse(data) as { type: string; conversation_id: string };
    if (message.type === 'started') {
      this.started = true;
      this.callbacks.onStarted(message.conversation_id);
    } else if (message.type === 'stopped') {
      this.finished = true;
      this.callbacks.onStopped();
    }
  }

  private fail(why: string): void {
    this.finished = true;
    this.callbacks.onFailed(why);
  }
}

function closeSentence(code: number, reason: string): string {
  if (code === 1013) return 'The service is busy and takes no new calls right now. Try again in a moment.';
  if (reason) return `The service ended the call: ${reason}.`;
  return 'The connection for your voice was lost.';
}
