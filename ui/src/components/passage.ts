import { LitElement, css, html, nothing } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { type Client, client } from '../api/client.ts';
import { Problem, sentenceFor } from '../api/problem.ts';
import type { Article, Citation } from '../api/types.ts';
import { type Block, blocks, citedPassage, findQuote } from '../state/passage.ts';
import { monthText } from '../state/text.ts';
import { closeIcon } from './icons.ts';
import { shared } from './shared-styles.ts';

// Shorter waits pass without a sign; a flash of grey would only distract.
const SKELETON_AFTER_MS = 300;

/** The proof: the article beside the card, the supporting words marked. Opens over the transcript, never as a modal. */
@customElement('bc-passage')
export class PassageDrawer extends LitElement {
  /** What to show; an article alone (a near miss) has no quote. */
  @property({ attribute: false }) citation: Pick<Citation, 'article_id'> & Partial<Citation> = { article_id: '' };
  /** Another page's way to the service. */
  @property({ attribute: false }) door: Client = client;
  @state() private article: Article | undefined;
  @state() private problem = '';
  @state() private slow = false;
  @query('h2') private heading!: HTMLElement | null;

  static override styles = [
    shared,
    css`
      :host {
        overflow-y: auto;
        overscroll-behavior: contain;
        background: var(--surface);
        padding: var(--s4) var(--s5) var(--s8);
      }
      .top {
        display: flex;
        align-items: start;
        gap: var(--s2);
      }
      h2 {
        flex: 1;
        font-size: var(--text-l);
        line-height: var(--leading-tight);
        font-weight: var(--weight-bold);
      }
      .facts {
        margin: var(--s1) 0 var(--s4);
      }
      section {
        padding: var(--s3) 0;
        max-width: var(--measure);
        color: var(--ink-2);
      }
      section.cited {
        color: var(--ink);
      }
      h3 {
        font-size: var(--text-m);
        font-weight: var(--weight-bold);
        margin-bottom: var(--s1);
      }
      section p + p {
        margin-top: var(--s2);
      }
      .item {
        padding-inline-start: var(--s4);
        position: relative;
      }
      .item::before {
        content: '–';
        position: absolute;
        inset-inline-start: 0;
        color: var(--ink-3);
      }
      mark {
        background: var(--mark);
        color: var(--mark-ink);
        border-radius: 2px;
        padding: 1px 0;
        box-decoration-break: clone;
        -webkit-box-decoration-break: clone;
      }
      .note {
        padding: var(--s2) var(--s3);
        border-radius: var(--radius-s);
        background: var(--surface-sunk);
        font-size: var(--text-s);
      }
      .bone {
        height: var(--s4);
        margin-bottom: var(--s2);
        border-radius: var(--radius-s);
        background: var(--surface-sunk);
      }
    `,
  ];

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has('citation')) void this.load(this.citation);
  }

  override render() {
    const article = this.article;
    return html`<div class="top">
        <h2 tabindex="-1">${article?.title ?? (this.problem ? 'The passage can’t be shown' : 'Passage')}</h2>
        <button type="button" class="icon-button" aria-label="Close the passage" title="Close (Esc)" @click=${this.close}>${closeIcon}</button>
      </div>
      ${this.problem ? html`<p class="note">${this.problem}</p>` : ''}
      ${!article && !this.problem && this.slow ? html`${[90, 100, 70].map((w) => html`<div class="bone" style="width:${w}%"></div>`)}` : ''}
      ${article ? this.body(article) : ''}`;
  }

  private body(article: Article) {
    const citation = this.citation;
    const quote = citation.quote ?? '';
    const cited = citation.passage_id === undefined ? undefined : citedPassage(article.passages, { passage_id: citation.passage_id, quote });
    const range = cited ? findQuote(cited.text, { start: citation.start ?? 0, end: citation.end ?? 0, quote }) : null;
    const changed = citation.passage_id !== undefined && range === null;
    const facts = [
      article.valid_from ? `valid from ${monthText(article.valid_from)}` : '',
      `revision ${article.revision}`,
      article.state === 'published' ? '' : article.state.replaceAll('_', ' '),
    ].filter(Boolean);
    return html`<p class="facts quiet numbers">${facts.join(' · ')}</p>
      ${changed ? html`<p class="note">The article has changed since this card and no longer has these words: “${quote}”</p>` : ''}
      ${article.passages.map(
        (passage) => html`<section class=${passage === cited ? 'cited' : ''}>
          ${passage.heading && passage.heading !== article.title ? html`<h3>${passage.heading}</h3>` : nothing}
          ${blocks(passage.text, passage === cited ? range : null)
            .filter((block, i) => !(i === 0 && block.kind === 'heading'))
            .map((block) => this.block(block))}
        </section>`,
      )}`;
  }

  private block(block: Block) {
    const runs = block.runs.map((run) => {
      const text = run.bold ? html`<strong>${run.text}</strong>` : run.text;
      return run.marked ? html`<mark>${text}</mark>` : text;
    });
    if (block.kind === 'heading') return html`<p><strong>${runs}</strong></p>`;
    return html`<p class=${block.kind}>${runs}</p>`;
  }

  private async load(citation: PassageDrawer['citation']): Promise<void> {
    if (this.article?.id !== citation.article_id) this.article = undefined;
    this.problem = '';
    this.slow = false;
    const timer = setTimeout(() => (this.slow = true), SKELETON_AFTER_MS);
    try {
      const article = await this.door.article(citation.article_id);
      if (citation === this.citation) this.article = article;
    } catch (error) {
      const gone = error instanceof Problem && error.status === 404;
      // A token for one conversation may not read the whole article; the words that count came with the card.
      const closed = error instanceof Problem && (error.status === 401 || error.status === 403) && this.door.foreign !== undefined;
      const words = closed && citation.quote ? `These words bear it out: “${citation.quote}”` : sentenceFor(error);
      if (citation === this.citation) this.problem = gone ? 'This article has been withdrawn.' : words;
    } finally {
      clearTimeout(timer);
    }
    await this.updateComplete;
    this.heading?.focus({ preventScroll: true });
    (this.renderRoot.querySelector('mark') ?? this.renderRoot.querySelector('.cited'))?.scrollIntoView({ block: 'center' });
  }

  private close(): void {
    this.dispatchEvent(new CustomEvent('close-passage', { bubbles: true, composed: true }));
  }
}
