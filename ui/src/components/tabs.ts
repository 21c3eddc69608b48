import { LitElement, css, html } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { shared } from './shared-styles.ts';

export interface Tab {
  id: string;
  name: string;
  /** How many things wait there, where that is known. */
  count?: number | undefined;
}

/** Views of which one is shown. Arrow keys move, as in every tab list. Fires `tab-select` with the id. */
@customElement('bc-tabs')
export class Tabs extends LitElement {
  @property({ attribute: false }) tabs: Tab[] = [];
  @property() selected = '';
  @property() name = '';
  /** The tab into which something came while another was open. */
  @property() news = '';

  static override styles = [
    shared,
    css`
      [role='tablist'] {
        display: grid;
        grid-auto-flow: column;
        grid-auto-columns: 1fr;
        height: 100%;
        border-bottom: var(--tabs-line, 1px solid var(--line));
        background: var(--surface);
      }
      button {
        position: relative;
        min-height: 40px;
        text-align: center;
        color: var(--ink-2);
        font-size: var(--text-s);
        border-bottom: 2px solid transparent;
      }
      button[aria-selected='true'] {
        color: var(--ink);
        font-weight: var(--weight-bold);
        border-bottom-color: var(--accent);
      }
      button:focus-visible {
        outline-offset: -2px;
      }
      .count {
        color: var(--ink-3);
        font-weight: var(--weight-medium);
      }
      button[aria-selected='true'] .count {
        color: var(--accent);
      }
      .news {
        display: inline-block;
        width: 7px;
        height: 7px;
        margin-inline-start: var(--s1);
        border-radius: 50%;
        background: var(--accent);
        vertical-align: middle;
      }
    `,
  ];

  override render() {
    return html`<div role="tablist" aria-label=${this.name} @keydown=${this.arrow}>
      ${this.tabs.map(
        ({ id, name, count }) => html`<button
          type="button" role="tab" id=${id} aria-selected=${id === this.selected} tabindex=${id === this.selected ? 0 : -1} @click=${() => this.choose(id)}
        >${name}${count === undefined ? '' : html` <span class="count numbers">${count}</span>`}${id === this.news ? html`<span class="news"></span><span class="visually-hidden"> (new)</span>` : ''}</button>`,
      )}
    </div>`;
  }

  private arrow(event: KeyboardEvent): void {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by === undefined) return;
    const at = this.tabs.findIndex((tab) => tab.id === this.selected);
    const next = this.tabs[(at + by + this.tabs.length) % this.tabs.length]?.id;
    if (next === undefined) return;
    this.choose(next);
    this.renderRoot.querySelector<HTMLElement>(`#${next}`)?.focus();
  }

  private choose(id: string): void {
    this.dispatchEvent(new CustomEvent('tab-select', { detail: id, bubbles: true, composed: true }));
  }
}
