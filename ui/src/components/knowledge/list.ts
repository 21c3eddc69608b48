import { LitElement, css, html, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { Row } from '../../state/knowledge/rows.ts';
import { warnIcon } from '../icons.ts';
import { shared } from '../shared-styles.ts';

/** The left column of each tab: one line per thing, of which one is open. Fires `row-select` with the id. */
@customElement('bc-list')
export class List extends LitElement {
  @property({ attribute: false }) rows: Row[] | undefined;
  @property() selected = '';
  /** What will be here, as long as nothing is. */
  @property() empty = '';

  static override styles = [
    shared,
    css`
      ul {
        padding: var(--s2);
      }
      .heading {
        padding: var(--s3) var(--s3) var(--s1);
      }
      li:first-child .heading {
        padding-top: var(--s1);
      }
      .row {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        gap: 0 var(--s2);
        width: 100%;
        padding: var(--s2) var(--s3);
        border-radius: var(--radius);
      }
      .row:hover {
        background: var(--hover);
      }
      .row[aria-current='true'] {
        background: var(--accent-soft);
      }
      .row:focus-visible {
        outline-offset: -2px;
      }
      .title {
        font-weight: var(--weight-medium);
        overflow-wrap: anywhere;
      }
      .note {
        grid-column: 1 / -1;
        color: var(--ink-2);
      }
      .warn {
        color: var(--ink-2);
        padding-top: 3px;
      }
      .empty {
        padding: var(--s5);
        max-width: 44ch;
        color: var(--ink-2);
      }
      .bones {
        padding: var(--s5);
      }
    `,
  ];

  override render() {
    const { rows } = this;
    if (!rows) return html`<div class="bones" aria-label="Loading" role="img"><i style="width:80%"></i><i></i><i style="width:65%"></i></div>`;
    if (rows.length === 0) return html`<p class="empty">${this.empty}</p>`;
    return html`<ul>
      ${rows.map(
        (row) => html`<li>
          ${row.heading ? html`<h2 class="heading label">${row.heading}</h2>` : ''}
          <button type="button" class="row" data-row=${row.id} aria-current=${row.id === this.selected ? 'true' : nothing} @click=${() => this.choose(row.id)}>
            <span class="title">${row.title}</span>
            ${row.warns ? html`<span class="warn">${warnIcon}<span class="visually-hidden">Something speaks against it.</span></span>` : ''}
            <span class="note quiet numbers">${row.note}</span>
          </button>
        </li>`,
      )}
    </ul>`;
  }

  /** Moves the focus to a row; false where it isn't seen. */
  focusRow(id: string): boolean {
    const row = this.renderRoot.querySelector<HTMLElement>(`[data-row="${CSS.escape(id)}"]`);
    if (!row || row.offsetParent === null) return false;
    row.focus();
    row.scrollIntoView({ block: 'nearest' });
    return true;
  }

  private choose(id: string): void {
    this.dispatchEvent(new CustomEvent('row-select', { detail: id, bubbles: true, composed: true }));
  }
}
