import { LitElement, css, html } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { Citation, WrapUpSummary } from '../api/types.ts';
import { summaryText } from '../state/wrapup.ts';
import { roleNames } from './turn.ts';
import { shared } from './shared-styles.ts';
import { wrapUpStyles } from './wrapup-styles.ts';
import { authorLine, sectionsOf } from './written.ts';

/**
 * What somebody needs to know who takes the call on.
 * Fires `copy-answer`, `close-handover`, `open-passage`, and what its sentences fire.
 */
@customElement('bc-handover')
export class HandOver extends LitElement {
  @property({ attribute: false }) pack: WrapUpSummary | undefined;

  static override styles = [
    shared,
    wrapUpStyles,
    css`
      section {
        border-color: var(--accent);
      }
      .article {
        color: var(--accent);
        text-decoration: underline;
      }
    `,
  ];

  override focus(): void {
    this.renderRoot.querySelector('h2')?.focus();
  }

  override render() {
    const { pack } = this;
    if (!pack) return '';
    const parties = (pack.parties ?? []).map((party) => party.name ?? roleNames[party.role] ?? party.role);
    const articles = pack.articles ?? [];
    return html`<section aria-label="Hand-over">
      <div class="top">
        <h2 tabindex="-1">So far in this call</h2>
        ${parties.length > 0 ? html`<span class="quiet">${parties.join(', ')}</span>` : ''}
      </div>
      ${sectionsOf(pack, true)}
      ${articles.length > 0
        ? html`<h3>Shown on cards</h3>
            <ul>
              ${articles.map((one) => html`<li><button type="button" class="article" @click=${() => this.open(one)}>${one.quote}</button></li>`)}
            </ul>`
        : ''}
      ${authorLine(pack)}
      <div class="actions">
        <button type="button" class="button" @click=${() => this.fire('copy-answer', { value: summaryText(pack) })}>Copy</button>
        <button type="button" class="button plain" @click=${() => this.fire('close-handover', {})}>Close</button>
      </div>
    </section>`;
  }

  private open(value: Citation): void {
    this.fire('open-passage', { value });
  }

  private fire(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}
