import { client } from '../api/client.ts';
import type { ConversationFeed } from '../api/conversation-feed.ts';
import { sentenceFor } from '../api/problem.ts';
import type { WrittenReply } from '../components/reply.ts';

export interface ReplySurroundings {
  feed: () => ConversationFeed | undefined;
  fail: (feed: ConversationFeed, sentence: string) => void;
  changed: () => void;
}

/** Sends what an agent writes to a customer; what became of it comes by the stream. */
export class ReplyDesk {
  private readonly sending = new Set<string>();
  /** Names of replies whose answer was lost: sent again, they are the same. */
  private readonly names = new Map<string, string>();

  constructor(private readonly around: ReplySurroundings) {}

  isBusy(conversation: string): boolean {
    return this.sending.has(conversation);
  }

  /** True when it is kept, and will go out. */
  async send({ text, cardId }: WrittenReply): Promise<boolean> {
    const feed = this.around.feed();
    if (!feed || this.sending.has(feed.id)) return false;
    const name = `${feed.id}\n${text}`;
    const id = this.names.get(name) ?? crypto.randomUUID();
    this.names.set(name, id);
    this.busy(feed.id, true);
    try {
      await client.reply(feed.id, { id, text, ...(cardId === null ? {} : { card_id: cardId }) });
      this.names.delete(name);
      return true;
    } catch (error) {
      this.around.fail(feed, `The reply wasn’t sent. ${sentenceFor(error)}`);
      return false;
    } finally {
      this.busy(feed.id, false);
    }
  }

  async again(turnId: string): Promise<void> {
    const feed = this.around.feed();
    if (!feed) return;
    try {
      await client.sendReplyAgain(feed.id, turnId);
    } catch (error) {
      this.around.fail(feed, `It wasn’t sent again. ${sentenceFor(error)}`);
    }
  }

  private busy(conversation: string, on: boolean): void {
    if (on) this.sending.add(conversation);
    else this.sending.delete(conversation);
    this.around.changed();
  }
}
