import { LitElement, css, html } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { Contact, ContactChoice as Choice, CrmContext } from '../api/crm-types.ts';
import { lookUpKey, matchOf, searchedWords } from '../state/crm.ts';
import { fieldStyles } from './field-styles.ts';
import { shared } from './shared-styles.ts';

/**
 * Who of several it is, or by what else to look: the agent asks the caller. Nobody is chosen before the agent chooses.
 * Fires `contact-choose` with one of the service's forms.
 */
@customElement('bc-contact-choice')
export class ContactChoice extends LitElement {
  @property({ attribute: false }) crm: CrmContext | undefined;
  /** A choice is on its way. */
  @property({ type: Boolean }) busy = false;
  /** Why the last one was not taken. */
  @property() problem = '';
  /** What was typed is neither a number nor an address. */
  @state() private unclear = false;
  @query('input') private input!: HTMLInputElement | null;

  static override styles = [
    shared,
    fieldStyles,
    css`
      ul {
        display: grid;
        gap: var(--s1);
        margin-top: var(--s3);
      }
      .candidate {
        display: grid;
        width: 100%;
        padding: var(--s2) var(--s3);
        border: 1px solid var(--line-strong);
        border-radius: var(--radius-s);
        background: var(--surface);
      }
      .candidate:hover {
        background: var(--accent-soft);
        border-color: var(--accent);
      }
      .name {
        font-weight: var(--weight-bold);
        overflow-wrap: anywhere;
      }
      .match {
        color: var(--ink-2);
        font-size: var(--text-s);
        overflow-wrap: anywhere;
      }
      .none {
        margin-top: var(--s2);
      }
      form {
        margin-top: var(--s4);
      }
      .row {
        display: flex;
        gap: var(--s2);
        margin-top: var(--s1);
      }
      .row input {
        flex: 1;
        min-width: 0;
      }
      .problem {
        margin-top: var(--s2);
        font-size: var(--text-s);
        font-weight: var(--weight-medium);
      }
    `,
  ];

  override focus(): void {
    (this.renderRoot.querySelector<HTMLElement>('.candidate') ?? this.input)?.focus();
  }

  override render() {
    const { crm } = this;
    if (!crm) return '';
    const candidates = crm.state === 'ambiguous' ? (crm.candidates ?? []) : [];
    return html`
      ${candidates.length > 0
        ? html`<p>${candidates.length} contacts have ${searchedWords(crm)}. Ask who it is, then choose.</p>
            <ul @keydown=${this.arrow}>${candidates.map((one) => html`<li>${this.candidate(one, crm)}</li>`)}</ul>`
        : ''}
      ${crm.chosen_by && crm.state === 'unknown'
        ? ''
        : html`<button type="button" class="button none" aria-disabled=${this.busy} @click=${() => this.choose({ none: true })}>
            ${candidates.length > 0 ? 'None of them' : 'Nobody in the CRM'}
          </button>`}
      <form @submit=${this.lookUp}>
        <label class="label" for="key">Look up by another number or e-mail</label>
        <div class="row">
          <input id="key" autocomplete="off" spellcheck="false" aria-invalid=${this.unclear} aria-describedby=${this.unclear ? 'why' : 'hint'} @input=${() => (this.unclear = false)} />
          <button class="button" aria-disabled=${this.busy}>${this.busy ? 'Looking …' : 'Look up'}</button>
        </div>
        ${this.unclear
          ? html`<p class="problem" id="why">Type a whole telephone number or e-mail address.</p>`
          : html`<p class="quiet" id="hint">Ask the caller which one they gave.</p>`}
      </form>
      ${this.problem ? html`<p class="problem">${this.problem}</p>` : ''}
    `;
  }

  private candidate(contact: Contact, crm: CrmContext) {
    return html`<button type="button" class="candidate" aria-disabled=${this.busy} @click=${() => this.choose({ contact_id: contact.id })}>
      <span class="name">${contact.name ?? 'No name'}</span>
      <span class="match numbers">${[contact.company, matchOf(contact, crm) || `no. ${contact.id}`].filter(Boolean).join(' · ')}</span>
    </button>`;
  }

  /** Arrow keys move in the list, as in every list of choices. */
  private arrow(event: KeyboardEvent): void {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by === undefined) return;
    const all = [...this.renderRoot.querySelectorAll<HTMLElement>('.candidate')];
    const at = all.indexOf(event.target as HTMLElement);
    all[(at + by + all.length) % all.length]?.focus();
    event.preventDefault();
  }

  private lookUp(event: Event): void {
    event.preventDefault();
    const key = lookUpKey(this.input?.value ?? '');
    this.unclear = key === undefined;
    if (key) this.choose(key);
    else this.input?.focus();
  }

  private choose(detail: Choice): void {
    if (this.busy) return;
    this.dispatchEvent(new CustomEvent<Choice>('contact-choose', { detail, bubbles: true, composed: true }));
  }
}
