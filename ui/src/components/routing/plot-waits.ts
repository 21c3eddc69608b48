import { css, html, svg } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { type AtLoad, claimedOf, FEW, loadName, policyName, waitText } from '../../state/routing/comparison.ts';
import { scaleOf } from '../../state/routing/plot.ts';
import { shared } from '../shared-styles.ts';
import { mark, plotStyles } from './plot-styles.ts';
import { Sized } from './sized.ts';

const ROW = 26;
const [TOP, BOTTOM] = [8, 44];

/** How long each kind of contact and customer waits: under the policy to beat, and under the one that is claimed. */
@customElement('bc-plot-waits')
export class PlotWaits extends Sized {
  @property({ attribute: false }) at: AtLoad | undefined;

  static override styles = [
    shared,
    plotStyles,
    css`
      .between {
        stroke: var(--line-strong);
        stroke-width: 2;
      }
      .part {
        fill: var(--ink);
      }
      .few {
        fill: var(--ink-3);
      }
    `,
  ];

  override render() {
    const { at } = this;
    const claimed = at ? claimedOf(at) : undefined;
    const baseline = at?.outcomes.find((one) => one.policy === at.baseline);
    if (!at || !claimed || !baseline || claimed === baseline || baseline.classes.length === 0) return '';
    const pairs = [...baseline.classes.map((part, index) => ({ part, ours: claimed.classes[index] })), ...baseline.tiers.map((part, index) => ({ part, ours: claimed.tiers[index] }))]
      .flatMap(({ part, ours }) => (ours ? [{ name: part.name, theirs: part.meanWaitS, ours: ours.meanWaitS, isFew: part.offered < FEW }] : []));
    const isFew = pairs.some((pair) => pair.isFew);
    return html`<h2>Mean wait by kind of contact and customer, ${loadName(at.load).toLowerCase()}</h2>
      ${this.width === 0 ? '' : this.plot(pairs, baseline.classes.length, at.baseline, claimed.policy)}
      <ul class="legend" aria-hidden="true">
        <li><svg width="12" height="12"><g class="series baseline">${mark(at.baseline, 6, 6)}</g></svg>${policyName(at.baseline)}</li>
        <li><svg width="12" height="12"><g class="series claimed">${mark(claimed.policy, 6, 6)}</g></svg>${policyName(claimed.policy)}</li>
        ${isFew ? html`<li>Grey: fewer than ${FEW} calls, which is chance</li>` : ''}
      </ul>`;
  }

  private plot(pairs: { name: string; theirs: number; ours: number; isFew: boolean }[], classes: number, baseline: string, claimed: string) {
    const { width } = this;
    const left = Math.min(160, Math.max(96, width * 0.3));
    const right = width - 16;
    const height = TOP + BOTTOM + ROW * pairs.length + (pairs.length > classes ? 8 : 0);
    const scale = scaleOf([0, ...pairs.flatMap((pair) => [pair.theirs, pair.ours])], width < 480 ? 3 : 6, 0);
    const across = (seconds: number) => left + (right - left) * scale.at(seconds);
    const down = (index: number) => TOP + ROW * (index + 0.5) + (index >= classes ? 8 : 0);
    const words = pairs.map((pair) => `${pair.name}: ${waitText(pair.theirs)}, then ${waitText(pair.ours)}`).join('; ');
    const most = Math.floor((left - 12) / 6.6);
    return html`<svg width=${width} height=${height} role="img" aria-label="Mean wait, ${policyName(baseline)} and ${policyName(claimed)}. ${words}">
      ${scale.ticks.map((tick) => svg`<line class="grid" x1=${across(tick)} x2=${across(tick)} y1=${TOP} y2=${height - BOTTOM} /><text x=${across(tick)} y=${height - BOTTOM + 20} text-anchor="middle">${tick}</text>`)}
      <text x=${(left + right) / 2} y=${height - 6} text-anchor="middle">Seconds</text>
      ${pairs.map(({ name, theirs, ours, isFew }, index) => svg`
        <text class=${isFew ? 'few' : 'part'} x=${left - 12} y=${down(index) + 4} text-anchor="end">${name.length > most ? `${name.slice(0, most - 1)}…` : name}</text>
        <line class="between" x1=${across(theirs)} x2=${across(ours)} y1=${down(index)} y2=${down(index)} />
        <g class="series baseline">${mark(baseline, across(theirs), down(index))}</g>
        <g class="series claimed">${mark(claimed, across(ours), down(index))}</g>`)}
    </svg>`;
  }
}
