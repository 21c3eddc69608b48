import { LitElement, html, type PropertyValues } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { Outcome, OutcomeOrder, SystemHealth } from '../api/crm-types.ts';
import type { ConversationView } from '../state/conversation.ts';
import { webAddress } from '../state/crm.ts';
import { systemName } from '../state/outbox.ts';
import { type Choices, type OutcomeRow, beforeText, caseOf, firstWords, isOpen, leftText, movedTo, noChoices, orderOf, restingText, rowsOf, withoutTaken } from '../state/outcome.ts';
import { dueText } from '../state/wrapup.ts';
import { fieldStyles } from './field-styles.ts';
import { checkIcon, warnIcon } from './icons.ts';
import { outcomeStyles } from './outcome-styles.ts';
import { shared } from './shared-styles.ts';

const stateWords: Record<OutcomeRow['state'], string> = {
  planned: '', automatic: 'goes by itself', waiting: 'waiting to be written', done: 'written', failed: 'not written', discarded: 'thrown away',
};

/** What goes by itself is looked at again: what the rules left out by then is the agent's to put. */
const AGAIN_MS = 30_000;

/**
 * What of the call goes into the CRM, the mailbox and the calendar: the agent ticks, corrects, and puts it there. What
 * waits or failed says so in its row and holds nobody up.
 * Fires `outcome-put` with an order, `outcome-retry` with a write, `outcome-again` and `open-customer`.
 */
@customElement('bc-outcome')
export class OutcomePanel extends LitElement {
  @property({ attribute: false }) view: ConversationView | undefined;
  @property({ attribute: false }) outcome: Outcome | undefined;
  @property({ attribute: false }) systems: SystemHealth[] = [];
  @property() problem = '';
  @property({ type: Boolean }) busy = false;
  /** The last order that the service took. */
  @property({ attribute: false }) taken: OutcomeOrder | undefined;
  @state() private choices: Choices = noChoices;
  /** The item whose text or day is being changed. */
  @state() private editing = '';
  @query('.put') private button!: HTMLElement | null;
  @query('textarea') private area!: HTMLTextAreaElement | null;
  @query('h2') private heading!: HTMLElement | null;

  static override styles = [shared, fieldStyles, outcomeStyles];
  private timer: ReturnType<typeof setTimeout> | undefined;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.timer);
  }

  override focus(): void {
    (this.button ?? this.heading)?.focus();
  }

  /** What the button does; false where it can do nothing now. */
  put(): boolean {
    const order = this.outcome && orderOf(this.outcome, this.rows(this.outcome), this.choices);
    if (!order || this.busy || this.editing !== '') return false;
    this.fire('outcome-put', order);
    return true;
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('taken') && this.taken) this.choices = withoutTaken(this.choices, this.taken);
    if (changed.has('outcome')) this.lookAgain();
    if (!changed.has('view') || changed.get('view')?.id === this.view?.id) return;
    this.choices = noChoices;
    this.editing = '';
  }

  private lookAgain(): void {
    clearTimeout(this.timer);
    if (!this.outcome || this.rows(this.outcome).every((row) => row.state !== 'automatic')) return;
    this.timer = setTimeout(() => this.fire('outcome-again'), AGAIN_MS);
  }

  override render() {
    const { outcome, view } = this;
    if (!view) return '';
    return html`<section aria-label="Into the CRM">
      <div class="top"><h2 tabindex="-1">Into the CRM</h2>${outcome && !outcome.why_not ? html`<span class="quiet numbers">${leftText(this.rows(outcome))}</span>` : ''}</div>
      ${outcome ? this.body(outcome) : this.waiting()}
    </section>`;
  }

  private waiting() {
    if (this.problem === '') return html`<div class="bones" role="img" aria-label="Loading"><i style="width:70%"></i><i></i></div>`;
    return html`<p>${this.problem} What was planned is not lost.</p><button type="button" class="button" @click=${() => this.fire('outcome-again')}>Look again</button>`;
  }

  private body(outcome: Outcome) {
    if (outcome.why_not) {
      return html`<p>${outcome.why_not}</p><div class="actions"><button type="button" class="button" @click=${() => this.fire('open-customer')}>Who was it?</button></div>`;
    }
    const rows = this.rows(outcome);
    if (rows.length === 0) return html`<p class="quiet">Nothing is to be written. What the rules of this service let you put into other systems stands here after a call.</p>`;
    const order = orderOf(outcome, rows, this.choices);
    const chosen = order?.items.length ?? 0;
    const left = rows.some(isOpen);
    const resting = this.systems.filter((one) => (one.resting || one.problem) && rows.some((row) => row.item.destination === one.name));
    return html`
      ${this.cases(outcome)}
      <ul>${rows.map((row) => this.row(row))}</ul>
      ${resting.map((one) => html`<p class="resting">${restingText(systemName(this.systems, one.name), one.problem)}</p>`)}
      ${left || chosen > 0
        ? html`<div class="actions">
            <button type="button" class="button primary put" aria-disabled=${chosen === 0 || this.busy} @click=${() => this.put()}>
              <kbd>p</kbd> ${this.busy ? 'Putting …' : 'Put into the CRM'}
            </button>
            <span class="quiet numbers">${chosen === 0 ? 'Nothing is ticked' : `${chosen} ${chosen === 1 ? 'entry' : 'entries'}`}</span>
          </div>`
        : ''}
    `;
  }

  /** To which case it goes. What is written already stays where it is. */
  private cases(outcome: Outcome) {
    const made = outcome.items.find((item) => item.id === 'case');
    if (!made && outcome.cases.length === 0) return '';
    const stands = made?.write && made.write.state !== 'discarded';
    const now = stands ? 'new' : caseOf(outcome.cases, this.choices);
    const option = (value: string, says: string) => html`<option value=${value} ?selected=${value === (now ?? '')}>${says}</option>`;
    return html`<label class="case">Case
        <select ?disabled=${Boolean(stands)} @change=${(event: Event) => this.pick((event.target as HTMLSelectElement).value)}>
          ${option('', 'No case, only with the contact')}
          ${outcome.cases.map((one) => option(one.id, `${one.number ? `#${one.number.replace(/^#/, '')} ` : ''}${one.subject} (${one.status})`))}
          ${made ? option('new', 'A new case') : ''}
        </select></label>
      ${made && now === 'new' ? html`<p class="preview new">${firstWords(made.text)}${made.write?.problem ? html` <b>${made.write.problem}</b>` : ''}</p>` : ''}`;
  }

  private row(row: OutcomeRow) {
    const { item } = row;
    const known = this.systems.find((one) => one.name === item.destination);
    const elsewhere = known && known.kind !== 'crm' ? systemName(this.systems, known.name) : '';
    const id = `t-${item.id}`;
    return html`<li class=${row.state}>
      ${isOpen(row)
        ? html`<input type="checkbox" id=${id} .checked=${row.ticked} @change=${(event: Event) => this.tick(row, (event.target as HTMLInputElement).checked)} />`
        : html`<span class="mark">${row.state === 'done' ? checkIcon : row.state === 'failed' ? warnIcon : html`<i></i>`}</span>`}
      <div class="line">
        ${isOpen(row) ? html`<label for=${id}>${item.title}</label>` : html`<span class="title">${item.title}</span>`}
        <span class="quiet">${[elsewhere, stateWords[row.state], isOpen(row) ? beforeText(item) : ''].filter(Boolean).join(' · ')}${this.opened(row)}</span>
      </div>
      <div class="rest">${this.editing === item.id ? this.editor(row) : this.preview(row)}</div>
      ${row.state === 'failed' || (row.state === 'waiting' && row.write?.problem) ? this.trouble(row) : ''}
    </li>`;
  }

  private opened({ write, item, state }: OutcomeRow) {
    const address = state === 'done' ? webAddress(write?.url) : undefined;
    return address ? html` · <a href=${address} target="_blank" rel="noopener noreferrer">open<span class="visually-hidden">: ${item.title}, in a new tab</span></a>` : '';
  }

  private trouble({ write, state, item }: OutcomeRow) {
    const again = state === 'failed' && write
      ? html`<button type="button" class="button" aria-label="Try again: ${item.title}" @click=${() => this.fire('outcome-retry', write)}>Try again</button>`
      : '';
    return html`<div class="trouble"><p>${write?.problem ?? 'The other system refused it.'}</p>${again}</div>`;
  }

  private preview(row: OutcomeRow) {
    const { item, due, open } = row;
    const free = isOpen(row);
    const changed = free && row.text !== item.text;
    const when = due ? dueText({ phrase: '', is_limit: false, ...due, time: due.time ?? undefined }) : '';
    return html`<p class="preview" title=${row.text}>${changed ? html`<span class="yours">yours</span> ` : ''}${firstWords(row.text)}</p>
      ${row.unput === null ? '' : html`<p class="preview" title=${row.unput}><span class="yours">yours, not put</span> ${firstWords(row.unput)}</p>`}
      ${free && open !== null && !due ? this.days(row, open === '' ? 'No day was named' : `“${open}”: which day?`) : ''}
      ${when ? html`<p class="when numbers">${when}${free ? html` <button type="button" class="link" aria-label="Change: ${item.title}" @click=${() => this.edit(item.id)}>Change</button>` : ''}</p>` : ''}
      ${free && item.operation === 'add_note'
        ? html`<button type="button" class="link" aria-label="Edit the text: ${item.title}" @click=${() => this.edit(item.id)}>Edit the text</button>`
        : ''}`;
  }

  private editor(row: OutcomeRow) {
    if (row.item.operation !== 'add_note') return this.days(row, '');
    return html`<form @submit=${(event: Event) => this.save(event, row)} @keydown=${this.editorKeys}>
      <textarea rows="9" aria-label="Your words: ${row.item.title}" .value=${row.text}></textarea>
      <div class="actions">
        <button class="button primary">Keep these words</button>
        <button type="button" class="button" @click=${() => this.edit('')}>Cancel</button>
      </div>
    </form>`;
  }

  /** The day, and of a meeting also the time; what isn't certain is asked where it is needed. */
  private days({ item, due }: OutcomeRow, says: string) {
    const timed = item.operation === 'put_meeting';
    const moved = (event: Event) => {
      const fields = (event.currentTarget as HTMLElement).querySelectorAll('input');
      const [date = '', time = ''] = [...fields].map((field) => field.value);
      if (date !== '' && (!timed || time !== '')) this.change(item.id, movedTo(item, date, time));
    };
    return html`<div class="days" role="group" aria-label="When: ${item.title}" @change=${moved}>
      ${says ? html`<span class="ask">${says}</span>` : ''}
      <input type="date" aria-label="Day: ${item.title}" .value=${due?.date ?? ''} />
      ${timed ? html`<input type="time" aria-label="Time: ${item.title}" .value=${due?.time ?? ''} />` : ''}
      ${this.editing === item.id ? html`<button type="button" class="button" @click=${() => this.edit('')}>Done</button>` : ''}
    </div>`;
  }

  private rows(outcome: Outcome): OutcomeRow[] {
    return rowsOf(outcome, this.view?.writes ?? [], this.choices, this.view?.wrapup ?? null);
  }

  private tick({ item }: OutcomeRow, on: boolean): void {
    this.choices = { ...this.choices, ticked: { ...this.choices.ticked, [item.id]: on } };
  }

  private pick(value: string): void {
    this.choices = { ...this.choices, case: value === '' ? null : value };
  }

  private change(id: string, change: Choices['changes'][string]): void {
    this.choices = { ...this.choices, changes: { ...this.choices.changes, [id]: { ...this.choices.changes[id], ...change } } };
  }

  private async edit(id: string): Promise<void> {
    const before = this.editing;
    this.editing = id;
    await this.updateComplete;
    if (id !== '') (this.area ?? this.renderRoot.querySelector<HTMLElement>('.days input'))?.focus();
    // Where the editing began.
    else [...this.renderRoot.querySelectorAll<HTMLElement>('li')].find((li) => li.querySelector(`[id="t-${CSS.escape(before)}"]`))?.querySelector<HTMLElement>('.link')?.focus();
  }

  private save(event: Event, { item }: OutcomeRow): void {
    event.preventDefault();
    const text = this.area?.value.trim() ?? '';
    if (text === '') return;
    if (text === item.text.trim()) {
      const { [item.id]: _, ...changes } = this.choices.changes;
      this.choices = { ...this.choices, changes };
    } else this.change(item.id, { text });
    void this.edit('');
  }

  private readonly editorKeys = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') {
      event.stopPropagation();
      void this.edit('');
    } else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      (event.currentTarget as HTMLFormElement).requestSubmit();
    }
  };

  private fire(name: string, detail: unknown = undefined): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}
