import { LitElement, type PropertyValues, css, html } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { ArticleHit, Conflict, SentenceOrigin } from '../../api/knowledge-types.ts';
import type { Conversation } from '../../api/types.ts';
import { numbers, originsIn } from '../../state/knowledge/marks.ts';
import { callTime } from '../../state/text.ts';
import { warnIcon } from '../icons.ts';
import { maskedText, maskStyles } from '../masked-text.ts';
import { shared } from '../shared-styles.ts';
import { roleNames } from '../turn.ts';

/**
 * Beside a draft: first what speaks against it, then what it rests on, then what is published about the same. Fires
 * `open-turn` and `open-article`.
 */
@customElement('bc-evidence')
export class Evidence extends LitElement {
  @property({ attribute: false }) origins: SentenceOrigin[] = [];
  /** The text that they are about. */
  @property() body = '';
  @property({ attribute: false }) conflicts: Conflict[] = [];
  @property({ attribute: false }) near: ArticleHit[] = [];
  /** By id; null: it is not kept any more. */
  @property({ attribute: false }) calls: ReadonlyMap<string, Conversation | null> = new Map();
  @property({ type: Number }) chosen = 0;

  static override styles = [
    shared,
    maskStyles,
    css`
      section + section {
        margin-top: var(--s6);
      }
      h3 {
        margin-bottom: var(--s2);
      }
      .conflict {
        padding: var(--s3);
        border-radius: var(--radius);
        background: var(--mark);
        color: var(--mark-ink);
      }
      .conflict + .conflict {
        margin-top: var(--s2);
      }
      .conflict .label {
        display: flex;
        gap: var(--s2);
        color: inherit;
        margin-bottom: var(--s2);
      }
      .conflict .label svg {
        margin-top: 2px;
      }
      .conflict dt {
        font-size: var(--text-s);
      }
      .conflict dd {
        overflow-wrap: anywhere;
      }
      .conflict dd + dt {
        margin-top: var(--s2);
      }
      .conflict .link {
        color: inherit;
        text-decoration: underline;
        text-underline-offset: 3px;
        font-size: var(--text-s);
        min-height: 24px;
        margin-top: var(--s1);
      }
      .origin {
        display: grid;
        grid-template-columns: 24px minmax(0, 1fr);
        border-radius: var(--radius);
      }
      .origin[data-chosen] {
        background: var(--accent-soft);
      }
      .n {
        padding-top: var(--s2);
        text-align: center;
        color: var(--accent);
        font-size: var(--text-xs);
        font-weight: var(--weight-bold);
      }
      .turn,
      .near {
        display: block;
        width: 100%;
        padding: var(--s2);
        border-radius: var(--radius);
        overflow-wrap: anywhere;
      }
      .turn:hover,
      .near:hover {
        background: var(--hover);
      }
      .near {
        width: calc(100% + 2 * var(--s2));
        margin-inline: calc(-1 * var(--s2));
      }
      .turn:focus-visible,
      .near:focus-visible {
        outline-offset: -2px;
      }
      .unsaid {
        padding: var(--s2) var(--s2) 0;
      }
      .quote {
        display: block;
        color: var(--ink-2);
      }
      button .quiet:first-child,
      .near strong {
        color: var(--accent);
      }
      .near strong {
        font-weight: var(--weight-medium);
      }
    `,
  ];

  override updated(changed: PropertyValues<this>): void {
    if (changed.has('chosen') && this.chosen > 0) {
      this.renderRoot.querySelector('[data-chosen]')?.scrollIntoView({ block: 'nearest' });
    }
  }

  override render() {
    return html`${this.against()}${this.sources()}${this.published()}`;
  }

  private against() {
    if (this.conflicts.length === 0) return '';
    return html`<section>
      <h3 class="label">Speaks against it</h3>
      ${this.conflicts.map((one) => {
        const where = [one.article_title ?? one.article_id, one.heading].filter(Boolean).join(' › ');
        return html`<div class="conflict">
          <p class="label">${warnIcon} Contradicts “${where}”</p>
          <dl>
            <dt>Published</dt><dd>${one.published_sentence}</dd>
            <dt>This draft</dt><dd>${one.sentence}</dd>
          </dl>
          <button type="button" class="link" @click=${() => this.fire('open-article', one.article_id)}>Compare the two</button>
        </div>`;
      })}
    </section>`;
  }

  private sources() {
    if (this.origins.length === 0) return '';
    const number = numbers(this.origins);
    const said = new Set(originsIn(this.body, this.origins));
    const ordered = this.origins.map((origin, at) => ({ origin, n: number[at] ?? 0, said: said.has(at) })).sort((a, b) => a.n - b.n);
    return html`<section>
      <h3 class="label">What it rests on</h3>
      <ul>
        ${ordered.map(
          ({ origin, n, said }) => html`<li class="origin" ?data-chosen=${n === this.chosen}>
            <span class="n numbers">${n}</span>
            <div>${said ? '' : html`<p class="unsaid quiet">Not in the text any more: “${origin.sentence}”</p>`}${origin.turns.map((turn) => this.turn(origin, turn.turn_id, turn.quote))}</div>
          </li>`,
        )}
      </ul>
    </section>`;
  }

  private turn(origin: SentenceOrigin, turnId: string, quote: string) {
    const call = this.calls.get(origin.conversation_id);
    const turn = call?.turns.find((one) => one.turn_id === turnId);
    const gone = call === null || (call && !turn);
    const who = turn ? `${callTime(turn.start_ms)} ${turn.party.name ?? roleNames[turn.party.role] ?? turn.party.role}` : gone ? 'The call is not kept here' : 'Call';
    const words = html`<span class="quiet numbers">${who}</span><span class="quote">“${maskedText(quote)}”</span>`;
    if (gone) return html`<div class="turn">${words}</div>`;
    return html`<button
      type="button" class="turn" title="Open the call at this turn"
      @click=${() => this.fire('open-turn', { conversation: origin.conversation_id, turn: turnId, quote })}
    >${words}</button>`;
  }

  private published() {
    if (this.near.length === 0) return '';
    return html`<section>
      <h3 class="label">Published about this</h3>
      <ul>
        ${this.near.map(
          (hit) => html`<li>
            <button type="button" class="near" title="Compare it with this text" @click=${() => this.fire('open-article', hit.article_id)}>
              <strong>${hit.title}</strong>${hit.heading && hit.heading !== hit.title ? html`<span class="quiet"> › ${hit.heading}</span>` : ''}
              <span class="quote quiet">${hit.sentence?.quote ?? ''}</span>
            </button>
          </li>`,
        )}
      </ul>
    </section>`;
  }

  private fire(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}
