import { LitElement, css, html } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { RouteRecommended } from '../../api/routing-types.ts';
import { scored, type ScoredCell, type ScoredRow } from '../../state/routing/decisions.ts';
import { figure, isLessBetter, termName, termText, termWhy } from '../../state/routing/words.ts';
import { shared } from '../shared-styles.ts';
import { tableStyles } from './table-styles.ts';

/** Everybody who was weighed, with every term as a bar against the best of them. */
@customElement('bc-scored')
export class ScoredTable extends LitElement {
  @property({ attribute: false }) decision: RouteRecommended | undefined;

  static override styles = [
    shared,
    tableStyles,
    css`
      @media (min-width: 760px) {
        tbody th,
        td {
          padding-block: var(--s2);
        }
      }
      th .quiet {
        font-weight: 400;
      }
      .chosen th {
        font-weight: var(--weight-bold);
      }
      .bar {
        height: 4px;
        margin-top: 2px;
        border-radius: 2px;
        background: var(--surface-sunk);
        overflow: hidden;
      }
      .bar i {
        display: block;
        height: 100%;
        background: var(--ink-3);
      }
      .chosen .bar i {
        background: var(--accent);
      }
      td {
        min-width: 6rem;
      }
      .total {
        font-weight: var(--weight-medium);
      }
      .same {
        margin-top: var(--s3);
        font-size: var(--text-s);
        color: var(--ink-2);
        max-width: var(--measure);
      }
      .why {
        margin-top: var(--s2);
        max-width: var(--measure);
      }
    `,
  ];

  override render() {
    const { decision } = this;
    if (!decision) return '';
    const { rows, terms, same } = scored(decision);
    if (rows.length === 0) return '';
    // A score that is its only term would be told twice.
    const total = decision.policy === 'context' || terms.length !== 1;
    // What is said of everybody in the same words stands below once.
    const whys = terms.map((name) => ({ name, all: new Set(rows.map((row) => row.cells.get(name)?.why ?? '')) }))
      .flatMap(({ name, all }) => (all.size === 1 && !all.has('') ? [{ name, why: termWhy(name, [...all][0]!) }] : []));
    const own = new Set(terms.filter((name) => !whys.some((one) => one.name === name)));
    return html`<table role="table" aria-label="Who could take it">
        <thead role="rowgroup"><tr role="row">
          <th role="columnheader" scope="col">Agent</th>
          ${terms.map((name) => html`<th role="columnheader" scope="col">${termName(name)}</th>`)}
          ${total ? html`<th role="columnheader" scope="col">Score</th>` : ''}
        </tr></thead>
        <tbody role="rowgroup">${rows.map((row, at) => this.row(row, terms, own, at, total))}</tbody>
      </table>
      ${whys.length > 0
        ? html`<p class="why quiet">${whys.map(({ name, why }, at) => html`${at > 0 ? '; ' : ''}${termName(name)}: ${why}${isLessBetter(name) ? ' (less is better)' : ''}`)}.</p>`
        : ''}
      ${same.length > 0 ? html`<p class="same">The same for all, so it decided nothing: ${same.map((cell, at) => html`${at > 0 ? '; ' : ''}${this.said(cell)}`)}.</p>` : ''}`;
  }

  private row(row: ScoredRow, terms: string[], own: Set<string>, at: number, total: boolean) {
    return html`<tr role="row" class=${at === 0 ? 'chosen' : ''}>
      <th role="rowheader" scope="row">${row.agent}${at === 0 ? html` <span class="quiet">chosen</span>` : at === 1 ? html` <span class="quiet">runner-up</span>` : ''}</th>
      ${terms.map((name) => html`<td role="cell" data-label=${termName(name)}>${this.cell(row.cells.get(name), own.has(name))}</td>`)}
      ${total ? html`<td role="cell" data-label="Score" class="total">${figure(row.score)}${row.share === null ? '' : bar(row.share)}</td>` : ''}
    </tr>`;
  }

  private cell(cell: ScoredCell | undefined, withWhy: boolean) {
    if (!cell) return '–';
    return html`${termText(cell.name, cell.value)}${bar(cell.share)}${withWhy && cell.why ? html`<span class="quiet">${cell.why}</span>` : ''}`;
  }

  private said({ name, value, why }: ScoredCell) {
    return html`${termName(name).toLowerCase()} ${termText(name, value)}${why ? html` <span class="quiet">(${termWhy(name, why)})</span>` : ''}`;
  }
}

function bar(share: number) {
  return html`<div class="bar"><i style="width:${(100 * share).toFixed(1)}%"></i></div>`;
}
