import { LitElement, css, html } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { SystemHealth } from '../../api/crm-types.ts';
import { healthText, systemName } from '../../state/outbox.ts';
import { shared } from '../shared-styles.ts';

/** How the systems are that are written into: "CRM: resting, 120 waiting". */
@customElement('bc-health')
export class Health extends LitElement {
  @property({ attribute: false }) systems: SystemHealth[] | undefined;

  static override styles = [
    shared,
    css`
      ul {
        display: flex;
        flex-wrap: wrap;
        gap: var(--s1) var(--s5);
      }
      li {
        display: flex;
        align-items: baseline;
        gap: var(--s2);
        color: var(--ink-2);
        font-size: var(--text-s);
      }
      .dot {
        width: var(--s2);
        height: var(--s2);
        border-radius: 50%;
        background: var(--accent);
      }
      /* Shape as well as colour says that it isn't reached. */
      .resting .dot {
        background: none;
        border: 2px solid var(--ink-3);
      }
      .resting {
        color: var(--ink);
        font-weight: var(--weight-medium);
      }
    `,
  ];

  override render() {
    const { systems } = this;
    if (!systems) return '';
    if (systems.length === 0) return html`<p class="quiet">No other system is connected. An administrator names the CRM, mailbox and calendar in the settings.</p>`;
    return html`<ul aria-label="Systems">
      ${systems.map((one) => html`<li class="numbers ${one.resting || one.problem ? 'resting' : ''}"><span class="dot"></span>${systemName(systems, one.name)}: ${healthText(one)}</li>`)}
    </ul>`;
  }
}
