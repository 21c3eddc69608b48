import { LitElement, css, html } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { shared } from './shared-styles.ts';

const SHOWN_MS = 4_000;

/**
 * The page's only live region. Cards are announced politely and not drawn; the outcome of the agent's own
 * act ("Copied") is both said and shown for a moment.
 */
@customElement('bc-announcer')
export class Announcer extends LitElement {
  @state() private said = '';
  @state() private shown = '';
  private timer: ReturnType<typeof setTimeout> | undefined;

  static override styles = [
    shared,
    css`
      .toast {
        position: fixed;
        left: 50%;
        bottom: calc(var(--s12) + var(--s6));
        translate: -50% 0;
        width: max-content;
        max-width: calc(100vw - var(--s8));
        padding: var(--s2) var(--s4);
        border-radius: var(--radius);
        background: var(--ink);
        color: var(--bg);
        font-size: var(--text-s);
        pointer-events: none;
        z-index: 30;
        animation: enter var(--fade) ease-out;
      }
      @keyframes enter {
        from {
          opacity: 0;
        }
      }
    `,
  ];

  /** For screen readers only. */
  announce(text: string): void {
    // The same words twice are news twice: an unchanged region would stay silent.
    this.said = this.said === text ? `${text}\u00a0` : text;
  }

  /** For everybody. */
  show(text: string): void {
    this.announce(text);
    this.shown = text;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (this.shown = ''), SHOWN_MS);
  }

  override render() {
    return html`<div class="visually-hidden" role="status" aria-live="polite">${this.said}</div>
      ${this.shown ? html`<div class="toast" aria-hidden="true">${this.shown}</div>` : ''}`;
  }
}
