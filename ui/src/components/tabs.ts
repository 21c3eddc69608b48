import { LitElement, css, html } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { shared } from './shared-styles.ts';

export type Tab = 'cards' | 'transcript' | 'customer';
const tabs: { id: Tab; name: string }[] = [
  { id: 'cards', name: 'Cards' },
  { id: 'transcript', name: 'Transcript' },
  { id: 'customer', name: 'Customer' },
];

/** The narrow panel's three views. Arrow keys move, as in every tab list. Fires `tab-select`. */
@customElement('bc-tabs')
export class Tabs extends LitElement {
  @property() selected: Tab = 'cards';
  /** Something came into the cards while another tab was open. */
  @property({ type: Boolean }) news = false;

  static override styles = [
    shared,
    css`
      [role='tablist'] {
        display: grid;
        grid-template-columns: repeat(3, 1fr);
        border-bottom: 1px solid var(--line);
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
    return html`<div role="tablist" aria-label="Call views" @keydown=${this.arrow}>
      ${tabs.map(
        ({ id, name }) => html`<button
          type="button" role="tab" id=${id} aria-selected=${id === this.selected} tabindex=${id === this.selected ? 0 : -1} @click=${() => this.choose(id)}
        >${name}${id === 'cards' && this.news ? html`<span class="news"></span><span class="visually-hidden"> (new)</span>` : ''}</button>`,
      )}
    </div>`;
  }

  private arrow(event: KeyboardEvent): void {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by === undefined) return;
    const at = tabs.findIndex((tab) => tab.id === this.selected);
    const next = tabs[(at + by + tabs.length) % tabs.length]!.id;
    this.choose(next);
    this.renderRoot.querySelector<HTMLElement>(`#${next}`)?.focus();
  }

  private choose(id: Tab): void {
    this.dispatchEvent(new CustomEvent('tab-select', { detail: id, bubbles: true, composed: true }));
  }
}
