import { LitElement, css, html } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import type { Question, SuggestedQuestion } from '../api/types.ts';
import { shared } from './shared-styles.ts';

/** The agent's own question, and up to three that may be worth asking now. Fires `ask` with a `Question`. */
@customElement('bc-ask')
export class Ask extends LitElement {
  @property({ attribute: false }) suggestions: SuggestedQuestion[] = [];
  @query('input') private input!: HTMLInputElement;

  static override styles = [
    shared,
    css`
      ul {
        display: flex;
        gap: var(--s2);
        padding: var(--s2) var(--s4);
        border-top: 1px solid var(--line);
        background: var(--surface);
        flex-wrap: wrap;
      }
      li {
        min-width: 0;
      }
      .chip {
        max-width: 100%;
        padding-block: 0;
        border-radius: var(--s4);
        color: var(--ink-2);
      }
      .chip span {
        overflow: hidden;
        text-overflow: ellipsis;
      }
      ul + form {
        border-top: 0;
      }
      form {
        display: flex;
        align-items: center;
        gap: var(--s2);
        min-height: var(--s12);
        padding: var(--s2) var(--s4);
        border-top: 1px solid var(--line);
        background: var(--surface);
      }
      form:focus-within {
        background: var(--surface-raised);
      }
      kbd {
        color: var(--ink-3);
      }
      input {
        flex: 1;
        min-width: 0;
        font: inherit;
        color: var(--ink);
        background: none;
        border: 0;
        border-radius: var(--radius-s);
        padding: var(--s1) var(--s2);
        min-height: var(--s8);
      }
      input::placeholder {
        color: var(--ink-3);
        opacity: 1;
      }
      @media (max-width: 899px) {
        form,
        ul {
          padding-inline: var(--s2);
        }
        ul {
          gap: var(--s1);
        }
      }
    `,
  ];

  override focus(): void {
    this.input.focus();
  }

  override blur(): void {
    this.input.blur();
  }

  override render() {
    return html`${this.suggestions.length > 0
        ? html`<ul aria-label="Suggested questions">${this.suggestions.map((one) => html`<li>
            <button type="button" class="button chip" title=${one.question} @click=${() => this.send(one.question)}><span>${one.question}</span></button>
          </li>`)}</ul>`
        : ''}<form role="search" @submit=${this.submit}>
      <kbd aria-hidden="true">/</kbd>
      <input type="text" name="question" autocomplete="off" maxlength="500" enterkeyhint="send" aria-label="Ask the knowledge base" placeholder="Ask the knowledge base …" />
      <button class="button">Ask</button>
    </form>`;
  }

  private submit(event: Event): void {
    event.preventDefault();
    const question = this.input.value.trim();
    if (question === '') return;
    this.input.value = '';
    this.send(question);
  }

  private send(question: string): void {
    this.dispatchEvent(new CustomEvent<Question>('ask', { detail: { question }, bubbles: true, composed: true }));
  }
}
