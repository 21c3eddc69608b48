import { LitElement, type PropertyValues, html } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { EmailOrder, ReviewVerdict, WrapUp, WrapUpDisposition, WrapUpEmail, WrapUpFollowUp, WrapUpHead, WrapUpSummary } from '../api/types.ts';
import { authorText, dueText, emailText, faultName, growing, holding, paragraphs, sectionName, summaryText } from '../state/wrapup.ts';
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
const staleAfterMs = 30_000;
const verdictWords: Record<ReviewVerdict, string> = { accepted: 'accepted', edited: 'edited', discarded: 'discarded' };

/**
 * What was written about the call. Drafts: the agent accepts, edits or discards each.
 * Fires `wrapup-review`, `wrapup-email`, `copy-answer`, and what its sentences fire.
 */
@customElement('bc-wrapup')
export class WrapUpPanel extends LitElement {
  @property({ attribute: false }) wrapup: WrapUp | null = null;
  /** The draft that is being edited, as it was when that began: the agent's words must not go with it when a model's come. */
  @state() private editing: { id: string; text: string; held: Pick<WrapUp, 'summary'> | Pick<WrapUp, 'email'> } | null = null;
  /** What has not grown for so long that its end must have been missed. */
  @state() private stale: WrapUp['growing'];
  private staleTimer: ReturnType<typeof setTimeout> | undefined;
  @state() private purpose = 'follow_up';
  @query('textarea') private area!: HTMLTextAreaElement | null;
  @query('h2') private heading!: HTMLElement | null;

  static override styles = [shared, wrapUpStyles];

  override focus(): void {
    this.heading?.focus();
  }

  override render() {
    if (!this.wrapup) return '';
    const wrapup = holding(this.wrapup, this.editing?.held ?? {});
    const { summary, email, disposition, follow_ups: followUps } = wrapup;
    const grown = this.wrapup.growing === this.stale ? {} : growing(this.wrapup);
    const edited = this.editing?.held ?? {};
    const newSummary = 'summary' in edited ? undefined : grown.summary;
    const newEmail = 'email' in edited ? undefined : grown.email;
    return html`
      ${newSummary ? this.unfinished('Summary', 'summary', this.sections(newSummary)) : summary ? this.summary(summary) : ''}
      ${followUps.length > 0 ? this.followUps(followUps) : ''}
      ${disposition ? this.disposition(disposition) : ''}
      ${newEmail ? this.unfinished('E-mail draft', 'email', this.letter(newEmail)) : this.email(email)}
    `;
  }

  override updated(changed: PropertyValues<this>): void {
    const before = changed.get('wrapup')?.growing;
    const now = this.wrapup?.growing;
    if (now === before) return;
    clearTimeout(this.staleTimer);
    if (now) this.staleTimer = setTimeout(() => (this.stale = now), staleAfterMs);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.staleTimer);
  }

  /** A draft that is being written: there is nothing to decide yet. */
  private unfinished(title: string, name: string, body: unknown) {
    return html`<section aria-label=${title} class=${name} aria-busy="true">
      <div class="top"><h2 tabindex="-1">${title}</h2><span class="state" role="status">being written…</span></div>
      ${body}
    </section>`;
  }

  private summary(summary: WrapUpSummary) {
    return this.sheet('Summary', 'summary', summary, summaryText(summary), { summary }, this.sections(summary));
  }

  private sections(summary: WrapUpSummary) {
    return html`${summary.sections.map(
      (section) => html`<h3>${sectionName(section.key)}</h3>
        ${section.sentences.map((sentence) => html`<bc-proven .sentence=${sentence}></bc-proven>`)}`,
    )}`;
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
    return this.sheet('E-mail draft', 'email', email, emailText(email), { email }, this.letter(email), order);
  }

  private letter(email: WrapUpEmail) {
    const parts = paragraphs(email.parts).map(
      (parts) => html`<div class="part">${parts.map((part) =>
        part.kind === 'claim' ? html`<bc-proven .sentence=${part}></bc-proven>` : html`<p class="fixed">${part.text}</p>`,
      )}</div>`,
    );
    const cited = email.subject_citations ?? [];
    const subject = cited.length > 0
      ? html`<div class="subject"><bc-proven .sentence=${{ text: email.subject, citations: cited }}></bc-proven></div>`
      : html`<p class="subject">${email.subject}</p>`;
    return html`${subject}${parts}`;
  }

  /** A text with its three buttons. */
  private sheet(
    title: string, name: string, head: WrapUpHead, text: string, held: Pick<WrapUp, 'summary'> | Pick<WrapUp, 'email'>, body: unknown,
    before: unknown = '',
  ) {
    const id = head.wrapup_id;
    const review = this.wrapup?.verdicts[id];
    const words = review?.text ?? text;
    const edited = review?.verdict === 'edited';
    return html`<section aria-label=${title} class="${name} ${review?.verdict ?? ''}">
      <div class="top"><h2 tabindex="-1">${title}</h2>${this.state(id)}</div>
      ${before}
      ${this.editing?.id === id
        ? html`<form @submit=${(event: Event) => this.save(event, id)}>
            <textarea rows="12" aria-label="Your words: ${title}" .value=${this.editing.text}></textarea>
            <div class="actions">
              <button class="button primary">Save</button>
              <button type="button" class="button" @click=${() => (this.editing = null)}>Cancel</button>
            </div>
          </form>`
        : html`${edited ? html`<p class="fixed">${words}</p>` : body} ${this.author(head)}
            <div class="actions">
              <button type="button" class="button primary" ?disabled=${review?.verdict === 'accepted'} @click=${() => this.review(id, 'accepted')}>Accept</button>
              <button type="button" class="button" @click=${() => this.edit({ id, text: words, held })}>Edit</button>
              <button type="button" class="button" @click=${() => this.review(id, 'discarded')}>Discard</button>
              <button type="button" class="button plain" @click=${() => this.fire('copy-answer', { value: words })}>Copy</button>
            </div>`}
    </section>`;
  }

  /** Who wrote it, and what the check took out. */
  private author(head: WrapUpHead) {
    const words = authorText(head);
    const struck = head.struck ?? [];
    if (struck.length === 0) return words === '' ? '' : html`<p class="author">${words}</p>`;
    return html`<details class="author">
      <summary>${words}</summary>
      <ul>
        ${struck.map((one) => html`<li><s>${one.text}</s> <span class="quiet">${faultName(one.fault)}: ${one.why}</span></li>`)}
      </ul>
    </details>`;
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

  private async edit(editing: NonNullable<typeof this.editing>): Promise<void> {
    this.editing = editing;
    await this.updateComplete;
    this.area?.focus();
  }

  private save(event: Event, id: string): void {
    event.preventDefault();
    const text = this.area?.value.trim() ?? '';
    if (text === '') return;
    // Words that the draft has by now are simply accepted.
    if (text === this.words(id)?.trim()) this.review(id, 'accepted');
    else this.review(id, 'edited', text);
    this.editing = null;
  }

  /** Of the newest draft with this identifier. */
  private words(id: string): string | undefined {
    const { summary, email } = this.wrapup ?? {};
    if (summary?.wrapup_id === id) return summaryText(summary);
    return email?.wrapup_id === id ? emailText(email) : undefined;
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
