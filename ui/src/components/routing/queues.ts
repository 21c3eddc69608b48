import { LitElement, css, html } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { levelText, nextText, type QueueLine, sinceText, unnamedText } from '../../state/routing/floor.ts';
import { channelName, counted, methodName, spanText, waitClock } from '../../state/routing/words.ts';
import { warnIcon } from '../icons.ts';
import { shared } from '../shared-styles.ts';
import { tableStyles } from './table-styles.ts';

/** The queues, in the plan's order: who waits, how long against what was promised, who is there, where too much goes. */
@customElement('bc-route-queues')
export class RouteQueues extends LitElement {
  @property({ attribute: false }) lines: QueueLine[] = [];

  static override styles = [
    shared,
    tableStyles,
    css`
      .count {
        font-size: var(--text-l);
        font-weight: var(--weight-bold);
        line-height: 1;
      }
      .whole-line {
        white-space: nowrap;
      }
      .none {
        color: var(--ink-3);
        font-weight: inherit;
      }
      .wait {
        min-width: 9rem;
      }
      .wait .said {
        display: flex;
        align-items: center;
        gap: var(--s1);
        white-space: nowrap;
      }
      .late .said {
        font-weight: var(--weight-bold);
      }
      /* The promise is the tick in the middle: what is over it is over the promise. */
      .bar {
        position: relative;
        height: 6px;
        margin-top: var(--s1);
        border-radius: 3px;
        background: var(--surface-sunk);
        overflow: hidden;
      }
      .bar i {
        position: absolute;
        inset: 0 auto 0 0;
        background: var(--accent);
      }
      .late .bar i {
        background: var(--ink);
      }
      .bar::after {
        content: '';
        position: absolute;
        inset: 0 auto 0 50%;
        width: 2px;
        background: var(--bg);
      }
      .overflow {
        font-size: var(--text-s);
        color: var(--ink-3);
      }
      .overflow .now {
        color: var(--ink);
        font-weight: var(--weight-medium);
      }
      .note {
        padding: var(--s3) 0 var(--s1);
        border-top: 1px solid var(--line);
      }
      @media (min-width: 760px) {
        .overflow {
          max-width: 22rem;
        }
      }
    `,
  ];

  rows(): HTMLElement[] {
    return [...this.renderRoot.querySelectorAll<HTMLElement>('[data-row]')];
  }

  override render() {
    return html`<table role="table" aria-label="Queues">
      <thead role="rowgroup"><tr role="row">
        ${['Queue', 'Waiting', 'Longest wait', 'Agents', 'In time', 'Overflow'].map((name) => html`<th role="columnheader" scope="col">${name}</th>`)}
      </tr></thead>
      <tbody role="rowgroup">${repeat(this.lines, (line) => line.name, (line) => this.row(line))}</tbody>
    </table>
    <p class="quiet note">${sinceText(this.lines)}</p>`;
  }

  private row(line: QueueLine) {
    const overflows = line.overflow.length + line.overflowed.length;
    return html`<tr role="row" data-row=${line.name} tabindex="-1">
      <th role="rowheader" scope="row"><strong>${line.name}</strong><br /><span class="quiet">${channelName(line.channel)}, ${methodName(line.method)}</span></th>
      <td role="cell" data-label="Waiting"><span class="count ${line.waiting === 0 ? 'none' : ''}">${line.waiting}</span></td>
      <td role="cell" data-label="Longest wait" class="wait ${line.isLate ? 'late' : ''}">${this.wait(line)}</td>
      <td role="cell" data-label="Agents"><span class="whole-line">${counted(line.free, 'free', 'free')}</span><br />${unnamedText(line) === '' ? '' : html`<span class="quiet">${unnamedText(line)}</span><br />`}<span class="quiet whole-line">${line.busy} busy${line.away === null ? '' : `, ${line.away} away`}</span></td>
      <td role="cell" data-label="In time" class="whole-line">${this.level(line)}</td>
      <td role="cell" data-label="Overflow" class="whole overflow ${overflows === 0 ? 'nothing' : ''}">${overflows === 0
        ? 'none'
        : html`<ul>
            ${line.overflow.map(({ text, isNow }) => html`<li class=${isNow ? 'now' : ''}>${text}${isNow ? ' – now' : ''}</li>`)}
            ${line.overflowed.map((text) => html`<li class="now">${text}</li>`)}
          </ul>`}</td>
    </tr>`;
  }

  private wait(line: QueueLine) {
    const { waiting, longestMs, targetMs, isLate } = line;
    if (waiting === 0) return html`<span class="none">${targetMs === null ? 'nobody' : `promised: ${spanText(targetMs)}`}</span>`;
    const promise = targetMs === null ? '' : ` of ${waitClock(targetMs)}`;
    // Twice the promise fills the bar.
    const width = targetMs === null ? 0 : Math.min(100, (50 * longestMs) / targetMs);
    return html`<span class="said">${isLate ? warnIcon : ''}<span>${waitClock(longestMs)}<span class="quiet">${promise}${isLate ? ', late' : ''}</span></span></span>
      ${targetMs === null ? '' : html`<div class="bar"><i style="width:${width.toFixed(1)}%"></i></div>`}
      <span class="quiet">${nextText(line)}</span>`;
  }

  private level({ level }: QueueLine) {
    if (!level || level.of === 0) return html`<span class="quiet">${levelText(level)}</span>`;
    return html`${levelText(level)}<br /><span class="quiet">${level.inTime} of ${level.of}</span>`;
  }
}
