import { LitElement, css, html } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { Conflict, SentenceOrigin } from '../../api/knowledge-types.ts';
import { type Block, type Span, parse, plain } from '../../state/knowledge/markdown.ts';
import { type Stretch, numbers, says, stretches } from '../../state/knowledge/marks.ts';
import { warnIcon } from '../icons.ts';
import { shared } from '../shared-styles.ts';
import { prose, spansOf } from './prose.ts';
import { proseStyles } from './prose-styles.ts';

/**
 * An article's text. In a draft each sentence that rests on turns bears a number, which leads to them; words without a
 * source, and sentences that contradict what is published, are marked. Fires `origin-select` with places in `origins`.
 */
@customElement('bc-marked-text')
export class MarkedText extends LitElement {
  @property() body = '';
  /** Stands above the text already: a first heading that says the same is left out. */
  @property() name = '';
  @property({ attribute: false }) origins: SentenceOrigin[] = [];
  @property({ attribute: false }) conflicts: Conflict[] = [];
  /** Words to point at, such as a search's. */
  @property({ attribute: false }) found: string[] = [];
  /** The number that is open beside the text; 0 when none is. */
  @property({ type: Number }) chosen = 0;

  static override styles = [
    shared,
    proseStyles,
    css`
      .prose {
        line-height: 1.6;
      }
      .number {
        display: inline-block;
        min-width: 24px;
        min-height: 24px;
        padding-inline: 2px;
        border-radius: var(--radius-s);
        color: var(--accent);
        font-size: var(--text-xs);
        font-weight: var(--weight-bold);
        /* Tall enough to hit, without moving the lines apart. */
        line-height: 24px;
        margin-block: -6px;
        text-align: center;
        vertical-align: 3px;
      }
      .number:hover {
        background: var(--hover);
      }
      .glued {
        white-space: nowrap;
      }
      .chosen {
        background: var(--accent-soft);
        border-radius: var(--s1);
        box-decoration-break: clone;
        -webkit-box-decoration-break: clone;
      }
      .unsourced {
        text-decoration: underline dotted var(--line-strong);
        text-underline-offset: 4px;
      }
      mark {
        background: var(--mark);
        color: var(--mark-ink);
        border-radius: 2px;
        box-decoration-break: clone;
        -webkit-box-decoration-break: clone;
      }
      .warn {
        display: inline-block;
        margin-inline-start: var(--s1);
        vertical-align: -2px;
      }
      .legend {
        margin-top: var(--s4);
      }
    `,
  ];

  override render() {
    const sourced = this.origins.length > 0;
    const drawn = prose(withoutName(parse(this.body), this.name), (spans) => this.words(spans));
    return sourced
      ? html`${drawn}<p class="legend quiet">A number leads to what was said. <span class="unsourced">Underlined</span> words have no source.</p>`
      : drawn;
  }

  /** The focus goes to the next number; from none, to the first. */
  step(): boolean {
    const all = [...this.renderRoot.querySelectorAll<HTMLElement>('.number')];
    const at = all.indexOf(this.shadowRoot?.activeElement as HTMLElement);
    const next = all[(at + 1) % all.length];
    next?.focus();
    next?.click();
    return next !== undefined;
  }

  private words(spans: Span[]): unknown {
    // First what contradicts, then what was looked for: both point at words, and a sentence is marked once.
    const marked = [...this.conflicts.map((one) => one.sentence), ...this.found];
    const number = numbers(this.origins);
    return stretches(spans, this.origins).map((stretch) => {
      const inner = this.pointed(stretch, marked);
      const [first] = stretch.origins;
      if (first === undefined) return this.origins.length > 0 && says(stretch) ? html`<span class="unsourced" title="No source">${inner}</span>` : inner;
      const n = number[first] ?? 0;
      return html`<span class=${n === this.chosen ? 'chosen' : ''}>${inner}</span><span class="glued"><button
        type="button" class="number numbers" aria-label="Source ${n}: show what was said" aria-pressed=${n === this.chosen} data-number=${n}
        @click=${() => this.choose(n)}
      >${n}</button></span>`;
    });
  }

  private pointed(stretch: Stretch, marked: string[]): unknown {
    const pieces = stretches(stretch.spans, marked.map((sentence) => ({ sentence })));
    return pieces.map((piece) => {
      const [first] = piece.origins;
      if (first === undefined) return spansOf(piece.spans);
      const conflict = this.conflicts[first];
      if (!conflict) return html`<mark>${spansOf(piece.spans)}</mark>`;
      return html`<mark title="Contradicts “${conflict.article_title ?? conflict.article_id}”">${spansOf(piece.spans)}</mark
        ><span class="warn">${warnIcon}<span class="visually-hidden">Contradicts what is published.</span></span>`;
    });
  }

  private choose(n: number): void {
    this.dispatchEvent(new CustomEvent('origin-select', { detail: n, bubbles: true, composed: true }));
  }
}

function withoutName(blocks: Block[], name: string): Block[] {
  const [first, ...rest] = blocks;
  return first?.kind === 'heading' && plain(first.spans).trim() === name.trim() ? rest : blocks;
}
