import { LitElement, css, html } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { shared } from '../shared-styles.ts';

/** Routing is off: what it would do, and how it is switched on. */
@customElement('bc-routing-off')
export class RoutingOff extends LitElement {
  /** `none`: there is no plan. `off`: there is one, and its mode is off. */
  @property() why: 'none' | 'off' = 'none';

  static override styles = [
    shared,
    css`
      section {
        max-width: 60ch;
      }
      h2 {
        font-size: var(--text-l);
        font-weight: var(--weight-bold);
      }
      p + p,
      ol,
      ol + p {
        margin-top: var(--s3);
      }
      ol {
        list-style: decimal;
        padding-inline-start: var(--s5);
      }
      li + li {
        margin-top: var(--s2);
      }
      code {
        font-family: var(--font-mono);
        font-size: var(--text-s);
        padding: 0 var(--s1);
        border-radius: var(--s1);
        background: var(--surface-sunk);
        overflow-wrap: anywhere;
      }
    `,
  ];

  override render() {
    return html`<section>
      <h2>Routing is off</h2>
      <p>${this.why === 'off' ? 'There is a plan, and its mode is off: nothing is recommended and nobody is assigned.' : 'There is no plan yet, so nothing is queued here, recommended or assigned.'}</p>
      <ol>
        ${this.why === 'off'
          ? ''
          : html`<li>Write a plan: workstreams, queues and agents, in TOML. An administrator names it in the settings, <code>plan_file</code> under <code>[routing]</code>,
              or sends it to <code>PUT /v1/routing/plan</code>.</li>`}
        <li>Begin with <code>mode = "shadow"</code>: for each one it is recommended and recorded who should take it, and nobody is assigned. See here what it would have done.</li>
        <li>With <code>mode = "active"</code> it is carried out.</li>
      </ol>
      <p class="quiet">What a policy would be worth can be seen before: under Comparison.</p>
    </section>`;
  }
}
