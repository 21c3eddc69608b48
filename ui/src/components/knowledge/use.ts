import { LitElement, css, html, svg } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { ArticleUse } from '../../api/knowledge-types.ts';
import { type Week, heights, sums, weeksOf } from '../../state/knowledge/use.ts';
import { dayText } from '../../state/knowledge/review.ts';
import { shared } from '../shared-styles.ts';

const WIDTH = 240;
const HEIGHT = 56;
const GAP = 4;

/** How often an article's cards were offered, used and dismissed, by week. The same stands there in words. */
@customElement('bc-use')
export class Use extends LitElement {
  @property({ attribute: false }) use: ArticleUse | undefined;
  /** `2026-11-28`, UTC: the last week is this day's. */
  @property() today = '';

  static override styles = [
    shared,
    css`
      svg {
        width: 100%;
        max-width: 320px;
        height: auto;
        margin: var(--s2) 0 var(--s1);
      }
      .offered {
        fill: var(--surface-sunk);
        stroke: var(--line-strong);
        stroke-width: 1;
      }
      .used {
        fill: var(--accent);
      }
      .dismissed {
        fill: var(--line-strong);
      }
      .base {
        stroke: var(--line-strong);
        stroke-width: 1;
      }
      .key {
        display: flex;
        flex-wrap: wrap;
        gap: var(--s1) var(--s4);
      }
      .key span::before {
        content: '';
        display: inline-block;
        width: 9px;
        height: 9px;
        margin-inline-end: var(--s1);
        border-radius: 2px;
        border: 1px solid var(--line-strong);
        background: var(--of);
      }
      .ends {
        display: flex;
        justify-content: space-between;
        max-width: 320px;
      }
    `,
  ];

  override render() {
    if (!this.use) return '';
    const weeks = weeksOf(this.use, this.today);
    const all = sums(weeks);
    if (all.offered + all.used + all.dismissed === 0) {
      return html`<h3 class="label">Use</h3><p class="quiet">No card has quoted it in twelve weeks.</p>`;
    }
    const words = `${all.offered} cards, ${all.used} used, ${all.dismissed} dismissed in twelve weeks`;
    return html`<h3 class="label">Use</h3>
      <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label=${words}>${this.bars(weeks)}</svg>
      <p class="ends quiet numbers"><span>${dayText(weeks[0]?.from ?? '')}</span><span>this week</span></p>
      <p class="key quiet numbers">
        <span style="--of: var(--surface-sunk)">${all.offered} offered</span><span style="--of: var(--accent)">${all.used} used</span
        ><span style="--of: var(--line-strong)">${all.dismissed} dismissed</span>
      </p>`;
  }

  private bars(weeks: Week[]) {
    const room = HEIGHT - 1;
    const slot = WIDTH / weeks.length;
    const [offered, used, dismissed] = [heights(weeks, 'offered'), heights(weeks, 'used'), heights(weeks, 'dismissed')];
    const bar = (look: string, x: number, from: number, height: number) =>
      svg`<rect class=${look} x=${x + GAP / 2} y=${room - (from + height) * room} width=${slot - GAP} height=${height * room} />`;
    return svg`${weeks.map((_, at) => {
      const x = at * slot;
      const u = used[at] ?? 0;
      return svg`${bar('offered', x, 0, offered[at] ?? 0)}${bar('used', x, 0, u)}${bar('dismissed', x, u, dismissed[at] ?? 0)}`;
    })}<line class="base" x1="0" x2=${WIDTH} y1=${HEIGHT - 0.5} y2=${HEIGHT - 0.5} />`;
  }
}
