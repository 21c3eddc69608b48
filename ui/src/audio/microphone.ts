import workletUrl from './worklet.ts?worker&url';
import type { MicrophoneFrame } from './worklet.ts';
import { PcmSocket } from './pcm-socket.ts';

export type MicrophoneState =
  | { is: 'off' }
  | { is: 'asking' }
  | { is: 'connecting' }
  | { is: 'streaming'; conversationId: string; level: number }
  | { is: 'stopping'; conversationId: string }
  | { is: 'failed'; why: string };

/**
 * "Speak to it": streams this desktop's microphone as a customer call.
 * One at a time; `onState` tells the page everything that it shows.
 */
export class Microphone {
  private stream: MediaStream | undefined;
  private audio: AudioContext | undefined;
  private socket: PcmSocket | undefined;
  private meteredAt = 0;
  state: MicrophoneState = { is: 'off' };

  constructor(private readonly onState: (state: MicrophoneState) => void) {}

  async start(): Promise<void> {
    if (this.state.is !== 'off' && this.state.is !== 'failed') return;
    this.set({ is: 'asking' });
    try {
      if (!navigator.mediaDevices) throw new DOMException('', 'SecurityError');
      // Noise suppression is made for ears; the recogniser hears better without it.
      this.stream = await navigator.mediaDevices.getUserMedia({
        audio: { channelCount: 1, echoCancellation: true, noiseSuppression: false, autoGainControl: true },
      });
      this.set({ is: 'connecting' });
      await this.listen(this.stream);
      this.connect();
    } catch (error) {
      this.release();
      this.set({ is: 'failed', why: deniedSentence(error) });
    }
  }

  stop(): void {
    const state = this.state;
    if (state.is !== 'streaming') {
      this.socket?.abandon();
      this.release();
      this.set({ is: 'off' });
      return;
    }
    this.silence();
    this.set({ is: 'stopping', conversationId: state.conversationId });
    this.socket?.stop();
  }

  /** The page goes away: nothing may keep listening. */
  dispose(): void {
    this.socket?.abandon();
    this.release();
  }

  private async listen(stream: MediaStream): Promise<void> {
    this.audio = new AudioContext();
    await this.audio.audioWorklet.addModule(workletUrl);
    const source = this.audio.createMediaStreamSource(stream);
    const node = new AudioWorkletNode(this.audio, 'microphone', { numberOfOutputs: 0, channelCount: 1, channelCountMode: 'explicit' });
    node.port.onmessage = (message: MessageEvent<MicrophoneFrame>) => {
      this.socket?.send(message.data.pcm);
      this.meter(message.data.level);
    };
    source.connect(node);
    await this.audio.resume();
    // Pulling the plug of a headset ends the call as the stop button does.
    stream.getAudioTracks()[0]?.addEventListener('ended', () => this.stop());
  }

  /** A meter that moves eight times a second looks alive; at the frames' own 25 it would redraw the page for nothing. */
  private meter(level: number): void {
    if (this.state.is !== 'streaming' || performance.now() - this.meteredAt < 120) return;
    this.meteredAt = performance.now();
    this.set({ ...this.state, level });
  }

  private connect(): void {
    this.socket = new PcmSocket({
      onStarted: (conversationId) => this.set({ is: 'streaming', conversationId, level: 0 }),
      onStopped: () => {
        this.release();
        this.set({ is: 'off' });
      },
      onFailed: (why) => {
        this.release();
        this.set({ is: 'failed', why });
      },
    });
  }

  /** Switches the microphone off but leaves the socket, which still waits for the last words. */
  private silence(): void {
    this.stream?.getTracks().forEach((track) => track.stop());
    void this.audio?.close().catch(() => undefined);
    this.stream = undefined;
    this.audio = undefined;
  }

  private release(): void {
    this.silence();
    this.socket = undefined;
  }

  private set(state: MicrophoneState): void {
    this.state = state;
    this.onState(state);
  }
}

function deniedSentence(error: unknown): string {
  const name = error instanceof Error ? error.name : '';
  if (name === 'NotAllowedError') return 'The microphone is blocked for this page. Allow it beside the address, then try again.';
  if (name === 'NotFoundError') return 'No microphone was found. Plug one in, then try again.';
  if (name === 'NotReadableError') return 'Another program is using the microphone. Close it, then try again.';
  if (name === 'SecurityError') return 'Browsers give the microphone only to pages on https or on this machine.';
  return 'The microphone could not be started.';
}
