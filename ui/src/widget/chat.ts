import { LitElement, css, html } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { type PublicTurn, type Visit, Visitor, noVisit } from './visit.ts';

const names: Record<PublicTurn['by'], string> = { visitor: 'You', agent: 'Agent', bot: 'Assistant' };
/** Where this script came from is where the service is. */
const HOME = new URL(import.meta.url).origin;

/**
 * The chat on a company's own page: `<backchannel-chat></backchannel-chat>`. `server` names another service than the one
 * that the script came from, `heading` what stands above. Colours and font follow the page: set `--chat-accent`.
 */
@customElement('backchannel-chat')
export class Chat extends LitElement {
  @property() server = HOME;
  @property() heading = 'Chat with us';
  @state() private visit: Visit = noVisit;
  @query('textarea') private area!: HTMLTextAreaElement;
  @query('.log') private log!: HTMLElement;
  private visitor: Visitor | undefined;

  static override styles = css`
    :host {
      color-scheme: light dark;
      --ink: light-dark(#1b1c1f, #ececf0);
      --quiet: light-dark(#5c6068, #a4a8b2);
      --surface: light-dark(#ffffff, #17181b);
      --own: light-dark(#eef1f6, #26282d);
      --line: light-dark(#767b85, #7c818c);
      --accent: var(--chat-accent, light-dark(#1d5fbf, #8ab8ff));
      --on-accent: var(--chat-on-accent, light-dark(#ffffff, #0d1420));
      --alarm: light-dark(#b3261e, #ff9c92);
      display: grid;
      grid-template-rows: auto minmax(0, 1fr) auto;
      box-sizing: border-box;
      width: min(100%, 420px);
      height: min(560px, 100dvh);
      min-width: 280px;
      border: 1px solid var(--line);
      border-radius: 8px;
      overflow: hidden;
      font: 400 15px/1.45 system-ui, sans-serif;
      color: var(--ink);
      background: var(--surface);
    }
    :host([hidden]) {
      display: none;
    }
    h2 {
      margin: 0;
      padding: 12px 16px;
      font-size: 16px;
      border-bottom: 1px solid var(--own);
    }
    .log {
      overflow-y: auto;
      overscroll-behavior: contain;
      padding: 12px 16px;
    }
    ol {
      display: grid;
      gap: 12px;
      margin: 0;
      padding: 0;
      list-style: none;
    }
    li {
      max-width: 85%;
      justify-self: start;
    }
    li.visitor {
      justify-self: end;
    }
    .who,
    .note {
      margin: 0;
      font-size: 13px;
      color: var(--quiet);
    }
    .words {
      margin: 2px 0 0;
      white-space: pre-wrap;
      overflow-wrap: anywhere;
    }
    .visitor .words {
      padding: 8px 12px;
      border-radius: 8px;
      background: var(--own);
    }
    .failed {
      color: var(--alarm);
    }
    form {
      display: grid;
      grid-template-columns: 1fr auto;
      gap: 8px;
      padding: 12px 16px;
      border-top: 1px solid var(--own);
    }
    textarea,
    button {
      font: inherit;
      border-radius: 6px;
    }
    textarea {
      min-width: 0;
      padding: 8px 12px;
      resize: none;
      color: inherit;
      background: var(--surface);
      border: 1px solid var(--line);
    }
    button {
      min-height: 44px;
      padding: 0 16px;
      border: 0;
      color: var(--on-accent);
      background: var(--accent);
      cursor: pointer;
    }
    .again {
      min-height: 24px;
      padding: 0 4px;
      color: inherit;
      background: none;
      text-decoration: underline;
    }
    :focus-visible {
      outline: 2px solid var(--accent);
      outline-offset: 2px;
    }
  `;

  override connectedCallback(): void {
    super.connectedCallback();
    this.visitor = new Visitor(this.server.replace(/\/$/, ''), () => this.changed(), sessionStorage);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.visitor?.close();
  }

  override render() {
    const { turns, pending, ended, trouble } = this.visit;
    const isEmpty = turns.length === 0 && pending.length === 0;
    return html`
      <h2>${this.heading}</h2>
      <div class="log" role="log" aria-label="Messages" tabindex="0">
        ${isEmpty ? html`<p class="note">Write a message below. The answer appears here.</p>` : ''}
        <ol>
          ${repeat(turns, (turn) => turn.turn_id, (turn) => html`<li class=${turn.by}>
            <p class="who">${names[turn.by]}</p>
            <p class="words">${readable(turn.text)}</p>
          </li>`)}
          ${repeat(pending, (message) => message.id, (message) => html`<li class="visitor">
            <p class="who ${message.failed ? 'failed' : ''}">${message.failed
              ? html`Not sent <button type="button" class="again" @click=${() => this.visitor?.send(message.text, message.id)}>Send again</button>`
              : 'Sending …'}</p>
            <p class="words">${message.text}</p>
          </li>`)}
        </ol>
        ${ended ? html`<p class="note" role="status">This chat has ended. Write to begin another one.</p>` : ''}
        ${trouble ? html`<p class="note failed" role="status">${trouble}</p>` : ''}
      </div>
      <form @submit=${this.send}>
        <textarea rows="2" maxlength="4000" aria-label="Your message" placeholder="Your message" enterkeyhint="send" @keydown=${this.keys}></textarea>
        <button>Send</button>
      </form>
    `;
  }

  private changed(): void {
    const atEnd = this.log && this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 48;
    this.visit = this.visitor?.visit ?? noVisit;
    if (atEnd) void this.updateComplete.then(() => (this.log.scrollTop = this.log.scrollHeight));
  }

  private keys(event: KeyboardEvent): void {
    // A line end is typed with Shift, as people know it from chats; while letters are composed, Enter chooses one.
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) this.send(event);
  }

  private send(event: Event): void {
    event.preventDefault();
    const text = this.area.value.trim();
    if (text === '') return;
    this.area.value = '';
    void this.visitor?.send(text);
  }
}

/** What is masked is shown as such. */
function readable(text: string): string {
  return text.replace(/\[(card|digits)-\d+\]/g, '••••');
}

declare global {
  interface HTMLElementTagNameMap {
    'backchannel-chat': Chat;
  }
}
