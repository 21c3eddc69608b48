import { LitElement, type TemplateResult, html } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { ArticleDetail, ArticleHit, ArticleUse, Conflict, Diff, RevisionLine } from '../../api/knowledge-types.ts';
import type { Conversation } from '../../api/types.ts';
import { agoText, dayText, facts, returnedFor, stateText } from '../../state/knowledge/review.ts';
import { warnIcon } from '../icons.ts';
import { maskedText } from '../masked-text.ts';
import { shared } from '../shared-styles.ts';
import type { Acts } from './acts.ts';
import { articleStyles } from './article-styles.ts';
import type { MarkedText } from './marked-text.ts';
import './acts.ts';
import './diff.ts';
import './evidence.ts';
import './marked-text.ts';
import './use.ts';

/** All that is known about an article; what isn't there yet is empty. */
export interface Detail {
  article: ArticleDetail;
  /** Against the revision in force. */
  diff?: Diff | undefined;
  history: RevisionLine[];
  /** Published passages about the same, from other articles. */
  near: ArticleHit[];
  calls: ReadonlyMap<string, Conversation | null>;
  use?: ArticleUse | undefined;
  /** The published article beside which it is put. */
  beside?: ArticleDetail | undefined;
}

export type ArticleLook = 'text' | 'changes' | 'beside';

/**
 * One article as somebody decides about it: its text, large; beside it what speaks against it and what it rests on; below
 * both what can be done. Fires what its parts fire, `look` when another look is wanted, and `merge`.
 */
@customElement('bc-article')
export class Article extends LitElement {
  @property({ attribute: false }) detail: Detail | undefined;
  @property() look: ArticleLook = 'text';
  /** A search's passages of this article. */
  @property({ attribute: false }) hits: ArticleHit[] = [];
  @property({ type: Boolean }) busy = false;
  @property({ type: Boolean }) stale = false;
  @property({ type: Number }) now = 0;
  @state() private chosen = 0;
  @query('h2') private heading!: HTMLElement | null;
  @query('bc-acts') acts!: Acts | null;
  @query('bc-marked-text') private text!: MarkedText | null;

  static override styles = [shared, articleStyles];

  override willUpdate(changed: Map<string, unknown>): void {
    const before = changed.get('detail') as Detail | undefined;
    if (changed.has('detail') && before?.article.id !== this.detail?.article.id) this.chosen = 0;
  }

  override focus(): void {
    this.heading?.focus();
  }

  /** Goes to the next sentence's source. */
  async stepEvidence(): Promise<boolean> {
    if (this.look !== 'text') this.fire('look', 'text');
    await this.updateComplete;
    return this.text?.step() ?? false;
  }

  override render() {
    const { detail } = this;
    if (!detail) return '';
    const { article } = detail;
    const conflicts = article.conflicts ?? [];
    return html`<div class="head">
        <div class="titles">
          <h2 tabindex="-1">${maskedText(article.title)}</h2>
          <p class="facts quiet numbers">
            <span>${facts(article, this.now).join(' · ')}</span>
            ${conflicts.length > 0
              ? html`<button type="button" class="against" @click=${this.toConflicts}>${warnIcon} contradicts ${conflicts.length === 1 ? 'a published sentence' : `${conflicts.length} published sentences`}</button>`
              : ''}
          </p>
        </div>
        ${this.looks(detail)}
      </div>
      <div class="body ${this.look}" tabindex="-1" @origin-select=${(event: CustomEvent<number>) => (this.chosen = event.detail)}>
        <section class="main" aria-label="Text">${this.returned(detail)}${this.main(detail, conflicts)}</section>
        ${this.look === 'beside' ? '' : this.side(detail, conflicts)}
      </div>
      <bc-acts .article=${article} .conflicts=${conflicts.length} ?busy=${this.busy} ?stale=${this.stale}></bc-acts>`;
  }

  private looks(detail: Detail) {
    const all: [ArticleLook, string][] = [['text', 'Text']];
    if (detail.diff) all.push(['changes', 'Changes']);
    if (this.look === 'beside' || detail.near.length > 0) all.push(['beside', 'Side by side']);
    if (all.length === 1) return '';
    return html`<div class="map"><kbd aria-hidden="true">m</kbd><div class="looks" role="group" aria-label="Show">
      ${all.map(([look, name]) => html`<button type="button" class="look" aria-pressed=${this.look === look} @click=${() => this.fire('look', look)}>${name}</button>`)}
    </div></div>`;
  }

  private main(detail: Detail, conflicts: Conflict[]): TemplateResult {
    const { article } = detail;
    if (this.look === 'changes' && detail.diff) {
      return html`<bc-diff .diff=${detail.diff} .origins=${article.provenance} .chosen=${this.chosen}></bc-diff>`;
    }
    const text = html`<bc-marked-text
      class="proposed" .name=${article.title} .body=${article.body} .origins=${article.provenance} .conflicts=${conflicts} .found=${this.hits.flatMap((hit) => (hit.sentence ? [hit.sentence.quote] : []))} .chosen=${this.chosen}
    ></bc-marked-text>`;
    return this.look === 'beside' ? this.sideBySide(detail, text, conflicts) : text;
  }

  private sideBySide(detail: Detail, text: TemplateResult, conflicts: Conflict[]) {
    const { beside } = detail;
    const ids = [...new Map(detail.near.map((hit) => [hit.article_id, hit.title]))];
    const contradicted = conflicts.filter((one) => one.article_id === beside?.id).map((one) => one.published_sentence);
    return html`<div class="two">
      <div><h3 class="label">${stateText(detail.article.state)}</h3>${text}</div>
      <div>
        <div class="choose">
          <label class="label" for="with">Published</label>
          <select id="with" @change=${(event: Event) => this.fire('open-article', (event.target as HTMLSelectElement).value)}>
            ${beside && !ids.some(([id]) => id === beside.id) ? html`<option value=${beside.id} selected>${beside.title}</option>` : ''}
            ${ids.map(([id, title]) => html`<option value=${id} ?selected=${id === beside?.id}>${title}</option>`)}
          </select>
          ${beside && detail.article.published_revision === null
            ? html`<button type="button" class="button" @click=${() => this.fire('merge', beside.id)}>Merge into it …</button>`
            : ''}
        </div>
        ${beside ? html`<bc-marked-text .name=${beside.title} .body=${beside.body} .found=${contradicted}></bc-marked-text>` : ''}
      </div>
    </div>`;
  }

  private returned(detail: Detail) {
    const back = returnedFor(detail.history);
    if (!back) return '';
    return html`<p class="note"><strong>${back.by} returned it ${agoText(back.at, this.now)}:</strong> ${maskedText(back.comment ?? '')}</p>`;
  }

  private side(detail: Detail, conflicts: Conflict[]) {
    const { article } = detail;
    return html`<aside class="side" aria-label="Evidence">
      ${this.why()}
      <bc-evidence
        .body=${article.body} .origins=${article.provenance} .conflicts=${conflicts} .near=${detail.near} .calls=${detail.calls} .chosen=${this.chosen}
      ></bc-evidence>
      ${detail.use ? html`<bc-use .use=${detail.use} .today=${new Date(this.now).toISOString().slice(0, 10)}></bc-use>` : ''}
      <div class="rules">${this.rules(article)}</div>
      ${this.history(detail.history)}
    </aside>`;
  }

  private why() {
    if (this.hits.length === 0) return '';
    return html`<div class="why">
      <h3 class="label">Why it was found</h3>
      <ul>
        ${this.hits.map((hit) => html`<li>${hit.heading || hit.title}<ul class="quiet">${hit.why.map((reason) => html`<li>${reason}</li>`)}</ul></li>`)}
      </ul>
    </div>`;
  }

  private rules(article: ArticleDetail) {
    const rows: [string, string][] = [
      ['For', article.audience.join(' and ')],
      ['Products', article.products.join(', ')],
      ['Language', article.language],
      ['Valid from', article.valid_from ? dayText(article.valid_from) : ''],
      ['Holds until', article.valid_until ? dayText(article.valid_until) : ''],
      ['Review by', article.review_by ? dayText(article.review_by) : ''],
      ['Source', article.source ?? ''],
      ['Address', article.id],
    ];
    return html`<h3 class="label">About it</h3>
      <dl>${rows.filter(([, value]) => value !== '').map(([name, value]) => html`<dt class="quiet">${name}</dt><dd>${value}</dd>`)}</dl>`;
  }

  private history(lines: RevisionLine[]) {
    if (lines.length === 0) return '';
    return html`<details>
      <summary class="label">History: ${lines.length} ${lines.length === 1 ? 'revision' : 'revisions'}</summary>
      <ol class="history">
        ${[...lines].reverse().map(
          (line) => html`<li>
            <span class="numbers">${line.revision} · ${line.action} by ${line.by}, ${agoText(line.at, this.now)}</span>
            ${line.comment ? html`<span class="quiet">${maskedText(line.comment)}</span>` : ''}
          </li>`,
        )}
      </ol>
    </details>`;
  }

  private readonly toConflicts = (): void => {
    this.renderRoot.querySelector('bc-evidence')?.scrollIntoView({ block: 'start' });
  };

  private fire(name: string, detail: string): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}
