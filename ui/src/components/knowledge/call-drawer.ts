import { LitElement, css, html } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { client } from '../../api/client.ts';
import { Problem, sentenceFor } from '../../api/problem.ts';
import { type ConversationView, fromSnapshot } from '../../state/conversation.ts';
import { closeIcon } from '../icons.ts';
import { shared } from '../shared-styles.ts';
import '../turn.ts';

/** A turn of a call, as evidence names it. */
export interface TurnPlace {
  conversation: string;
  turn: string;
  quote: string;
}

/** What was said, with the turn that a sentence rests on in the middle. Fires `close-call`. */
@customElement('bc-call-drawer')
export class CallDrawer extends LitElement {
  @property({ attribute: false }) place: TurnPlace | undefined;
  @state() private call: ConversationView | undefined;
  @state() private problem = '';
  @query('h2') private heading!: HTMLElement | null;

  static override styles = [
    shared,
    css`
      :host {
        overflow-y: auto;
        overscroll-behavior: contain;
        background: var(--surface);
        padding-bottom: var(--s8);
      }
      .top {
        position: sticky;
        top: 0;
        z-index: 1;
        display: flex;
        align-items: center;
        gap: var(--s3);
        padding: var(--s3) var(--s4);
        border-bottom: 1px solid var(--line);
        background: var(--surface);
      }
      h2 {
        flex: 1;
        font-size: var(--text-m);
        font-weight: var(--weight-bold);
      }
      a {
        color: var(--accent);
        font-size: var(--text-s);
        text-underline-offset: 3px;
      }
      .note {
        margin: var(--s4);
        padding: var(--s2) var(--s3);
        border-radius: var(--radius-s);
        background: var(--surface-sunk);
        font-size: var(--text-s);
      }
    `,
  ];

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has('place') && this.place) void this.load(this.place);
  }

  override render() {
    const { place, call } = this;
    if (!place) return '';
    const turns = call?.turns ?? [];
    const gone = call !== undefined && !turns.some((turn) => turn.turn_id === place.turn);
    return html`<div class="top">
        <h2 tabindex="-1">What was said</h2>
        <a href="/desktop#${encodeURIComponent(place.conversation)}">Whole call</a>
        <button type="button" class="icon-button" aria-label="Close the call" title="Close (Esc)" @click=${this.close}>${closeIcon}</button>
      </div>
      ${this.problem ? html`<p class="note">${this.problem}</p>` : ''}
      ${gone ? html`<p class="note">The call no longer has this turn. It said: “${place.quote}”</p>` : ''}
      ${turns.map(
        (turn, at) => html`<bc-turn
          .turn=${turn} ?continued=${turns[at - 1]?.party.id === turn.party.id} ?marked=${turn.turn_id === place.turn}
        ></bc-turn>`,
      )}`;
  }

  private async load(place: TurnPlace): Promise<void> {
    if (this.call?.id !== place.conversation) this.call = undefined;
    this.problem = '';
    try {
      const call = this.call ?? fromSnapshot(await client.conversation(place.conversation));
      if (place === this.place) this.call = call;
    } catch (error) {
      const gone = error instanceof Problem && error.status === 404;
      if (place === this.place) this.problem = gone ? `This call is not kept any more. It said: “${place.quote}”` : sentenceFor(error);
    }
    await this.updateComplete;
    this.heading?.focus({ preventScroll: true });
    this.renderRoot.querySelector('bc-turn[marked]')?.scrollIntoView({ block: 'center' });
  }

  private close(): void {
    this.dispatchEvent(new CustomEvent('close-call', { bubbles: true, composed: true }));
  }
}
