import { LitElement, css, html, type PropertyValues } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { Evidence, ProvenSentence } from '../api/types.ts';
import { sourcesOf } from '../state/passage.ts';
import { lastWord } from '../state/text.ts';
import { maskedText, maskStyles } from './masked-text.ts';
import { quoteIcon } from './icons.ts';
import { shared } from './shared-styles.ts';
import { roleNames } from './turn.ts';

/**
 * A sentence with its mark, which opens what bears it out: fires `reveal-turn` or `open-passage`. Where there is more than
 * one source, they are gone through one by one.
 */
@customElement('bc-proven')
export class Proven extends LitElement {
  @property({ attribute: false }) sentence: Pick<ProvenSentence, 'text' | 'citations'> | undefined;
  /** Whether the role of whoever said it is named. */
  @property({ type: Boolean }) named = false;
  /** The source that was opened last. */
  @state() private at = 0;

  static override styles = [
    shared,
    maskStyles,
    css`
      .row {
        display: flex;
        align-items: end;
        gap: var(--s2);
      }
      .sentence {
        display: block;
        flex: 1;
        min-width: 0;
        /* WCAG 2.5.8 asks for 24; layout rounds. */
        min-height: 25px;
        padding: 2px var(--s1);
        margin-inline: calc(-1 * var(--s1));
        border-radius: var(--radius-s);
        overflow-wrap: anywhere;
      }
      button:hover {
        background: var(--hover);
      }
      /* Alone on the next line the mark would belong to nothing. */
      .glued {
        white-space: nowrap;
      }
      .steps {
        flex: none;
        min-width: 24px;
        min-height: 24px;
        padding-inline: var(--s1);
        border-radius: var(--radius-s);
        color: var(--accent);
        font-size: var(--text-s);
        white-space: nowrap;
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

  override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('sentence') && changed.get('sentence')?.text !== this.sentence?.text) this.at = 0;
  }

  override render() {
    const { sentence } = this;
    if (!sentence) return '';
    const sources = sourcesOf(sentence.citations);
    const [first] = sources;
    if (!first) return html`<p>${maskedText(sentence.text)}</p>`;
    const role = first.of === 'turn' ? (roleNames[first.role] ?? first.role) : 'Article';
    const [before, last] = lastWord(sentence.text);
    return html`<div class="row"><button type="button" class="sentence" title="Show where this comes from" @click=${() => this.open(sources, 0)}>
      ${this.named ? html`<span class="role">${role}: </span>` : ''}${maskedText(before)}<span class="glued">${maskedText(last)}<span class="mark">${quoteIcon}</span></span
      ><span class="visually-hidden">, said by: ${role}. Show where this comes from.</span>
    </button>${sources.length > 1 ? this.steps(sources) : ''}</div>`;
  }

  private steps(sources: Evidence[]) {
    const place = `${this.at + 1} of ${sources.length}`;
    return html`<button
      type="button" class="steps numbers" title="Show the next source" aria-label="${place} sources. Show the next one."
      @click=${() => this.open(sources, (this.at + 1) % sources.length)}
    >${place}</button>`;
  }

  private open(sources: Evidence[], at: number): void {
    const source = sources[at];
    if (!source) return;
    this.at = at;
    const [name, value] = source.of === 'turn' ? ['reveal-turn', source.turn_id] : ['open-passage', source];
    this.dispatchEvent(new CustomEvent(name as string, { detail: { value }, bubbles: true, composed: true }));
  }
}
