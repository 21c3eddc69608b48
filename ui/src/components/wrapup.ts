import { LitElement, html } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { EmailOrder, ReviewVerdict, WrapUp, WrapUpDisposition, WrapUpEmail, WrapUpFollowUp, WrapUpSummary } from '../api/types.ts';
import { dueText, emailText, sectionName, summaryText } from '../state/wrapup.ts';
import { checkIcon } from './icons.ts';
import './proven.ts';
import { shared } from './shared-styles.ts';
import { wrapUpStyles } from './wrapup-styles.ts';

export interface ReviewEvent {
  id: string;
  verdict: ReviewVerdict;
  text?: string;
}

const purposes: [string, string][] = [
  ['follow_up', 'Follow-up'], ['resolution', 'Resolution'], ['information', 'Information'], ['apology', 'Apology'],
  ['appointment', 'Appointment'], ['custom', 'Something else'],
];
const lengths: [string, string][] = [['short', 'Short'], ['medium', 'Medium'], ['long', 'Long']];
const tones: [string, string][] = [['friendly', 'Friendly'], ['professional', 'Professional'], ['formal', 'Formal']];
const kinds: Record<string, string> = { task: 'Task', callback: 'Call back', meeting: 'Appointment' };
const verdictWords: Record<ReviewVerdict, string> = { accepted: 'accepted', edited: 'edited', discarded: 'discarded' };

/**
 * What was written about the call. Drafts: the agent accepts, edits or discards each.
 * Fires `wrapup-review`, `wrapup-email`, `copy-answer`, and what its sentences fire.
 */
@customElement('bc-wrapup')
export class WrapUpPanel extends LitElement {
  @property({ attribute: false }) wrapup: WrapUp | null = null;
  /** The draft that is being edited. */
  @state() private editing = '';
  @state() private purpose = 'follow_up';
  @query('textarea') private area!: HTMLTextAreaElement | null;
  @query('h2') private heading!: HTMLElement | null;

  static override styles = [shared, wrapUpStyles];

  override focus(): void {
    this.heading?.focus();
  }

  override render() {
    const { wrapup } = this;
    if (!wrapup) return '';
    const { summary, email, disposition, follow_ups: followUps } = wrapup;
    return html`
      ${summary ? this.summary(summary) : ''}
      ${followUps.length > 0 ? this.followUps(followUps) : ''}
      ${disposition ? this.disposition(disposition) : ''}
      ${this.email(email)}
    `;
  }

  private summary(summary: WrapUpSummary) {
    const body = html`${summary.sections.map(
      (section) => html`<h3>${sectionName(section.key)}</h3>
        ${section.sentences.map((sentence) => html`<bc-proven .sentence=${sentence}></bc-proven>`)}`,
    )}`;
    return this.sheet('Summary', 'summary', summary.wrapup_id, summaryText(summary), body);
  }

  private email(email: WrapUpEmail | null) {
    const order = html`<form class="choices" @submit=${this.order}>
      <label>Purpose ${this.select('purpose', purposes, this.purpose, (value) => (this.purpose = value))}</label>
      <label>Length ${this.select('length', lengths, email?.length ?? 'medium')}</label>
      <label>Tone ${this.select('tone', tones, email?.tone ?? 'professional')}</label>
      ${this.purpose === 'custom' ? html`<label class="wide">About <input name="wish" required maxlength="200" /></label>` : ''}
      <button class="button">Write again</button>
    </form>`;
    if (!email) return html`<section aria-label="E-mail" class="email"><div class="top"><h2 tabindex="-1">E-mail draft</h2></div>${order}</section>`;
    const parts = email.parts.map((part) =>
      part.kind === 'claim'
        ? html`<div class="part"><bc-proven .sentence=${part}></bc-proven></div>`
        : html`<p class="part fixed">${part.text}</p>`,
    );
    return this.sheet('E-mail draft', 'email', email.wrapup_id, emailText(email), html`<p class="subject">${email.subject}</p>${parts}`, order);
  }

  /** A text with its three buttons. */
  private sheet(title: string, name: string, id: string, text: string, body: unknown, before: unknown = '') {
    const review = this.wrapup?.verdicts[id];
    const words = review?.text ?? text;
    const edited = review?.verdict === 'edited';
    return html`<section aria-label=${title} class="${name} ${review?.verdict ?? ''}">
      <div class="top"><h2 tabindex="-1">${title}</h2>${this.state(id)}</div>
      ${before}
      ${this.editing === id
        ? html`<form @submit=${(event: Event) => this.save(event, id, text)}>
            <textarea rows="12" aria-label="Your words: ${title}" .value=${words}></textarea>
            <div class="actions">
              <button class="button primary">Save</button>
              <button type="button" class="button" @click=${() => (this.editing = '')}>Cancel</button>
            </div>
          </form>`
        : html`${edited ? html`<p class="part fixed">${words}</p>` : body}
            <div class="actions">
              <button type="button" class="button primary" ?disabled=${review?.verdict === 'accepted'} @click=${() => this.review(id, 'accepted')}>Accept</button>
              <button type="button" class="button" @click=${() => this.edit(id)}>Edit</button>
              <button type="button" class="button" @click=${() => this.review(id, 'discarded')}>Discard</button>
              <button type="button" class="button plain" @click=${() => this.fire('copy-answer', { value: words })}>Copy</button>
            </div>`}
    </section>`;
  }

  private followUps(followUps: WrapUpFollowUp[]) {
    return html`<section aria-label="Follow-ups" class="follow-ups">
      <div class="top"><h2 tabindex="-1">Follow-ups</h2></div>
      <ul>
        ${followUps.map(
          (one) => html`<li class="follow-up">
            <div class="facts">
              <span class="label">${kinds[one.kind] ?? one.kind}</span>
              <span class="quiet numbers">${dueText(one.due)} · ${one.promised_by === 'customer' ? 'the customer will' : 'we will'}</span>
              ${this.state(one.wrapup_id)}
              <button type="button" class="button" aria-label="Accept: ${one.sentence.text}" @click=${() => this.review(one.wrapup_id, 'accepted')}>Accept</button>
              <button type="button" class="button plain" aria-label="Discard: ${one.sentence.text}" @click=${() => this.review(one.wrapup_id, 'discarded')}>Discard</button>
            </div>
            <bc-proven .sentence=${one.sentence}></bc-proven>
          </li>`,
        )}
      </ul>
    </section>`;
  }

  private disposition(disposition: WrapUpDisposition) {
    const id = disposition.wrapup_id;
    const review = this.wrapup?.verdicts[id];
    const first = disposition.choices[0]?.code;
    const chosen = review?.verdict === 'accepted' ? first : review?.text;
    return html`<section aria-label="Disposition" class="disposition">
      <div class="top"><h2 tabindex="-1">Disposition</h2>${this.state(id)}</div>
      ${disposition.choices.length === 0
        ? html`<p class="quiet">None of the list fits.</p>`
        : html`<div class="actions" role="group" aria-label="Choose one">
            ${disposition.choices.map(
              (choice) => html`<button
                type="button" class="button chip numbers" aria-pressed=${choice.code === chosen}
                @click=${() => (choice.code === first ? this.review(id, 'accepted') : this.review(id, 'edited', choice.code))}
              >${choice.label}<span class="quiet">${Math.round(choice.probability * 100)} %</span></button>`,
            )}
          </div>`}
    </section>`;
  }

  private state(id: string) {
    const review = this.wrapup?.verdicts[id];
    return review ? html`<span class="state" role="status">${checkIcon} ${verdictWords[review.verdict]}</span>` : '';
  }

  private select(name: string, options: [string, string][], value: string, moved?: (value: string) => void) {
    return html`<select name=${name} @change=${(event: Event) => moved?.((event.target as HTMLSelectElement).value)}>
      ${options.map(([id, says]) => html`<option value=${id} ?selected=${id === value}>${says}</option>`)}
    </select>`;
  }

  private async edit(id: string): Promise<void> {
    this.editing = id;
    await this.updateComplete;
    this.area?.focus();
  }

  private save(event: Event, id: string, original: string): void {
    event.preventDefault();
    const text = this.area?.value.trim() ?? '';
    if (text === '') return;
    // Unchanged words are simply accepted.
    if (text === original.trim()) this.review(id, 'accepted');
    else this.review(id, 'edited', text);
    this.editing = '';
  }

  private order(event: Event): void {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const order = Object.fromEntries(form.entries()) as unknown as EmailOrder;
    this.fire('wrapup-email', order);
  }

  private review(id: string, verdict: ReviewVerdict, text?: string): void {
    const detail: ReviewEvent = text === undefined ? { id, verdict } : { id, verdict, text };
    this.fire('wrapup-review', detail);
  }

  private fire(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}
