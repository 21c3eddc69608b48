import { LitElement, css, html } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { Diff, DiffLine, SentenceOrigin } from '../../api/knowledge-types.ts';
import { changedLines, lineText, sideBySide } from '../../state/knowledge/diff.ts';
import { numbers, originsIn } from '../../state/knowledge/marks.ts';
import { shared } from '../shared-styles.ts';

const fieldNames: Record<string, string> = {
  title: 'Title', audience: 'For', products: 'Products', language: 'Language', valid_from: 'Valid from', valid_until: 'Valid until',
  review_by: 'Review by', source: 'Source', verbatim: 'Word for word', asked_as: 'Asked as',
};

/**
 * Two revisions side by side, below each other where it is narrow. What differs is told by words, weight and strikes,
 * never by colour alone. Lines of a draft with a source bear its number. Fires `origin-select`.
 */
@customElement('bc-diff')
export class DiffView extends LitElement {
  @property({ attribute: false }) diff: Diff | undefined;
  @property({ attribute: false }) origins: SentenceOrigin[] = [];
  @property({ type: Number }) chosen = 0;
  /** Places of folds that were opened. */
  @state() private unfolded = new Set<number>();

  static override styles = [
    shared,
    css`
      .facts {
        margin-bottom: var(--s3);
      }
      table {
        width: 100%;
        table-layout: fixed;
        border-collapse: collapse;
        border: 1px solid var(--line);
        border-radius: var(--radius);
      }
      th {
        padding: var(--s2) var(--s3);
        font-size: var(--text-s);
        font-weight: var(--weight-bold);
        color: var(--ink-2);
        text-align: start;
        border-bottom: 1px solid var(--line);
      }
      td {
        padding: 2px var(--s3);
        vertical-align: top;
        overflow-wrap: anywhere;
        white-space: pre-wrap;
        color: var(--ink-2);
      }
      td:first-child,
      th:first-child {
        border-inline-end: 1px solid var(--line);
      }
      .removed {
        background: var(--surface-sunk);
        color: var(--ink-2);
      }
      .removed b {
        font-weight: inherit;
        text-decoration: line-through;
        text-decoration-thickness: 1.5px;
      }
      .added {
        background: var(--accent-soft);
        color: var(--ink);
      }
      .added b {
        font-weight: var(--weight-bold);
        text-decoration: underline;
        text-decoration-color: var(--accent);
        text-underline-offset: 3px;
      }
      .number {
        min-width: 24px;
        min-height: 24px;
        padding-inline: var(--s1);
        border-radius: var(--radius-s);
        color: var(--accent);
        font-size: var(--text-xs);
        font-weight: var(--weight-bold);
        text-align: center;
      }
      .number[aria-pressed='true'],
      .number:hover {
        background: var(--hover);
      }
      .fold td {
        padding: 0;
        border: 0;
        white-space: normal;
      }
      .fold button {
        width: 100%;
        min-height: var(--target);
        padding: 0 var(--s3);
        background: var(--surface-sunk);
        color: var(--ink-2);
        font-size: var(--text-s);
      }
      .fold button:focus-visible {
        outline-offset: -2px;
      }
      .fields {
        margin-bottom: var(--s3);
        display: grid;
        grid-template-columns: auto minmax(0, 1fr);
        gap: var(--s1) var(--s4);
      }
      .fields s {
        color: var(--ink-2);
      }
      @media (max-width: 599px) {
        thead {
          display: none;
        }
        tr,
        td {
          display: block;
        }
        td:first-child {
          border-inline-end: 0;
        }
        /* The same line twice below each other tells nothing. */
        td.twin,
        td.none {
          display: none;
        }
      }
    `,
  ];

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has('diff')) this.unfolded = new Set();
  }

  override render() {
    const { diff } = this;
    if (!diff) return '';
    const { added, removed } = changedLines(diff);
    const lines = added + removed === 0 ? 'The text is the same' : `${added} lines added, ${removed} removed`;
    return html`<p class="facts quiet numbers">${lines}</p>
      ${diff.fields.length > 0
        ? html`<dl class="fields">
            ${diff.fields.map((one) => html`<dt class="label">${fieldNames[one.field] ?? one.field}</dt><dd><s>${valueText(one.from)}</s> → ${valueText(one.to)}</dd>`)}
          </dl>`
        : ''}
      ${added + removed === 0 ? '' : this.table(diff)}`;
  }

  private table(diff: Diff) {
    return html`<table>
      <thead><tr><th scope="col">Published, revision ${diff.from}</th><th scope="col">Proposed, revision ${diff.to}</th></tr></thead>
      <tbody>
        ${sideBySide(diff.body).map((row, at) => {
          if (row.kind === 'lines') return this.pair(row.left, row.right);
          if (this.unfolded.has(at)) return row.lines.map((line) => this.pair(line, line));
          return html`<tr class="fold"><td colspan="2">
            <button type="button" class="numbers" @click=${() => this.unfold(at)}>Show ${row.lines.length} lines without a change</button>
          </td></tr>`;
        })}
      </tbody>
    </table>`;
  }

  private pair(left: DiffLine | null, right: DiffLine | null) {
    return html`<tr>${this.cell(left, '')}${this.cell(right, left === right ? 'twin' : '')}</tr>`;
  }

  private cell(line: DiffLine | null, twin: string) {
    if (!line) return html`<td class="none"></td>`;
    const said = { same: '', removed: 'Removed: ', added: 'Added: ' }[line.change];
    const text = line.parts.map((part, at) => {
      const words = at === line.parts.length - 1 ? part.text.replace(/\r?\n$/, '') : part.text;
      return part.changed ? html`<b>${words}</b>` : words;
    });
    return html`<td class="${line.change} ${twin}">${said === '' ? '' : html`<span class="visually-hidden">${said}</span>`}${text}${line.change === 'added' ? this.marks(line) : ''}</td>`;
  }

  private marks(line: DiffLine) {
    const number = numbers(this.origins);
    const found = new Set(originsIn(lineText(line), this.origins).map((at) => number[at] ?? 0));
    return [...found].map(
      (n) => html` <button
        type="button" class="number numbers" aria-label="Source ${n}: show what was said" aria-pressed=${n === this.chosen}
        @click=${() => this.dispatchEvent(new CustomEvent('origin-select', { detail: n, bubbles: true, composed: true }))}
      >${n}</button>`,
    );
  }

  private unfold(at: number): void {
    this.unfolded = new Set([...this.unfolded, at]);
  }
}

function valueText(value: unknown): string {
  if (value === null || value === undefined || value === '') return 'none';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return Array.isArray(value) ? value.join(', ') : typeof value === 'object' ? JSON.stringify(value) : String(value);
}
