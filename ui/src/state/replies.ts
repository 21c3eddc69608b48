// Replies on their way to a customer who writes: what the log says of each, by its turn.

export interface ReplyWrite {
  dedupe_key: string;
  turn_id?: string;
  /** waiting, sending, done, failed or discarded */
  state: string;
  destination: string;
  problem?: string;
}

export type Replies = Readonly<Record<string, ReplyWrite>>;

/** The newest that is told of a reply stands; what carries no turn is none. */
export function withReply(replies: Replies, write: ReplyWrite): Replies {
  return write.turn_id === undefined ? replies : { ...replies, [write.turn_id]: write };
}

export function repliesOf(writes: ReplyWrite[]): Replies {
  return writes.reduce(withReply, {});
}

/** What stands under a reply: nothing where there is no way to go, as in a chat on a web page. */
export function replyWords(write: ReplyWrite | undefined): { words: string; failed: boolean } | null {
  if (!write) return null;
  switch (write.state) {
    case 'done':
      return { words: 'sent', failed: false };
    case 'failed':
      return { words: `not sent${write.problem ? `: ${write.problem}` : ''}`, failed: true };
    case 'discarded':
      return { words: 'taken back', failed: false };
    default:
      return { words: write.problem ? `sending again: ${write.problem}` : 'sending …', failed: false };
  }
}

/** Somebody writes there, so answers are written, too. */
export function isWritten(view: { channel: string }): boolean {
  return view.channel !== 'voice';
}

const channelNames: Record<string, string> = { chat: 'Chat', sms: 'SMS', mail: 'E-mail' };

export function channelName(view: { channel: string; attributes: Record<string, string> }): string {
  const via: Record<string, string> = { webchat: 'Web chat', teams_chat: 'Teams', twilio_sms: 'SMS' };
  const whatsApp = view.attributes['from']?.startsWith('whatsapp:') ? 'WhatsApp' : undefined;
  return whatsApp ?? via[view.attributes['connector'] ?? view.attributes['via'] ?? ''] ?? channelNames[view.channel] ?? view.channel;
}
