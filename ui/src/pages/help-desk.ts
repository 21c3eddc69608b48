import { client } from '../api/client.ts';
import type { Expert } from '../api/crm-types.ts';
import { sentenceFor } from '../api/problem.ts';
import { isSame, withCrmWrite } from '../state/crm.ts';
import type { Desk } from './crm-desk.ts';

/** Colleagues' part of the desktop: who has resolved such cases, and a question to the team. */
export class HelpDesk {
  experts: Expert[] | undefined;
  looking = false;
  asking = false;
  problem = '';

  constructor(private readonly desk: Desk) {}

  /** Another call is looked at. */
  leave(): void {
    this.experts = undefined;
    this.looking = false;
    this.asking = false;
    this.problem = '';
  }

  async look(): Promise<void> {
    const feed = this.desk.feed();
    if (!feed || this.looking) return;
    this.looking = true;
    this.problem = '';
    this.desk.changed();
    try {
      const experts = await client.experts(feed.id);
      if (feed.closed) return;
      this.experts = experts;
    } catch (error) {
      if (feed.closed) return;
      this.problem = sentenceFor(error);
    }
    this.looking = false;
    this.desk.changed();
  }

  /** True when the message is kept and will go out. */
  async ask(note: string): Promise<boolean> {
    const feed = this.desk.feed();
    if (!feed || this.asking) return false;
    this.asking = true;
    this.problem = '';
    this.desk.changed();
    let sent = false;
    try {
      const write = await client.swarm(feed.id, note === '' ? {} : { note });
      feed.update((view) => (view.writes.some((one) => isSame(one, write)) ? view : withCrmWrite(view, write, 0)));
      sent = true;
      if (!feed.closed) this.desk.say.announce('The team is asked.');
    } catch (error) {
      if (feed.closed) this.desk.fail(feed, `The team wasn’t asked. ${sentenceFor(error)}`);
      else this.problem = sentenceFor(error);
    }
    if (!feed.closed) this.asking = false;
    this.desk.changed();
    return sent && !feed.closed;
  }
}
