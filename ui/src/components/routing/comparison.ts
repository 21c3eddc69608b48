import { LitElement, css, html, svg } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import {
  type AtLoad, claimedOf, type Comparison, findingOf, findingText, type Interval, loadName, type Outcome, percentText, pointsText, policyName, shareText, waitText, worstText,
} from '../../state/routing/comparison.ts';
import { endsOf } from '../../state/routing/plot.ts';
import { shared } from '../shared-styles.ts';
import { tableStyles } from './table-styles.ts';
import './plot-loads.ts';
import './plot-waits.ts';

/** What policies are worth, side by side on the same calls. Fires `comparison-file` with a file, `load-select` with a number. */
@customElement('bc-comparison')
export class ComparisonView extends LitElement {
  @property({ attribute: false }) comparison: Comparison | undefined;
  @property({ type: Number }) at = 0;
  @property() mistake = '';
  @query('input[type=file]') private input!: HTMLInputElement;

  static override styles = [
    shared,
    tableStyles,
    css`
      .empty {
        max-width: 56ch;
      }
      h2 {
        font-size: var(--text-l);
        font-weight: var(--weight-bold);
      }
      code {
        display: block;
        margin: var(--s3) 0;
        padding: var(--s3);
        border-radius: var(--radius-s);
        background: var(--surface-sunk);
        font-family: var(--font-mono);
        font-size: var(--text-s);
        overflow-wrap: anywhere;
      }
      .mistake {
        margin-top: var(--s3);
        font-weight: var(--weight-medium);
      }
      .top {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        justify-content: space-between;
        gap: var(--s2) var(--s4);
      }
      .finding {
        margin-top: var(--s4);
        padding-inline-start: var(--s4);
        border-inline-start: var(--bar) solid var(--line-strong);
        max-width: 96ch;
      }
      .finding.better {
        border-color: var(--accent);
      }
      .finding h2 {
        line-height: var(--leading-tight);
      }
      .loads {
        display: flex;
        flex-wrap: wrap;
        gap: var(--s2);
        margin: var(--s5) 0 var(--s2);
      }
      .loads .button[aria-pressed='true'] {
        border-color: var(--accent);
        color: var(--accent);
        font-weight: var(--weight-bold);
      }
      .figures {
        margin-top: var(--s6);
      }
      .claimed th strong {
        color: var(--accent);
      }
      .gain {
        min-width: 11rem;
      }
      .drawn {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        justify-content: space-between;
        gap: 0 var(--s4);
        max-width: 17rem;
      }
      .gain .zero {
        stroke: var(--line-strong);
      }
      .gain .interval {
        stroke: var(--ink-2);
        stroke-width: 2;
      }
      .gain .mean {
        fill: var(--ink-2);
      }
      .gain .better .interval {
        stroke: var(--accent);
      }
      .gain .better .mean {
        fill: var(--accent);
      }
      .plots {
        display: grid;
        gap: var(--s8);
        margin-top: var(--s8);
      }
      .plots > * {
        min-width: 0;
      }
      .note {
        margin-top: var(--s6);
        max-width: 72ch;
      }
      @media (min-width: 760px) {
        tbody td,
        tbody th {
          padding-block: var(--s2);
        }
      }
      @media (min-width: 1240px) {
        .plots {
          grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
        }
      }
    `,
  ];

  /** Opens the choice of a file. */
  choose(): void {
    this.input.click();
  }

  override render() {
    const { comparison } = this;
    const at = comparison?.loads[this.at] ?? comparison?.loads[0];
    return html`<input type="file" hidden accept=".json,.jsonl,.txt,application/json,text/plain" @change=${this.picked} />
      ${comparison && at ? this.shown(comparison, at) : this.empty()}`;
  }

  private empty() {
    return html`<div class="empty">
      <h2>No comparison is open</h2>
      <p>Before a policy is changed, play it: the simulator lets the same callers meet each policy, and says what each is worth. It can say that there is no gain.</p>
      <code>backchannel route simulate --json &gt; comparison.json</code>
      <button type="button" class="button primary" @click=${this.choose}>Open a comparison…</button>
      <p class="quiet note">The file is read in this page and sent nowhere.</p>
      ${this.mistake ? html`<p class="mistake" role="alert">${this.mistake}</p>` : ''}
    </div>`;
  }

  private shown(comparison: Comparison, at: AtLoad) {
    const { loads } = comparison;
    const claimed = claimedOf(at);
    const gain = claimed?.gains.get('service_level');
    const several = loads.filter((one) => one.load !== null).length > 1;
    return html`<div class="top">
        <p class="quiet numbers">${comparison.dataset} · ${at.runs} ${at.runs === 1 ? 'run' : 'runs'}, ${at.calls.toLocaleString('en-GB')} calls for each policy${comparison.heardRight === null
          ? ''
          : ` · ${percentText(comparison.heardRight)} of intents heard right`} · version ${comparison.version}</p>
        <button type="button" class="button" @click=${this.choose}>Open another…</button>
      </div>
      ${this.mistake ? html`<p class="mistake" role="alert">${this.mistake}</p>` : ''}
      ${loads.length > 1
        ? html`<div class="loads" role="group" aria-label="Load">${loads.map((one, index) => html`<button
            type="button" class="button numbers" aria-pressed=${one === at} @click=${() => this.select(index)}
          >${loadName(one.load)}</button>`)}</div>`
        : ''}
      ${claimed && gain
        ? html`<div class="finding numbers ${findingOf(gain)}"><h2>${findingText(claimed, at.baseline)}</h2><p>${worstText(claimed, at.outcomes.find((one) => one.policy === at.baseline))}</p></div>`
        : html`<p class="finding">${claimed && claimed.policy !== at.baseline ? findingText(claimed, at.baseline) : 'There is only one policy in it, and nothing to compare it with.'}</p>`}
      <div class="figures">${this.table(at, claimed)}</div>
      <div class="plots">
        ${several ? html`<bc-plot-loads .loads=${loads}></bc-plot-loads>` : ''}
        <bc-plot-waits .at=${at}></bc-plot-waits>
      </div>
      <p class="quiet note">Each figure is a mean over runs with its 95 % interval. Every policy met the same callers, so the difference, taken run by run, is surer than the figures themselves.
        Only a difference whose whole interval lies on one side of zero is more than chance. Busy is the mean, below it the least and the most busy agent.</p>`;
  }

  private table(at: AtLoad, claimed: Outcome | undefined) {
    const gains = at.outcomes.map((one) => one.gains.get('service_level')).filter((one): one is Interval => one !== undefined);
    const widest = Math.max(0.001, ...gains.flatMap((gain) => endsOf(gain).map(Math.abs)));
    const against = `Against ${policyName(at.baseline).toLowerCase()}`;
    return html`<table role="table" aria-label="Policies at ${loadName(at.load).toLowerCase()}">
      <thead role="rowgroup"><tr role="row">
        ${['Policy', 'In time', against, 'Gave up', 'Mean wait', 'Settled at once', 'Passed on', 'Busy'].map((name) => html`<th role="columnheader" scope="col">${name}</th>`)}
      </tr></thead>
      <tbody role="rowgroup">${at.outcomes.map((outcome) => this.row(outcome, at, outcome === claimed, widest, against))}</tbody>
    </table>`;
  }

  private row(outcome: Outcome, at: AtLoad, isClaimed: boolean, widest: number, against: string) {
    const metric = (name: string, words: (value: Interval) => string) => {
      const value = outcome.metrics.get(name);
      return value ? words(value) : '–';
    };
    const share = (name: string) => metric(name, ({ mean }) => percentText(mean));
    const gain = outcome.gains.get('service_level');
    return html`<tr role="row" data-row=${outcome.policy} tabindex="-1" class=${isClaimed ? 'claimed' : ''}>
      <th role="rowheader" scope="row"><strong>${policyName(outcome.policy)}</strong></th>
      <td role="cell" data-label="In time">${metric('service_level', shareText)}</td>
      <td role="cell" data-label=${against} class="gain">${gain ? this.gain(gain, widest) : outcome.policy === at.baseline ? html`<span class="quiet">the one to beat</span>` : html`<span class="quiet">too few calls</span>`}</td>
      <td role="cell" data-label="Gave up">${share('abandonment')}</td>
      <td role="cell" data-label="Mean wait">${metric('mean_wait_s', ({ mean }) => waitText(mean))}</td>
      <td role="cell" data-label="Settled at once">${share('first_contact_resolution')}</td>
      <td role="cell" data-label="Passed on">${share('handed_over')}</td>
      <td role="cell" data-label="Busy">${share('occupancy')}${outcome.least === null || outcome.most === null
        ? ''
        : html`<br /><span class="quiet">${Math.round(100 * outcome.least)} to ${Math.round(100 * outcome.most)} %</span>`}</td>
    </tr>`;
  }

  /** The interval drawn against zero, and said in words. */
  private gain(gain: Interval, widest: number) {
    const [low, high] = endsOf(gain);
    const across = (share: number) => 70 + (66 * share) / widest;
    const finding = findingOf(gain);
    const words = { better: 'better', worse: 'worse', none: 'no difference shown', 'one run': 'one run: may be chance' }[finding];
    return html`${pointsText(gain)}<span class="drawn"><span class="quiet">${words}</span>
      <svg class=${finding} width="140" height="12" aria-hidden="true">
        <line class="zero" x1="70" x2="70" y1="0" y2="12" />
        ${svg`<line class="interval" x1=${across(low)} x2=${across(high)} y1="6" y2="6" /><circle class="mean" cx=${across(gain.mean)} cy="6" r="3" />`}
      </svg></span>`;
  }

  rows(): HTMLElement[] {
    return [...this.renderRoot.querySelectorAll<HTMLElement>('[data-row]')];
  }

  private picked(): void {
    const [file] = this.input.files ?? [];
    // The same file again is a new choice.
    this.input.value = '';
    if (file) this.dispatchEvent(new CustomEvent('comparison-file', { detail: file, bubbles: true, composed: true }));
  }

  private select(index: number): void {
    this.dispatchEvent(new CustomEvent('load-select', { detail: index, bubbles: true, composed: true }));
  }
}
