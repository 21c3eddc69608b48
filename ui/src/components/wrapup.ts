import { LitElement, type PropertyValues, html } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type {
  Decision, EmailOrder, Evidence, ReviewVerdict, WrapUp, WrapUpArticle, WrapUpDisposition, WrapUpEmail, WrapUpFollowUp, WrapUpHead, WrapUpSummary,
} from '../api/types.ts';
import {
  type Place, articleText, authorshipOf, dueText, emailText, growing, paragraphs, standing, summaryText,
} from '../state/wrapup.ts';
import { checkIcon } from './icons.ts';
import './proven.ts';
import { shared } from './shared-styles.ts';
import { wrapUpStyles } from './wrapup-styles.ts';
import { authorLine, sectionsOf } from './written.ts';

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
 * What was written about the call. Drafts: the agent accepts, edits or discards each. A draft that comes while the pointer
 * or the focus is on the one before waits below it.
 * Fires `wrapup-review`, `wrapup-email`, `copy-answer`, and what its sentences fire.
 */
@customElement('bc-wrapup')
export class WrapUpPanel extends LitElement {
  @property({ attribute: false }) wrapup: WrapUp | null = null;
  /** Drafts that were asked for here. */
  @property({ attribute: false }) asked: ReadonlySet<string> = new Set();
  /** An e-mail was ordered and is not there yet. */
  @property({ type: Boolean }) ordering = false;
  /** The draft that is being edited, and the words with which that began. */
  @state() private editing: { head: WrapUpHead; place: Place; text: string } | null = null;
  /** What has not grown for so long that its end must have been missed. */
  @state() private stale: WrapUp['growing'];
  private staleTimer: ReturnType<typeof setTimeout> | undefined;
  @state() private purpose = 'follow_up';
  /** What stands on the sheets. */
  private shown: WrapUp | null = null;
  private pointedAt: Place | null = null;
  @query('textarea') private area!: HTMLTextAreaElement | null;
  @query('h2') private heading!: HTMLElement | null;

  static override styles = [shared, wrapUpStyles];

  override focus(): void {
    this.heading?.focus();
  }

  override willUpdate(): void {
    this.shown = this.wrapup && standing(this.shown, this.wrapup, (place) => this.occupied(place), this.asked);
  }

  override render() {
    if (!this.wrapup || !this.shown) return '';
    const { summary, email, disposition, article, follow_ups: followUps } = this.shown;
    const grown = this.wrapup.growing === this.stale ? {} : growing(this.wrapup);
    return html`
      ${summary ? this.summary(summary) : ''}
      ${grown.summary ? this.unfinished('Summary', summary, sectionsOf(grown.summary)) : ''}
      ${followUps.length > 0 ? this.followUps(followUps) : ''}
      ${disposition ? this.disposition(disposition) : ''}
      ${this.email(email)}
      ${grown.email ? this.unfinished('E-mail draft', email, this.letter(grown.email)) : ''}
      ${article ? this.article(article) : ''}
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

  /** A draft that is being written: there is nothing to decide yet, and what it is to replace stays in use. */
  private unfinished(title: string, old: WrapUpHead | null, body: unknown) {
    return html`<section aria-label="${title}, being written" class=${old ? 'grows' : ''} aria-busy="true">
      ${old
        ? html`<p class="quiet">Another one is being written …</p>`
        : html`<div class="top"><h2 tabindex="-1">${title}</h2><span class="quiet">being written …</span></div>`}
      <div class="so-far">${body}</div>
    </section>`;
  }

  private summary(summary: WrapUpSummary) {
    return this.text('Summary', 'summary', summary, summaryText(summary), sectionsOf(summary));
  }

  private email(email: WrapUpEmail | null) {
    const order = html`<form class="choices" @submit=${this.order}>
      <label>Purpose ${this.select('purpose', purposes, this.purpose, (value) => (this.purpose = value))}</label>
      <label>Length ${this.select('length', lengths, email?.length ?? 'medium')}</label>
      <label>Tone ${this.select('tone', tones, email?.tone ?? 'professional')}</label>
      ${this.purpose === 'custom' ? html`<label class="wide">About <input name="wish" required maxlength="200" /></label>` : ''}
      <button class="button" aria-disabled=${this.ordering}>${this.ordering ? 'Writing …' : 'Write again'}</button>
    </form>`;
    if (!email) return this.sheet('E-mail draft', 'email', [], order);
    return this.text('E-mail draft', 'email', email, emailText(email), this.letter(email), order);
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

  /** One sheet: a title, what became of it, what stands on it, and whether something newer waits for it. */
  private sheet(title: string, place: Place, heads: WrapUpHead[], body: unknown) {
    const [head] = heads;
    const review = head && heads.length === 1 && place !== 'follow_ups' ? this.wrapup?.verdicts[head.wrapup_id] : undefined;
    const look = place.replace('_', '-');
    return html`<section
      aria-label=${title} class="${look} ${review?.verdict ?? ''}" data-place=${place}
      @pointerenter=${(event: PointerEvent) => this.pointed(event, place)} @pointerleave=${() => this.left()} @focusout=${this.focusLeft}
    >
      <div class="top"><h2 tabindex="-1">${title}</h2>${review && head ? this.state(head.wrapup_id) : ''}</div>
      ${body}
      ${this.shown?.[place] === this.wrapup?.[place] || this.editing?.place === place
        ? ''
        : html`<p class="newer"><span class="quiet">It was written anew meanwhile.</span>
            <button type="button" class="button" @click=${() => this.take(place)}>Show the new one</button></p>`}
    </section>`;
  }

  /** A text with its buttons. */
  private text(title: string, place: Place, head: WrapUpHead, text: string, body: unknown, before: unknown = '') {
    const review = this.wrapup?.verdicts[head.wrapup_id];
    const words = review?.text ?? text;
    const edited = review?.verdict === 'edited';
    const { editing } = this;
    const content = editing?.head.wrapup_id === head.wrapup_id && editing.place === place
      ? html`<form @submit=${(event: Event) => this.save(event, editing.head)}>
          <textarea rows="12" aria-label="Your words: ${title}" .value=${editing.text}></textarea>
          <div class="actions">
            <button class="button primary">Save</button>
            <button type="button" class="button" @click=${() => (this.editing = null)}>Cancel</button>
          </div>
        </form>`
      : html`${edited ? html`<p class="fixed">${words}</p>` : body} ${authorLine(head)}
          ${this.decide(head, words, html`<button type="button" class="button" @click=${() => this.edit({ head, place, text: words })}>Edit</button>`)}`;
    return this.sheet(title, place, [head], html`${before}${content}`);
  }

  /** Accept, perhaps edit, discard, copy. */
  private decide(head: WrapUpHead, words: string, edit: unknown = '') {
    const accepted = this.wrapup?.verdicts[head.wrapup_id]?.verdict === 'accepted';
    return html`<div class="actions">
      <button type="button" class="button primary" ?disabled=${accepted} @click=${() => this.review(head, 'accepted')}>Accept</button>
      ${edit}
      <button type="button" class="button" @click=${() => this.review(head, 'discarded')}>Discard</button>
      <button type="button" class="button plain" @click=${() => this.fire('copy-answer', { value: words })}>Copy</button>
    </div>`;
  }

  private followUps(followUps: WrapUpFollowUp[]) {
    const rows = followUps.map(
      (one) => html`<li class="follow-up">
        <div class="facts">
          <span class="label">${kinds[one.kind] ?? one.kind}</span>
          <span class="quiet numbers">${dueText(one.due)} · ${one.promised_by === 'customer' ? 'the customer will' : 'we will'}</span>
          ${this.state(one.wrapup_id)}
          <button type="button" class="button" aria-label="Accept: ${one.sentence.text}" @click=${() => this.review(one, 'accepted')}>Accept</button>
          <button type="button" class="button plain" aria-label="Discard: ${one.sentence.text}" @click=${() => this.review(one, 'discarded')}>Discard</button>
        </div>
        <bc-proven .sentence=${one.sentence}></bc-proven>
      </li>`,
    );
    return this.sheet('Follow-ups', 'follow_ups', followUps, html`<ul>${rows}</ul>${authorLine(authorshipOf(followUps))}`);
  }

  private disposition(disposition: WrapUpDisposition) {
    const review = this.wrapup?.verdicts[disposition.wrapup_id];
    const first = disposition.choices[0]?.code;
    const chosen = review?.text ?? (review?.verdict === 'accepted' ? first : undefined);
    const quoted = (evidence: Evidence) => html`<bc-proven named .sentence=${{ text: `“${evidence.quote}”`, citations: [evidence] }}></bc-proven>`;
    const choices = disposition.choices.map(
      (choice) => html`<div class="choice">
        <button
          type="button" class="button chip numbers" aria-pressed=${choice.code === chosen}
          @click=${() => this.review(disposition, choice.code === first ? 'accepted' : 'edited', choice.code)}
        >${choice.label}<span class="quiet">${Math.round(choice.probability * 100)} %</span></button>
        <div class="quotes">${choice.citations.map(quoted)}</div>
      </div>`,
    );
    const body = choices.length === 0 ? html`<p class="quiet">None of the list fits.</p>` : html`<div role="group" aria-label="Choose one">${choices}</div>`;
    return this.sheet('Disposition', 'disposition', [disposition], html`${body}${authorLine(disposition)}`);
  }

  /** What an article could say that none says yet. */
  private article(article: WrapUpArticle) {
    const body = html`<div class="subject"><bc-proven .sentence=${article.question}></bc-proven></div>
      ${article.answer.map((sentence) => html`<bc-proven .sentence=${sentence}></bc-proven>`)}
      ${authorLine(article)} ${this.decide(article, articleText(article))}`;
    return this.sheet('Article proposal', 'article', [article], body);
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

  private occupied(place: Place): 'reading' | 'writing' | null {
    if (this.editing?.place === place) return 'writing';
    const focused = this.renderRoot.querySelector(`[data-place=${place}]`)?.matches(':focus-within');
    return focused || this.pointedAt === place ? 'reading' : null;
  }

  private pointed(event: PointerEvent, place: Place): void {
    // A finger leaves no pointer behind.
    if (event.pointerType !== 'touch') this.pointedAt = place;
  }

  private left(): void {
    this.pointedAt = null;
    this.requestUpdate();
  }

  private focusLeft(event: FocusEvent): void {
    const inside = event.relatedTarget instanceof Node && (event.currentTarget as Node).contains(event.relatedTarget);
    if (!inside) this.requestUpdate();
  }

  private async take(place: Place): Promise<void> {
    if (this.shown && this.wrapup) this.shown = { ...this.shown, [place]: this.wrapup[place] };
    this.requestUpdate();
    await this.updateComplete;
    this.renderRoot.querySelector<HTMLElement>(`[data-place=${place}] h2`)?.focus();
  }

  private async edit(editing: NonNullable<typeof this.editing>): Promise<void> {
    this.editing = editing;
    await this.updateComplete;
    this.area?.focus();
  }

  private save(event: Event, head: WrapUpHead): void {
    event.preventDefault();
    const text = this.area?.value.trim() ?? '';
    if (text === '') return;
    // Words that the newest draft has are simply accepted.
    const newest = this.newest(head.wrapup_id);
    if (newest && text === newest.words.trim()) this.review(newest.head, 'accepted');
    else this.review(head, 'edited', text);
    this.editing = null;
  }

  private newest(id: string): { head: WrapUpHead; words: string } | undefined {
    const { summary, email } = this.wrapup ?? {};
    if (summary?.wrapup_id === id) return { head: summary, words: summaryText(summary) };
    return email?.wrapup_id === id ? { head: email, words: emailText(email) } : undefined;
  }

  private order(event: Event): void {
    event.preventDefault();
    if (this.ordering) return;
    const form = new FormData(event.target as HTMLFormElement);
    const order = Object.fromEntries(form.entries()) as unknown as EmailOrder;
    this.fire('wrapup-email', order);
  }

  private review(head: WrapUpHead, verdict: ReviewVerdict, text?: string): void {
    const decision: Decision = { id: head.wrapup_id, verdict, text, sequence: head.sequence };
    this.fire('wrapup-review', decision);
  }

  private fire(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}
