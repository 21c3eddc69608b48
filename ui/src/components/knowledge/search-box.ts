import { LitElement, css, html } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import { shared } from '../shared-styles.ts';

export interface Wanted {
  query: string;
  audience: string;
}

/** Where one types what to look for. Fires `search` when it is sent. */
@customElement('bc-search-box')
export class SearchBox extends LitElement {
  @property() query = '';
  @property() audience = '';
  @query('input') private field!: HTMLInputElement | null;
  @query('select') private choice!: HTMLSelectElement | null;

  static override styles = [
    shared,
    css`
      form {
        display: flex;
        flex-wrap: wrap;
        gap: var(--s2);
        padding: var(--s3) var(--s3) 0;
      }
      input,
      select {
        font: inherit;
        color: var(--ink);
        background: var(--surface);
        border: 1px solid var(--line-strong);
        border-radius: var(--radius-s);
        padding: var(--s1) var(--s2);
        min-height: 36px;
      }
      input {
        flex: 1 1 160px;
        min-width: 0;
      }
      select {
        font-size: var(--text-s);
      }
      .button {
        min-height: 36px;
      }
    `,
  ];

  override focus(): void {
    this.field?.select();
    this.field?.focus();
  }

  override render() {
    return html`<form role="search" @submit=${this.submit}>
      <input type="search" aria-label="Search all articles" placeholder="As a customer would ask" maxlength="1000" .value=${this.query} />
      <select aria-label="For whom" .value=${this.audience} @change=${this.submit}>
        <option value="">For everybody</option>
        <option value="agent">For agents</option>
        <option value="customer">For customers</option>
      </select>
      <button class="button primary">Search</button>
    </form>`;
  }

  private readonly submit = (event: Event): void => {
    event.preventDefault();
    const detail: Wanted = { query: this.field?.value.trim() ?? '', audience: this.choice?.value ?? '' };
    if (detail.query !== '') this.dispatchEvent(new CustomEvent('search', { detail, bubbles: true, composed: true }));
  };
}
