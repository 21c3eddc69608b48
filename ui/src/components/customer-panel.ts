import { LitElement, html, type PropertyValues } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { Activity, Case, CrmContext } from '../api/crm-types.ts';
import type { ConversationView } from '../state/conversation.ts';
import { activityFacts, caseFacts, customerName, isUrgent, isWaitedFor, searchedWords, webAddress } from '../state/crm.ts';
import { attributeName, isForAgents } from '../state/text.ts';
import './contact-choice.ts';
import type { ContactChoice } from './contact-choice.ts';
import { customerPanelStyles } from './customer-panel-styles.ts';
import { closeIcon, outIcon } from './icons.ts';
import { shared } from './shared-styles.ts';

/** Entries of a case that are shown before somebody asks for more. */
const FEW = 2;
/** What a look-up by hand begins with where the CRM was never asked. */
const nobody: CrmContext = { connector: '', state: 'unknown', contact: null, open_cases: [], history: [], latency_ms: 0 };

/**
 * What the CRM knows of whoever is on the line; where it isn't clear who that is, the choice.
 * Fires `contact-choose`, `hand-over`, and `close-customer` where it can be closed.
 */
@customElement('bc-customer-panel')
export class CustomerPanel extends LitElement {
  @property({ attribute: false }) view: ConversationView | undefined;
  @property({ type: Number }) now = 0;
  /** A CRM is configured. */
  @property({ type: Boolean }) hasCrm = false;
  @property({ type: Boolean }) busy = false;
  @property() problem = '';
  /** It stands over something else. */
  @property({ type: Boolean }) closable = false;
  /** Only shown: whoever looks may not choose. */
  @property({ type: Boolean }) readonly = false;
  /** Somebody else is to be chosen. */
  @state() private choosing = false;
  @query('h2') private heading!: HTMLElement | null;
  @query('bc-contact-choice') private choice!: ContactChoice | null;
  /** The focus was in what the next drawing takes away. */
  private hadFocus = false;

  static override styles = [shared, customerPanelStyles];

  override focus(): void {
    if (this.choice) this.choice.focus();
    else this.heading?.focus();
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('view')) return;
    const before = changed.get('view');
    if (before?.id === this.view?.id && before?.crm === this.view?.crm) return;
    this.hadFocus = this.shadowRoot?.activeElement?.localName === 'bc-contact-choice';
    this.choosing = false;
  }

  override updated(): void {
    if (this.hadFocus && !this.choice) this.heading?.focus();
    this.hadFocus = false;
  }

  override render() {
    const { view } = this;
    if (!view) return '';
    return html`<div class="top">
        <h2 tabindex="-1" class="label">Customer</h2>
        ${this.record(view.crm)}
        ${this.closable
          ? html`<button type="button" class="icon-button" aria-label="Close the customer" title="Close (Esc)" @click=${() => this.fire('close-customer')}>${closeIcon}</button>`
          : ''}
      </div>
      ${this.body(view)}
      ${this.call(view)}`;
  }

  private body(view: ConversationView) {
    const { crm } = view;
    if (!crm) return this.without(view);
    switch (crm.state) {
      case 'known':
        return this.known(view, crm);
      case 'ambiguous':
        return this.choose(crm);
      case 'unknown':
        return html`<p>${crm.chosen_by ? `${crm.chosen_by} chose none of the CRM’s contacts. Nothing is written to any.` : this.nobody(crm)}</p>${this.choose(crm)}`;
      case 'unavailable':
        return html`<p>${crm.detail ?? 'The CRM can’t be reached.'} The call goes on.</p>
          ${crm.searched && crm.searched.by !== 'id' && !this.readonly
            ? html`<button type="button" class="button" aria-disabled=${this.busy} @click=${() => this.again(crm)}>${this.busy ? 'Looking …' : 'Ask the CRM again'}</button>`
            : ''}
          ${this.problem ? html`<p class="problem">${this.problem}</p>` : ''}`;
    }
  }

  private nobody(crm: CrmContext): string {
    return crm.searched ? `No contact in the CRM has ${searchedWords(crm)}: ${crm.searched.value}.` : 'There is no number or address to look for.';
  }

  private without(view: ConversationView) {
    if (!this.hasCrm) return html`<p class="quiet">No CRM is connected. Name, plan and open cases will stand here once it is.</p>`;
    if (!isWaitedFor(view, this.now)) return html`<p>Nobody is known yet: the call brought no number or address, or the CRM is slow.</p>${this.choose(nobody)}`;
    return html`<div class="bones" role="img" aria-label="The CRM is being asked"><i style="width:60%"></i><i></i><i style="width:80%"></i></div>`;
  }

  private choose(crm: CrmContext) {
    if (this.readonly) return html`<p class="quiet">${crm.state === 'ambiguous' ? 'Several contacts fit. ' : ''}It is chosen on the agent’s own desktop.</p>`;
    return html`<bc-contact-choice .crm=${crm} .busy=${this.busy} .problem=${this.problem}></bc-contact-choice>`;
  }

  private known(view: ConversationView, crm: CrmContext) {
    const { facts, contact } = crm;
    const tier = facts?.tier ?? '';
    const since = facts?.since ? `since ${facts.since.slice(0, 4)}` : '';
    const who = [contact?.company, since, facts?.owner ? `looked after by ${facts.owner}` : ''].filter(Boolean).join(' · ');
    return html`
      <p class="name">${customerName(view)}${tier ? html` <span class="urgent">${tier}</span>` : ''}</p>
      ${who ? html`<p class="numbers">${who}</p>` : ''}
      ${facts && facts.products.length > 0 ? html`<p class="numbers">${facts.products.join(', ')}</p>` : ''}
      ${this.readonly
        ? ''
        : html`<p class="who quiet">${crm.chosen_by ? `Chosen by ${crm.chosen_by}.` : ''}
            <button type="button" class="link" aria-expanded=${this.choosing} @click=${() => (this.choosing = !this.choosing)}>${this.choosing ? 'Keep this contact' : 'Somebody else?'}</button></p>`}
      ${this.choosing ? this.choose({ ...crm, state: 'unknown', candidates: [], chosen_by: '' }) : ''}
      ${crm.missing?.map((sentence) => html`<p class="missing">${sentence}</p>`) ?? ''}
      <h3>Open cases${crm.open_cases.length > 0 ? html` <span class="numbers">${crm.open_cases.length}</span>` : ''}</h3>
      ${crm.open_cases.length === 0 ? html`<p class="quiet">None.</p>` : html`<ul class="cases">${crm.open_cases.map((one) => this.case(one))}</ul>`}
      <h3>Last contacts</h3>
      ${crm.history.length === 0 ? html`<p class="quiet">None that the CRM knows of.</p>` : html`<ul>${crm.history.map((one) => this.activity(one))}</ul>`}
    `;
  }

  private case(one: Case) {
    const address = webAddress(one.url);
    const rest = one.history.slice(FEW);
    return html`<li class="case">
      <div class="case-top">
        ${address
          ? html`<a class="subject" href=${address} target="_blank" rel="noopener noreferrer">${one.subject}</a>`
          : html`<span class="subject">${one.subject}</span>`}
        ${one.priority ? html`<span class="priority ${isUrgent(one.priority) ? 'urgent' : ''}">${one.priority}</span>` : ''}
      </div>
      <p class="quiet numbers">${caseFacts(one, this.now).join(' · ')}</p>
      ${one.history.length > 0 ? html`<ul>${one.history.slice(0, FEW).map((entry) => this.activity(entry))}</ul>` : ''}
      ${rest.length > 0
        ? html`<details><summary class="quiet numbers">${rest.length} more</summary><ul>${rest.map((entry) => this.activity(entry))}</ul></details>`
        : ''}
    </li>`;
  }

  private activity(entry: Activity) {
    return html`<li class="activity"><span class="quiet numbers">${activityFacts(entry, this.now)}</span><span class="text" title=${entry.text}>${entry.text}</span></li>`;
  }

  private record(crm: CrmContext | null) {
    const address = webAddress(crm?.contact?.url);
    return address
      ? html`<a class="button" href=${address} target="_blank" rel="noopener noreferrer">Record ${outIcon}<span class="visually-hidden"> (in the CRM, opens a new tab)</span></a>`
      : '';
  }

  /** What the call itself says. */
  private call(view: ConversationView) {
    const agent = view.parties.find((party) => party.role === 'agent');
    const rows: [string, string][] = [
      ['Channel', view.channel],
      ['Began', new Date(view.started_at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })],
      ...(view.external_id ? ([['Call id', view.external_id]] as [string, string][]) : []),
      ...(agent?.name ? ([['Agent', agent.name]] as [string, string][]) : []),
      ...Object.entries(view.attributes).filter(([key]) => isForAgents(key)).map(([key, value]) => [attributeName(key), value] as [string, string]),
    ];
    return html`<h3>This ${view.channel === 'voice' ? 'call' : 'conversation'}</h3>
      <dl>${rows.map(([name, value]) => html`<dt>${name}</dt><dd class="numbers">${value}</dd>`)}</dl>
      ${view.state === 'live' && !this.readonly ? html`<button type="button" class="button" @click=${() => this.fire('hand-over')}>Hand over</button>` : ''}`;
  }

  private again({ searched }: CrmContext): void {
    if (!this.busy && searched) this.fire('contact-choose', searched.by === 'email' ? { email: searched.value } : { phone: searched.value });
  }

  private fire(name: string, detail: unknown = undefined): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}
