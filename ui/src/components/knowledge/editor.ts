import { LitElement, css, html } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { parse } from '../../state/knowledge/markdown.ts';
import { shared } from '../shared-styles.ts';
import { prose } from './prose.ts';
import { proseStyles } from './prose-styles.ts';

/** What somebody is writing; kept by the page until it is saved or thrown away. */
export interface Edit {
  /** The revision that it was made from. */
  revision: number;
  title: string;
  body: string;
  review_by: string;
  valid_until: string;
  comment: string;
}

/**
 * Title, Markdown and dates, with what it will look like beside it. Every key is reported with `edit-changed`, so that
 * nothing is lost by looking at something else. Fires `edit-save` and `edit-cancel`.
 */
@customElement('bc-article-editor')
export class ArticleEditor extends LitElement {
  @property({ attribute: false }) edit: Edit | undefined;
  @property({ type: Boolean }) busy = false;
  /** Where there is no room for both. */
  @state() private previewing = false;
  @query('textarea') private area!: HTMLTextAreaElement | null;

  static override styles = [
    shared,
    proseStyles,
    css`
      :host {
        min-height: 0;
      }
      form {
        display: grid;
        grid-template-rows: auto minmax(0, 1fr) auto;
        height: 100%;
      }
      .fields {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto auto;
        gap: var(--s3);
        padding: var(--s4);
      }
      .fields label {
        display: grid;
        gap: var(--s1);
      }
      input,
      textarea {
        font: inherit;
        color: var(--ink);
        background: var(--surface);
        border: 1px solid var(--line-strong);
        border-radius: var(--radius-s);
        padding: var(--s1) var(--s2);
        min-height: 32px;
        width: 100%;
      }
      .both {
        display: grid;
        grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
        border-top: 1px solid var(--line);
        min-height: 0;
      }
      textarea {
        padding: var(--s4);
        border: 0;
        border-radius: 0;
        resize: none;
        font-family: var(--font-mono);
        font-size: var(--text-s);
        line-height: 1.6;
      }
      textarea:focus-visible {
        outline-offset: -2px;
      }
      .preview {
        padding: var(--s4);
        overflow-y: auto;
        border-inline-start: 1px solid var(--line);
        background: var(--bg);
      }
      .preview:focus-visible {
        outline-offset: -2px;
      }
      .foot {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: var(--s2);
        padding: var(--s3) var(--s4);
        border-top: 1px solid var(--line);
        background: var(--surface);
      }
      .foot input {
        flex: 1;
        min-width: 160px;
        width: auto;
      }
      .switch {
        display: none;
      }
      @media (max-width: 899px) {
        .fields {
          grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
          padding: var(--s3);
          gap: var(--s2) var(--s3);
        }
        .fields label:first-child {
          grid-column: 1 / -1;
        }
        .both {
          grid-template-columns: minmax(0, 1fr);
        }
        .both > :not([data-shown]) {
          display: none;
        }
        .preview {
          border-inline-start: 0;
        }
        .switch {
          display: inline-flex;
        }
        .keys {
          display: none;
        }
      }
    `,
  ];

  override focus(): void {
    this.previewing = false;
    void this.updateComplete.then(() => this.area?.focus());
  }

  override render() {
    const { edit } = this;
    if (!edit) return '';
    const field = (key: keyof Edit) => (event: Event) => this.change({ [key]: (event.target as HTMLInputElement).value });
    return html`<form @submit=${this.save} @keydown=${this.keys}>
      <div class="fields">
        <label><span class="label">Title</span><input .value=${edit.title} required maxlength="300" @input=${field('title')} /></label>
        <label><span class="label">Review by</span><input type="date" .value=${edit.review_by} @input=${field('review_by')} /></label>
        <label><span class="label">Holds until</span><input type="date" .value=${edit.valid_until} @input=${field('valid_until')} /></label>
      </div>
      <div class="both">
        <textarea aria-label="Text, in Markdown" spellcheck="true" ?data-shown=${!this.previewing} .value=${edit.body} @input=${field('body')}></textarea>
        <div class="preview" role="region" aria-label="Preview" tabindex="0" ?data-shown=${this.previewing}>${prose(parse(edit.body))}</div>
      </div>
      <div class="foot">
        <input aria-label="What was changed, and why" placeholder="What was changed, and why" maxlength="2000" .value=${edit.comment} @input=${field('comment')} />
        <button type="button" class="button switch" aria-pressed=${this.previewing} @click=${() => (this.previewing = !this.previewing)}>Preview</button>
        <button class="button primary" ?disabled=${this.busy}>Save draft</button>
        <button type="button" class="button" @click=${() => this.fire('edit-cancel')}>Throw away</button>
        <span class="quiet keys">Ctrl + Enter saves</span>
      </div>
    </form>`;
  }

  private change(part: Partial<Edit>): void {
    if (this.edit) this.fire('edit-changed', { ...this.edit, ...part });
  }

  private readonly save = (event: Event): void => {
    event.preventDefault();
    this.fire('edit-save');
  };

  private readonly keys = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) (event.currentTarget as HTMLFormElement).requestSubmit();
  };

  private fire(name: string, detail?: Edit): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}
