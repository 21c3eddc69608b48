import { LitElement, css, html } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { KnowledgeGap } from '../../api/knowledge-types.ts';
import { closingText, gapFacts, reasonTexts } from '../../state/knowledge/gaps.ts';
import { agoText } from '../../state/knowledge/review.ts';
import { maskedText, maskStyles } from '../masked-text.ts';
import { shared } from '../shared-styles.ts';

/** A question without an answer, and how it was asked. Fires `gap-draft`, `open-turn` and `open-line`. */
@customElement('bc-gap')
export class Gap extends LitElement {
  @property({ attribute: false }) gap: KnowledgeGap | undefined;
  @property({ type: Number }) now = 0;
  @property({ type: Boolean }) busy = false;

  static override styles = [
    shared,
    maskStyles,
    css`
      h2 {
        font-size: var(--text-l);
        line-height: var(--leading-tight);
        font-weight: var(--weight-bold);
        max-width: var(--measure);
        overflow-wrap: anywhere;
      }
      .facts {
        margin-top: var(--s1);
      }
      .context,
      .closing {
        margin-top: var(--s3);
        max-width: var(--measure);
      }
      .context {
        color: var(--ink-2);
      }
      .part {
        margin-bottom: var(--s6);
      }
      .part li {
        margin-top: var(--s1);
      }
      .row {
        display: flex;
        flex-wrap: wrap;
        gap: var(--s2);
        margin: var(--s4) 0 var(--s6);
      }
      .sample {
        display: block;
        width: 100%;
        max-width: var(--measure);
        padding: var(--s2) var(--s3);
        margin-inline-start: calc(-1 * var(--s3));
        border-radius: var(--radius);
        overflow-wrap: anywhere;
      }
      button.sample {
        color: var(--accent);
      }
      button.sample:hover {
        background: var(--hover);
      }
    `,
  ];

  override render() {
    const { gap } = this;
    if (!gap) return '';
    const closing = closingText(gap);
    return html`<h2 tabindex="-1">${maskedText(gap.question)}</h2>
      <p class="facts quiet numbers">${gapFacts(gap, this.now).join(' · ')}</p>
      ${gap.context ? html`<p class="context">${maskedText(gap.context)}</p>` : ''}
      ${closing === '' ? '' : html`<p class="closing">${closing}</p>`}
      <div class="row">
        ${gap.article_id
          ? html`<button type="button" class="button" @click=${() => this.fire('open-line', gap.article_id)}>Open what was written</button>`
          : html`<button type="button" class="button primary" ?disabled=${this.busy} @click=${() => this.fire('gap-draft', gap.id)}><kbd>a</kbd> Write a draft</button>`}
      </div>
      <h3 class="label">How it was asked</h3>
      <ul class="part">
        ${gap.samples.map((sample) => {
          const words = html`“${maskedText(sample.text)}” <span class="quiet numbers">${agoText(sample.at, this.now)}</span>`;
          if (sample.turn_id === null) return html`<li class="sample">${words}</li>`;
          const place = { conversation: sample.conversation_id, turn: sample.turn_id, quote: sample.text };
          return html`<li><button type="button" class="sample" title="Open the call at this turn" @click=${() => this.fire('open-turn', place)}>${words}</button></li>`;
        })}
      </ul>
      <h3 class="label">How it was missed</h3>
      <ul class="part">${reasonTexts(gap).map((text) => html`<li class="numbers">${text}</li>`)}</ul>
      ${gap.nearest
        ? html`<h3 class="label">Comes nearest</h3>
            <button type="button" class="sample" title="Open this article" @click=${() => this.fire('open-line', gap.nearest?.article_id)}>${gap.nearest.title}</button>`
        : ''}`;
  }

  override focus(): void {
    this.renderRoot.querySelector<HTMLElement>('h2')?.focus();
  }

  private fire(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}
