import { LitElement, css, html } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import { keyMap, type KeyWords } from '../state/keys.ts';
import { closeIcon } from './icons.ts';
import { shared } from './shared-styles.ts';

/** `?`: all keys at a glance. The browser's own dialog keeps focus and Escape right. */
@customElement('bc-keymap')
export class KeyMap extends LitElement {
  /** The page's keys; the desktop's unless told. */
  @property({ attribute: false }) keys: KeyWords[] = keyMap;
  @query('dialog') private dialog!: HTMLDialogElement;

  static override styles = [
    shared,
    css`
      dialog {
        width: min(420px, calc(100vw - var(--s8)));
        padding: var(--s4) var(--s5) var(--s5);
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--surface-raised);
        color: var(--ink);
      }
      dialog::backdrop {
        background: var(--shadow-far);
      }
      .top {
        display: flex;
        align-items: center;
        justify-content: space-between;
        margin-bottom: var(--s2);
      }
      h2 {
        font-size: var(--text-m);
      }
      dl {
        display: grid;
        grid-template-columns: 6rem 1fr;
        gap: var(--s2) var(--s3);
      }
      dt {
        display: flex;
        gap: var(--s1);
        align-items: center;
      }
      .note {
        margin-top: var(--s4);
      }
    `,
  ];

  toggle(): void {
    if (this.dialog.open) this.dialog.close();
    else this.dialog.showModal();
  }

  close(): boolean {
    const was = this.dialog.open;
    this.dialog.close();
    return was;
  }

  override render() {
    return html`<dialog aria-labelledby="title">
      <div class="top">
        <h2 id="title">Keys</h2>
        <button type="button" class="icon-button" aria-label="Close" @click=${() => this.dialog.close()}>${closeIcon}</button>
      </div>
      <dl>${this.keys.map(({ keys, says }) => html`<dt>${keys.map((key) => html`<kbd>${key}</kbd>`)}</dt><dd>${says}</dd>`)}</dl>
      <p class="note quiet">While you type in a field, only Esc is a command.</p>
    </dialog>`;
  }
}
