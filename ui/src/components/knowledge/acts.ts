import { LitElement, type PropertyValues, css, html } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { ArticleDetail } from '../../api/knowledge-types.ts';
import { actsOf, isNewest } from '../../state/knowledge/review.ts';
import { shared } from '../shared-styles.ts';

export type Asking = 'return' | 'retire' | 'contradicts' | null;

/** A decision about an article. `still` says that it is still right, and when to look again. */
export type ActDetail = { act: 'publish' | 'approve' | 'return' | 'retire' | 'still'; reason?: string };

/**
 * What can be done with the article, at the foot of its text. What needs a word asks for it there, in place of the
 * buttons. Fires `article-act`, `article-edit` and `article-newest`.
 */
@customElement('bc-acts')
export class Acts extends LitElement {
  @property({ attribute: false }) article: ArticleDetail | undefined;
  /** Is being sent: nothing else can be begun. */
  @property({ type: Boolean }) busy = false;
  /** So many sentences contradict what is published. */
  @property({ type: Number }) conflicts = 0;
  /** Whether it stands in the list of stale ones. */
  @property({ type: Boolean }) stale = false;
  @state() private asking: Asking = null;
  @query('textarea') private area!: HTMLTextAreaElement | null;

  static override styles = [
    shared,
    css`
      :host {
        padding: var(--s3) var(--s5);
        border-top: 1px solid var(--line);
        background: var(--surface);
      }
      .row {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: var(--s2);
      }
      .space {
        flex: 1;
      }
      .ask {
        margin-bottom: var(--s2);
        font-weight: var(--weight-medium);
      }
      @media (max-width: 599px) {
        :host {
          padding-inline: var(--s3);
        }
        .row {
          gap: var(--s1);
        }
        .button {
          padding-inline: var(--s2);
        }
        /* No keyboard, no keys. */
        kbd,
        .space {
          display: none;
        }
      }
      @media (min-width: 600px) and (max-width: 1299px) {
        .row {
          gap: var(--s1);
        }
        .button {
          padding-inline: var(--s2);
        }
      }
      @media (min-width: 1300px) {
        :host {
          padding-inline: var(--s8) var(--s5);
        }
      }
      textarea {
        display: block;
        width: 100%;
        margin-bottom: var(--s2);
        font: inherit;
        line-height: var(--leading);
        color: var(--ink);
        background: var(--surface);
        border: 1px solid var(--line-strong);
        border-radius: var(--radius-s);
        padding: var(--s2) var(--s3);
        resize: vertical;
      }
    `,
  ];

  override willUpdate(changed: PropertyValues<this>): void {
    const before = changed.get('article');
    if (changed.has('article') && (before?.id !== this.article?.id || before?.revision !== this.article?.revision)) this.asking = null;
  }

  override render() {
    const { article } = this;
    if (!article) return '';
    if (this.asking === 'contradicts') return this.warning();
    if (this.asking) return this.form(this.asking);
    const acts = actsOf(article);
    if (!isNewest(article) && article.newest_state !== 'retired') {
      return html`<div class="row"><p class="quiet">A newer revision is ${article.newest_state === 'in_review' ? 'in review' : 'being written'}.</p>
        <button type="button" class="button" @click=${() => this.fire('article-newest')}>Show it</button></div>`;
    }
    return html`<div class="row">
      ${acts.publish
        ? html`<button type="button" class="button primary" ?disabled=${this.busy} @click=${() => this.publish()}>
            <kbd>a</kbd> ${article.approver === null ? 'Approve and publish' : 'Publish'}
          </button>`
        : ''}
      ${this.stale && !acts.publish && article.state === 'published'
        ? html`<button type="button" class="button primary" ?disabled=${this.busy} @click=${() => this.act({ act: 'still' })}><kbd>a</kbd> Still right</button>`
        : ''}
      ${acts.return ? html`<button type="button" class="button" ?disabled=${this.busy} @click=${() => this.ask('return')}><kbd>r</kbd> Return …</button>` : ''}
      <button type="button" class="button" @click=${() => this.fire('article-edit')}><kbd>e</kbd> Edit</button>
      <span class="space"></span>
      ${acts.approve ? html`<button type="button" class="button plain" ?disabled=${this.busy} @click=${() => this.act({ act: 'approve' })}>Approve only</button>` : ''}
      ${acts.retire ? html`<button type="button" class="button plain" ?disabled=${this.busy} @click=${() => this.ask('retire')}><kbd>t</kbd> Retire …</button>` : ''}
    </div>`;
  }

  /** As the keys have it; false where it can't be done. */
  begin(what: 'publish' | 'return' | 'retire'): boolean {
    if (!this.article || this.busy) return false;
    const acts = actsOf(this.article);
    if (what === 'publish' && this.stale && !acts.publish && this.article.state === 'published') this.act({ act: 'still' });
    else if (!acts[what]) return false;
    else if (what === 'publish') this.publish();
    else this.ask(what);
    return true;
  }

  /** Escape takes a question back; says whether there was one. */
  close(): boolean {
    const was = this.asking !== null;
    this.asking = null;
    if (was) void this.updateComplete.then(() => this.renderRoot.querySelector('button')?.focus());
    return was;
  }

  private warning() {
    const many = this.conflicts === 1 ? 'One sentence contradicts' : `${this.conflicts} sentences contradict`;
    return html`<p class="ask" role="alert">${many} what is published. Publish all the same?</p>
      <div class="row">
        <button type="button" class="button primary" ?disabled=${this.busy} @click=${() => this.act({ act: 'publish' })}><kbd>a</kbd> Publish all the same</button>
        <button type="button" class="button" @click=${() => this.close()}>Not yet</button>
      </div>`;
  }

  private form(asking: 'return' | 'retire') {
    const back = asking === 'return';
    return html`<form @submit=${this.submit} @keydown=${this.keys}>
      <label class="label" for="reason">${back ? `What should ${this.article?.author} change?` : 'Why should nobody be told it any more?'}</label>
      <textarea id="reason" rows="2" ?required=${back} maxlength="2000"></textarea>
      <div class="row">
        <button class="button primary" ?disabled=${this.busy}>${back ? 'Return' : 'Retire'}</button>
        <button type="button" class="button" @click=${() => this.close()}>Cancel</button>
        <span class="space"></span><span class="quiet">Ctrl + Enter sends</span>
      </div>
    </form>`;
  }

  private publish(): void {
    if (this.conflicts > 0 && this.asking !== 'contradicts') {
      this.asking = 'contradicts';
      void this.updateComplete.then(() => this.renderRoot.querySelector('button')?.focus());
    } else {
      this.act({ act: 'publish' });
    }
  }

  private ask(asking: 'return' | 'retire'): void {
    this.asking = asking;
    void this.updateComplete.then(() => this.area?.focus());
  }

  private readonly keys = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) (event.currentTarget as HTMLFormElement).requestSubmit();
  };

  private readonly submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const reason = this.area?.value.trim() ?? '';
    const { asking } = this;
    if (asking !== 'return' && asking !== 'retire') return;
    // Spaces pass the browser's check and are no reason.
    if (asking === 'return' && reason === '') this.area?.focus();
    else this.act(reason === '' ? { act: asking } : { act: asking, reason });
  };

  private act(detail: ActDetail): void {
    this.dispatchEvent(new CustomEvent('article-act', { detail, bubbles: true, composed: true }));
  }

  private fire(name: string): void {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true }));
  }
}
