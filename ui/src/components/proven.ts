import { LitElement, css, html } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { ProvenSentence } from '../api/types.ts';
import { maskedText, maskStyles } from './masked-text.ts';
import { quoteIcon } from './icons.ts';
import { shared } from './shared-styles.ts';
import { roleNames } from './turn.ts';

/** A sentence with its mark. The mark opens what bears it out: fires `reveal-turn` or `open-passage`. */
@customElement('bc-proven')
export class Proven extends LitElement {
  @property({ attribute: false }) sentence: Pick<ProvenSentence, 'text' | 'citations'> | undefined;
  /** Whether the role of whoever said it is named. */
  @property({ type: Boolean }) named = false;

  static override styles = [
    shared,
    maskStyles,
    css`
      button {
        display: block;
        width: 100%;
        padding: 2px var(--s1);
        margin-inline: calc(-1 * var(--s1));
        border-radius: var(--radius-s);
        overflow-wrap: anywhere;
      }
      button:hover {
        background: var(--hover);
      }
      .mark {
        display: inline-block;
        margin-inline-start: var(--s1);
        vertical-align: -2px;
        color: var(--accent);
      }
      .role {
        color: var(--ink-3);
        font-size: var(--text-s);
      }
    `,
  ];

  override focus(): void {
    this.renderRoot.querySelector('button')?.focus();
  }

  override render() {
    const { sentence } = this;
    if (!sentence) return '';
    const [first] = sentence.citations;
    if (!first) return html`<p>${maskedText(sentence.text)}</p>`;
    const role = first.of === 'turn' ? (roleNames[first.role] ?? first.role) : 'Article';
    return html`<button type="button" title="Show where this comes from" @click=${this.open}>
      ${this.named ? html`<span class="role">${role}: </span>` : ''}${maskedText(sentence.text)}<span class="mark">${quoteIcon}</span
      ><span class="visually-hidden">, said by: ${role}. Show where this comes from.</span>
    </button>`;
  }

  private open(): void {
    const first = this.sentence?.citations[0];
    if (!first) return;
    const [name, value] = first.of === 'turn' ? ['reveal-turn', first.turn_id] : ['open-passage', first];
    this.dispatchEvent(new CustomEvent(name as string, { detail: { value }, bubbles: true, composed: true }));
  }
}
