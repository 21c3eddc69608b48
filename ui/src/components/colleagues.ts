import { LitElement, css, html, type PropertyValues } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import type { CrmWrite, Expert } from '../api/crm-types.ts';
import type { ConversationView } from '../state/conversation.ts';
import { fieldStyles } from './field-styles.ts';
import { shared } from './shared-styles.ts';

const stateWords: Record<CrmWrite['state'], string> = {
  waiting: 'on its way', sending: 'on its way', done: 'sent', failed: 'not sent', discarded: 'thrown away',
};

/**
 * Who has resolved such cases, and a message to the team with all that they need to help.
 * Fires `experts-look`, `team-ask` with the agent's question, and `outcome-retry` with a write.
 */
@customElement('bc-colleagues')
export class Colleagues extends LitElement {
  @property({ attribute: false }) view: ConversationView | undefined;
  /** Undefined while nobody looked. */
  @property({ attribute: false }) experts: Expert[] | undefined;
  /** A CRM can be asked who has resolved such cases. */
  @property({ type: Boolean }) canLook = false;
  /** A team chat is configured. */
  @property({ type: Boolean }) canAsk = false;
  @property({ type: Boolean }) looking = false;
  @property({ type: Boolean }) asking = false;
  @property() problem = '';
  @query('textarea') private area!: HTMLTextAreaElement | null;

  static override styles = [
    shared,
    fieldStyles,
    css`
      :host {
        display: block;
        padding: 0 var(--s4) var(--s4);
        overflow-wrap: anywhere;
      }
      h3 {
        margin: var(--s2) 0;
        font-size: var(--text-s);
        font-weight: var(--weight-bold);
        color: var(--ink-2);
      }
      li + li,
      form,
      .problem {
        margin-top: var(--s3);
      }
      form .button {
        margin-top: var(--s2);
      }
      .problem {
        color: var(--alert);
      }
    `,
  ];

  override willUpdate(changed: PropertyValues<this>): void {
    // Another call has a question of its own.
    if (changed.has('view') && changed.get('view') && changed.get('view')?.id !== this.view?.id && this.area) this.area.value = '';
  }

  override render() {
    if (!this.view || (!this.canLook && !this.canAsk)) return '';
    return html`<section aria-label="Colleagues">
      <h3>Colleagues</h3>
      ${this.canLook ? this.known() : ''}
      ${this.canAsk ? this.question() : ''}
      ${this.problem ? html`<p class="problem" role="alert">${this.problem}</p>` : ''}
    </section>`;
  }

  /** The question went out: nothing is left to be written. */
  sent(): void {
    if (this.area) this.area.value = '';
  }

  private known() {
    const { experts } = this;
    const look = html`<button type="button" class="button" aria-disabled=${this.looking} @click=${() => this.look()}>
      ${this.looking ? 'Looking …' : experts ? 'Look again' : 'Who has solved this before?'}
    </button>`;
    if (!experts) return look;
    return html`<div aria-live="polite">
        ${experts.length === 0
          ? html`<p class="quiet">Nobody is named in resolved cases like this one.</p>`
          : html`<ul>${experts.map((one) => html`<li><b>${one.name}</b> <span class="quiet numbers">${countOf(one)}</span><p class="quiet">${one.why.join(' · ')}</p></li>`)}</ul>`}
      </div>
      ${look}`;
  }

  private question() {
    const asked = (this.view?.writes ?? []).filter((write) => write.operation === 'post_message');
    return html`<form @submit=${this.ask}>
        <textarea rows="2" maxlength="2000" aria-label="What do you want to know?" placeholder="What do you want to know?"></textarea>
        <button class="button" aria-disabled=${this.asking}>${this.asking ? 'Sending …' : 'Ask the team'}</button>
        <p class="quiet">The team reads who calls, the open cases and what was said so far.</p>
      </form>
      ${asked.map((write) => html`<p class="numbers" role="status">Message to the team: ${stateWords[write.state]}${write.state === 'failed' ? this.trouble(write) : ''}</p>`)}`;
  }

  private trouble(write: CrmWrite) {
    return html`. ${write.problem ?? ''} <button type="button" class="button" @click=${() => this.fire('outcome-retry', write)}>Try again</button>`;
  }

  private look(): void {
    if (!this.looking) this.fire('experts-look');
  }

  private readonly ask = (event: Event): void => {
    event.preventDefault();
    if (!this.asking) this.fire('team-ask', this.area?.value.trim() ?? '');
  };

  private fire(name: string, detail: unknown = undefined): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

function countOf({ cases, last }: Expert): string {
  const when = last ? `, last on ${new Date(last).toLocaleDateString([], { day: 'numeric', month: 'long', year: 'numeric' })}` : '';
  return `${cases} ${cases === 1 ? 'case' : 'cases'} like this${when}`;
}
