import { LitElement, css, html, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { TurnView } from '../state/conversation.ts';
import { type ReplyWrite, replyWords } from '../state/replies.ts';
import { callTime, sliceCodePoints, spokenText } from '../state/text.ts';
import { maskedText, maskStyles } from './masked-text.ts';
import { shared } from './shared-styles.ts';

export const roleNames: Record<string, string> = { customer: 'Customer', agent: 'Agent', supervisor: 'Supervisor', bot: 'Bot', expert: 'Expert' };

/** One turn. While it is a partial its words are lighter; the final replaces them in the same place. */
@customElement('bc-turn')
export class Turn extends LitElement {
  @property({ attribute: false }) turn: TurnView | undefined;
  /** The same party spoke just before: its name need not be repeated. */
  @property({ type: Boolean }) continued = false;
  @property({ type: Boolean, reflect: true }) marked = false;
  /** How far it is on its way to the customer. */
  @property({ attribute: false }) reply: ReplyWrite | undefined;
  /** It was typed: its line ends are meant. */
  @property({ type: Boolean, reflect: true }) written = false;

  static override styles = [
    shared,
    maskStyles,
    css`
      :host {
        display: grid;
        grid-template-columns: calc(3.2 * var(--text-m)) minmax(0, var(--measure));
        padding: var(--s3) var(--s4) 0;
        border-radius: var(--radius);
      }
      :host([continued]) {
        padding-top: var(--s1);
      }
      :host([marked]) {
        background: var(--accent-soft);
      }
      time {
        font-size: var(--text-s);
        line-height: calc(var(--leading) * var(--text-m));
        color: var(--ink-3);
      }
      h3 {
        font-size: var(--text-s);
        font-weight: var(--weight-bold);
        line-height: calc(var(--leading) * var(--text-m));
        color: var(--ink-3);
      }
      .customer h3 {
        color: var(--accent);
      }
      p {
        overflow-wrap: anywhere;
        color: var(--ink-2);
      }
      .customer p {
        color: var(--ink);
      }
      :host([written]) p {
        white-space: pre-wrap;
      }
      .way {
        display: flex;
        align-items: center;
        flex-wrap: wrap;
        gap: var(--s2);
      }
      .way.failed {
        color: var(--danger);
      }
      .partial p,
      .partial p .unsettled {
        color: var(--ink-3);
      }
      .partial p .settled {
        color: var(--ink-2);
      }
      @media (max-width: 899px) {
        :host {
          grid-template-columns: calc(2.9 * var(--text-m)) minmax(0, 1fr);
          padding-inline: var(--s3);
        }
      }
    `,
  ];

  override render() {
    const turn = this.turn;
    if (!turn) return '';
    const name = turn.party.name ?? roleNames[turn.party.role] ?? turn.party.role;
    return html`<time class="numbers">${callTime(turn.start_ms)}</time>
      <div class="${turn.party.role === 'customer' ? 'customer' : 'other'} ${turn.partial ? 'partial' : ''}" data-turn=${turn.turn_id}>
        <h3 class=${this.continued ? 'visually-hidden' : ''}>${name}</h3>
        <p title=${turn.heard === null ? nothing : spokenText(turn.heard)}>${turn.partial ? this.partialText(turn) : maskedText(turn.text)}</p>
        ${turn.unsaved ? html`<div class="way quiet" role="status">Not saved yet</div>` : nothing} ${this.way()}
      </div>`;
  }

  private way() {
    const told = replyWords(this.reply);
    if (!told) return '';
    const again = () => this.dispatchEvent(new CustomEvent('reply-again', { detail: this.turn?.turn_id, bubbles: true, composed: true }));
    return html`<div class="way quiet ${told.failed ? 'failed' : ''}" role="status">
      ${told.words}${told.failed ? html` <button type="button" class="button" @click=${again}>Send again</button>` : ''}
    </div>`;
  }

  // A decoding that shortens for a moment must not pull up what stands below: the line keeps its height until it settles.
  override updated(): void {
    const line = this.renderRoot.querySelector('p');
    if (!line) return;
    if (this.turn?.partial) line.style.minHeight = `${line.offsetHeight}px`;
    else line.style.minHeight = '';
  }

  private partialText(turn: TurnView) {
    const settled = sliceCodePoints(turn.text, 0, turn.stable_prefix_chars);
    const rest = sliceCodePoints(turn.text, turn.stable_prefix_chars);
    return html`<span class="settled">${maskedText(settled)}</span><span class="unsettled">${maskedText(rest)}</span> <span aria-hidden="true">…</span>`;
  }
}
