import { LitElement, css, html } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import type { AgentLine } from '../../state/routing/floor.ts';
import { presenceName } from '../../state/routing/words.ts';
import { shared } from '../shared-styles.ts';
import { tableStyles } from './table-styles.ts';

const SHOWN = 100;

/** Who is there, with how much room, and what they can. */
@customElement('bc-route-agents')
export class RouteAgents extends LitElement {
  @property({ attribute: false }) lines: AgentLine[] = [];
  @property({ type: Number }) private shown = SHOWN;

  static override styles = [
    shared,
    tableStyles,
    css`
      .presence {
        display: flex;
        align-items: baseline;
        gap: var(--s2);
      }
      .dot {
        flex: none;
        width: var(--s2);
        height: var(--s2);
        border: 2px solid var(--ink-3);
        border-radius: 50%;
      }
      .free .dot {
        border-color: var(--accent);
        background: var(--accent);
      }
      .away {
        color: var(--ink-3);
      }
      .slot {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        gap: 2px var(--s3);
        align-items: baseline;
        max-width: 12rem;
        font-size: var(--text-s);
        white-space: nowrap;
      }
      .slot + .slot {
        margin-top: var(--s1);
      }
      .places {
        grid-column: 1 / -1;
        display: flex;
        gap: 2px;
      }
      .places i {
        flex: 1;
                height: 6px;
        border-radius: 2px;
        background: var(--line);
      }
      .places i.used {
        background: var(--accent);
      }
      .skills {
        display: flex;
        flex-wrap: wrap;
        gap: var(--s1) var(--s3);
        font-size: var(--text-s);
      }
      .more {
        margin-top: var(--s4);
      }
    `,
  ];

  rows(): HTMLElement[] {
    return [...this.renderRoot.querySelectorAll<HTMLElement>('[data-row]')];
  }

  override render() {
    const { lines, shown } = this;
    return html`<table role="table" aria-label="Agents">
        <thead role="rowgroup"><tr role="row">
          ${['Agent', 'Presence', 'Room taken', 'Skills', 'Serves'].map((name) => html`<th role="columnheader" scope="col">${name}</th>`)}
        </tr></thead>
        <tbody role="rowgroup">${repeat(lines.slice(0, shown), (line) => line.name, (line) => this.row(line))}</tbody>
      </table>
      ${lines.length > shown ? html`<button type="button" class="button more" @click=${() => (this.shown += SHOWN)}>${lines.length - shown} more: show</button>` : ''}`;
  }

  private row(line: AgentLine) {
    const isAway = !line.on_shift || line.presence === 'away' || line.presence === 'offline';
    return html`<tr role="row" data-row=${line.name} tabindex="-1">
      <th role="rowheader" scope="row"><strong>${line.name}</strong></th>
      <td role="cell" data-label="Presence"><span class="presence ${line.isFree ? 'free' : isAway ? 'away' : ''}"><i class="dot"></i>
        <span>${presenceName(line.presence)}${line.room ? `, ${line.room}` : ''}${line.on_shift ? '' : html`<br /><span class="quiet">off shift</span>`}</span></span></td>
      <td role="cell" data-label="Room taken" class="room ${line.capacity.length === 0 ? 'nothing' : ''}">${line.capacity.map((slot) => this.taken(slot))}</td>
      <td role="cell" data-label="Skills" class="whole ${line.skills.length === 0 ? 'nothing' : ''}"><ul class="skills">
        ${line.skills.map(({ name, level, highest }) => html`<li>${name} <span class="quiet">${level} of ${highest}</span></li>`)}
      </ul></td>
      <td role="cell" data-label="Serves" class="whole quiet ${line.queues.length === 0 ? 'nothing' : ''}">${line.queues.join(', ')}</td>
    </tr>`;
  }

  private taken({ profile, used, limit }: AgentLine['capacity'][number]) {
    // Of a daily limit of a hundred, no single place is worth a mark.
    const places = limit > 0 && limit <= 8 ? Array.from({ length: limit }, (_, at) => html`<i class=${at < used ? 'used' : ''}></i>`) : '';
    return html`<div class="slot"><span class="name quiet">${profile}</span><span>${used} of ${limit}</span>${places === '' ? '' : html`<span class="places" aria-hidden="true">${places}</span>`}</div>`;
  }
}
