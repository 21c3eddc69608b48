import { LitElement, css, html } from 'lit';
import { customElement, query } from 'lit/decorators.js';
import { shared } from './shared-styles.ts';

/** The agent's own question. Fires `ask` with the words. */
@customElement('bc-ask')
export class Ask extends LitElement {
  @query('input') private input!: HTMLInputElement;

  static override styles = [
    shared,
    css`
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
        form {
          padding-inline: var(--s2);
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
    return html`<form role="search" @submit=${this.submit}>
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
    this.dispatchEvent(new CustomEvent('ask', { detail: question, bubbles: true, composed: true }));
  }
}
