import { LitElement, css, html, type PropertyValues } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import { shared } from './shared-styles.ts';

export interface WrittenReply {
  text: string;
  /** The card that it began as. */
  cardId: string | null;
}

interface Draft {
  text: string;
  cardId: string | null;
}

/** Where the agent answers somebody who writes. Nothing goes out before it is sent here. Fires `reply-send` with a `WrittenReply`. */
@customElement('bc-reply')
export class Reply extends LitElement {
  /** The conversation: each keeps what was begun for it. */
  @property() conversation = '';
  @property() channel = '';
  @property({ type: Boolean }) busy = false;
  @query('textarea') private area!: HTMLTextAreaElement;
  private readonly drafts = new Map<string, Draft>();

  static override styles = [
    shared,
    css`
      form {
        display: grid;
        gap: var(--s2);
        padding: var(--s2) var(--s4) var(--s3);
        border-top: 1px solid var(--line);
        background: var(--surface);
      }
      textarea {
        width: 100%;
        min-height: 3.6rem;
        max-height: 30vh;
        field-sizing: content;
        resize: vertical;
        padding: var(--s2) var(--s3);
        font: inherit;
        line-height: var(--leading);
        color: var(--ink);
        background: var(--surface-raised);
        border: 1px solid var(--line-strong);
        border-radius: var(--radius-s);
      }
      textarea::placeholder {
        color: var(--ink-3);
        opacity: 1;
      }
      .acts {
        display: flex;
        align-items: center;
        justify-content: space-between;
        gap: var(--s3);
      }
      @media (max-width: 899px) {
        form {
          padding-inline: var(--s3);
        }
      }
    `,
  ];

  override focus(): void {
    this.area.focus();
  }

  /** Puts a card's words in, behind what is there already. */
  put(text: string, cardId: string): void {
    const before = this.draft.text.trimEnd();
    this.write({ text: before === '' ? text : `${before}\n${text}`, cardId });
    this.area.focus();
    this.area.setSelectionRange(this.area.value.length, this.area.value.length);
  }

  /** What was sent is gone from the box, unless it has been written on meanwhile. */
  sent(conversation: string, text: string): void {
    if ((this.drafts.get(conversation)?.text ?? '').trim() !== text) return;
    this.drafts.delete(conversation);
    if (conversation === this.conversation) this.area.value = '';
  }

  override render() {
    return html`<form @submit=${this.send}>
      <textarea
        rows="2" maxlength="20000" aria-label="Reply by ${this.channel}" placeholder="Write a reply, or insert a card …"
        @input=${() => this.typed()} @keydown=${this.keys}
      ></textarea>
      <div class="acts"><span class="quiet">Ctrl + Enter sends</span><button class="button primary" ?disabled=${this.busy}>Send</button></div>
    </form>`;
  }

  override updated(changed: PropertyValues<this>): void {
    if (changed.has('conversation')) this.area.value = this.draft.text;
  }

  private get draft(): Draft {
    return this.drafts.get(this.conversation) ?? { text: '', cardId: null };
  }

  private write(draft: Draft): void {
    this.drafts.set(this.conversation, draft);
    this.area.value = draft.text;
  }

  private typed(): void {
    const text = this.area.value;
    // An emptied box no longer holds the card's words.
    this.drafts.set(this.conversation, { text, cardId: text.trim() === '' ? null : this.draft.cardId });
  }

  private keys(event: KeyboardEvent): void {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) this.send(event);
  }

  private send(event: Event): void {
    event.preventDefault();
    const text = this.draft.text.trim();
    if (text === '' || this.busy) return;
    const detail: WrittenReply = { text, cardId: this.draft.cardId };
    this.dispatchEvent(new CustomEvent<WrittenReply>('reply-send', { detail, bubbles: true, composed: true }));
  }
}
