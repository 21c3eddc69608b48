import { LitElement, css, html } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import type { HandOverPack, RouteRecommended } from '../../api/routing-types.ts';
import { type DecisionRow, marginText } from '../../state/routing/decisions.ts';
import { ageText, featureName, featureText, isForPeople, methodName, sentenceOf, sourceName, spanText } from '../../state/routing/words.ts';
import { chevronIcon } from '../icons.ts';
import { shared } from '../shared-styles.ts';
import './pack.ts';
import './scored.ts';

export type PackState = HandOverPack | 'loading' | { problem: string } | undefined;

/** One decision: whom it named and why; opened, all that was weighed. Fires `decision-toggle` and `pack-toggle` with its id. */
@customElement('bc-route-decision')
export class RouteDecision extends LitElement {
  @property({ attribute: false }) row: DecisionRow | undefined;
  @property({ type: Boolean }) open = false;
  @property({ attribute: false }) pack: PackState;
  @query('.head') private head!: HTMLElement;

  static override styles = [
    shared,
    css`
      article {
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--surface);
      }
      .head {
        display: grid;
        grid-template-columns: 16px minmax(0, 1fr) auto;
        gap: 0 var(--s3);
        width: 100%;
        padding: var(--s3) var(--s4);
        border-radius: var(--radius);
      }
      .head:hover {
        background: var(--hover);
      }
      .head svg {
        margin-top: 3px;
        color: var(--ink-3);
      }
      .open .head svg {
        rotate: 90deg;
      }
      .who {
        font-weight: var(--weight-bold);
        overflow-wrap: anywhere;
      }
      .line {
        display: block;
        overflow-wrap: anywhere;
      }
      .line.reason {
        color: var(--ink-2);
      }
      .went {
        overflow: hidden;
        color: var(--ink-3);
        font-size: var(--text-s);
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .went.known {
        color: var(--ink);
      }
      .when {
        text-align: end;
        white-space: nowrap;
      }
      /* The border says it without colour: this one was not carried out. */
      .shadow {
        padding: 0 var(--s2);
        border: 1px dashed var(--line-strong);
        border-radius: var(--radius-s);
        font-size: var(--text-s);
        font-weight: var(--weight-medium);
        color: var(--ink-2);
        white-space: nowrap;
      }
      .body {
        padding: 0 var(--s4) var(--s4);
      }
      section {
        margin-top: var(--s5);
      }
      .body > .first {
        margin-top: var(--s2);
      }
      h2 {
        margin-bottom: var(--s2);
        font-size: var(--text-s);
        font-weight: var(--weight-bold);
        color: var(--ink-2);
      }
      li + li {
        margin-top: var(--s1);
      }
      .known {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(100%, 15rem), 1fr));
        gap: var(--s2) var(--s6);
      }
      .known dd {
        overflow-wrap: anywhere;
      }
      .beside {
        display: grid;
        gap: 0 var(--s8);
      }
      .acts {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: var(--s2) var(--s3);
        margin-top: var(--s5);
      }
      a.button {
        text-decoration: none;
      }
      .facts {
        margin-top: var(--s4);
        overflow-wrap: anywhere;
      }
      @media (min-width: 760px) {
        .beside {
          grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
        }
      }
      @media (max-width: 479px) {
        .head {
          padding-inline: var(--s3);
        }
        .body {
          padding-inline: var(--s3);
        }
      }
    `,
  ];

  override focus(): void {
    this.head.focus();
  }

  toggle(): void {
    this.fire('decision-toggle');
  }

  togglePack(): void {
    if (this.open && this.row?.conversation) this.fire('pack-toggle');
  }

  override render() {
    const { row, open } = this;
    if (!row) return '';
    const { decision } = row;
    return html`<article class=${open ? 'open' : ''}>
      <button type="button" class="head" aria-expanded=${open} @click=${this.toggle}>
        ${chevronIcon}
        <span>
          <span class="line"><span class="who">${decision.chosen?.agent ?? 'Nobody free'}</span> <span class="quiet">for ${decision.queue}</span>
            ${decision.mode === 'shadow' ? html`<span class="shadow">recommended only</span>` : ''}</span>
          <span class="line reason">${sentence(decision)}</span>
          <span class="line went numbers ${row.assigned ? 'known' : ''}">${this.went(row)}</span>
        </span>
        <span class="when quiet numbers">${new Date(decision.at_ms).toLocaleTimeString('en-GB')}</span>
      </button>
      ${open ? this.body(row) : ''}
    </article>`;
  }

  /** This line is always there: what comes later may not push the rows below. */
  private went({ decision, assigned }: DecisionRow) {
    if (!assigned) {
      const [first] = decision.would_change ?? [];
      if (!decision.chosen) return first ? sentenceOf(first) : 'It waits on.';
      const rules = decision.rules_matched ?? [];
      return rules.length > 0 ? `For ${rules.join(', ')}.` : `Chosen ${methodName(decision.policy)}.`;
    }
    const other = decision.chosen && assigned.agent !== decision.chosen.agent;
    const by = assigned.by ? `, by ${assigned.by}` : '';
    return `${other ? `Went to ${assigned.agent} instead` : `${assigned.agent} has it`}${by}, after ${spanText(assigned.waited_ms)}.`;
  }

  private body(row: DecisionRow) {
    const { decision, conversation } = row;
    const { would_change: change = [], rules_matched: rules = [] } = decision;
    const features = (decision.features ?? []).filter(({ name }) => isForPeople(name));
    return html`<div class="body">
      ${decision.mode === 'shadow' ? html`<p class="first">Recommended and recorded. Another router, or a person, decides who gets it.</p>` : ''}
      ${decision.chosen
        ? html`<section class="first"><h2>Who could take it</h2><bc-scored .decision=${decision}></bc-scored></section>`
        : html`<p class="first">Nobody who may take it was free. It is tried again when somebody is.</p>`}
      <div class="beside">
        <section><h2>${decision.chosen ? 'What would have changed it' : 'What would help'}</h2>
          ${change.length > 0 ? html`<ul>${change.map((one) => html`<li>${sentenceOf(one)}</li>`)}</ul>` : html`<p class="quiet">Nothing near: nobody else was close.</p>`}
        </section>
        <section><h2>Rules that matched</h2>
          ${rules.length > 0 ? html`<ol>${rules.map((rule) => html`<li>${rule}</li>`)}</ol>` : html`<p class="quiet">None: it went where everything else goes.</p>`}
        </section>
      </div>
      ${features.length > 0
        ? html`<section><h2>What was known then</h2><dl class="known">
            ${features.map(({ name, value, source, as_of_ms: at }) => html`<div><dt class="quiet">${featureName(name)}</dt>
              <dd>${featureText(name, value)} <span class="quiet numbers">${sourceName(source)}, ${ageText(decision.at_ms - at)}</span></dd></div>`)}
          </dl></section>`
        : ''}
      ${typeof conversation !== 'string'
        ? html`<p class="acts quiet">${conversation === null ? 'No conversation belongs to it.' : ''}</p>`
        : html`<div class="acts">
            <a class="button" href="/desktop#${encodeURIComponent(conversation)}">The conversation</a>
            <button type="button" class="button" aria-expanded=${this.pack !== undefined} @click=${this.togglePack}>${this.pack === undefined ? 'What goes along' : 'Close what goes along'}</button>
          </div>`}
      ${this.pack === undefined ? '' : html`<section aria-label="What goes along"><bc-pack .pack=${this.pack}></bc-pack></section>`}
      <p class="facts quiet numbers">Plan ${decision.epoch} · work item ${decision.work_item_id} · decision ${decision.decision_id} · ${methodName(decision.policy)}</p>
    </div>`;
  }

  private fire(name: string): void {
    this.dispatchEvent(new CustomEvent(name, { detail: this.row?.decision.decision_id, bubbles: true, composed: true }));
  }
}

/** The service's own reason, begun with a capital and ended with a stop, and how clear it was. */
function sentence(decision: RouteRecommended): string {
  const reason = decision.reason.replaceAll('`', '');
  const margin = marginText(decision);
  return sentenceOf(margin ? `${reason}: ${margin}` : reason);
}
