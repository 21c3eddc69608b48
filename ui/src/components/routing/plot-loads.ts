import { css, html, svg } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { type AtLoad, claimedOf, percentText, policyName, shareText } from '../../state/routing/comparison.ts';
import { endsOf, scaleOf, type Series, seriesOf, spread } from '../../state/routing/plot.ts';
import { shared } from '../shared-styles.ts';
import { dashOf, mark, plotStyles } from './plot-styles.ts';
import { Sized } from './sized.ts';

const HEIGHT = 300;
const [TOP, BOTTOM, LEFT] = [14, 44, 46];
// From here on names stand beside their lines.
const ROOMY = 560;
const NAMES = 168;

/** The share that is answered in time over load, by policy, with 95 % intervals. */
@customElement('bc-plot-loads')
export class PlotLoads extends Sized {
  @property({ attribute: false }) loads: AtLoad[] = [];

  static override styles = [
    shared,
    plotStyles,
    css`
      .whisker {
        stroke-dasharray: none;
      }
    `,
  ];

  override render() {
    const series = seriesOf(this.loads, 'service_level');
    const [first] = this.loads;
    if (!first || series.length === 0) return '';
    const { baseline } = first;
    const claimed = claimedOf(first)?.policy ?? '';
    const kind = (policy: string) => (policy === claimed ? 'claimed' : policy === baseline ? 'baseline' : '');
    return html`<h2>Answered in time, by load</h2>
      ${this.width === 0 ? '' : this.plot(series, kind)}
      ${this.width >= ROOMY
        ? ''
        : html`<ul class="legend" aria-hidden="true">${series.map(({ policy }) => html`<li><svg width="32" height="12"><g class="series ${kind(policy)}">
            <line x1="0" x2="32" y1="6" y2="6" stroke-dasharray=${dashOf(policy)} />${mark(policy, 16, 6)}</g></svg>${policyName(policy)}</li>`)}</ul>`}`;
  }

  private plot(series: Series[], kind: (policy: string) => string) {
    const { width } = this;
    const isRoomy = width >= ROOMY;
    const right = isRoomy ? width - NAMES : width - 12;
    const ups = scaleOf(series.flatMap((one) => one.points.flatMap(({ value }) => endsOf(value))), 5, 0, 1);
    const loads = [...new Set(series.flatMap((one) => one.points.map((point) => point.load)))].sort((a, b) => a - b);
    const [least, most] = [loads[0]!, loads.at(-1)!];
    const up = (share: number) => HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * ups.at(share);
    // Whiskers at the same load stand side by side.
    const across = (load: number, at: number) => LEFT + (right - LEFT) * (0.08 + 0.84 * (most === least ? 0.5 : (load - least) / (most - least))) + (at - (series.length - 1) / 2) * 7;
    const ends = series.map((one) => (one.points.length > 0 ? up(one.points.at(-1)!.value.mean) : HEIGHT - BOTTOM));
    const names = spread(ends, 17, TOP, HEIGHT - BOTTOM);
    // What is claimed is drawn last, over the others.
    const order = series.map((_, at) => at).sort((a, b) => weight(kind(series[a]!.policy)) - weight(kind(series[b]!.policy)));
    const words = series.map((one) => `${policyName(one.policy)}: ${one.points.map(({ load, value }) => `${shareText(value)} at load ${load.toFixed(2)}`).join(', ')}`).join('; ');
    return html`<svg width=${width} height=${HEIGHT} role="img" aria-label="Answered in time by load. ${words}">
      ${ups.ticks.map((tick) => svg`<line class="grid" x1=${LEFT} x2=${right} y1=${up(tick)} y2=${up(tick)} /><text x=${LEFT - 8} y=${up(tick) + 4} text-anchor="end">${percentText(tick).replace('.0', '')}</text>`)}
      ${loads.map((load) => svg`<text x=${across(load, (series.length - 1) / 2)} y=${HEIGHT - BOTTOM + 20} text-anchor="middle">${load.toFixed(2)}</text>`)}
      <text x=${(LEFT + right) / 2} y=${HEIGHT - 6} text-anchor="middle">Load: work by agents’ time. Whiskers: 95 % interval</text>
      ${order.map((at) => {
        const { policy, points } = series[at]!;
        const line = points.map(({ load, value }) => `${across(load, at).toFixed(1)},${up(value.mean).toFixed(1)}`).join(' ');
        return svg`<g class="series ${kind(policy)}"><polyline points=${line} stroke-dasharray=${dashOf(policy)} />
          ${points.map(({ load, value }) => {
            const [low, high] = endsOf(value);
            const x = across(load, at).toFixed(1);
            return svg`<line class="whisker" x1=${x} x2=${x} y1=${up(low).toFixed(1)} y2=${up(high).toFixed(1)} />${mark(policy, across(load, at), up(value.mean))}`;
          })}</g>
          ${isRoomy
            ? svg`<line class="grid" x1=${across(most, series.length)} x2=${right + 6} y1=${ends[at]!} y2=${names[at]!} /><text class="name ${kind(policy)}" x=${right + 10} y=${names[at]! + 4}>${policyName(policy)}</text>`
            : ''}`;
      })}
    </svg>`;
  }
}

const weight = (kind: string): number => (kind === 'claimed' ? 2 : kind === 'baseline' ? 1 : 0);
