import { LitElement, css, html } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { Question } from '../api/types.ts';
import type { QuestionView } from '../state/conversation.ts';
import { closeIcon } from './icons.ts';
import './proven.ts';
import { shared } from './shared-styles.ts';

/** What the agent asked on this call, newest first. Fires `open-passage`, `copy-answer` and `close-answers`. */
@customElement('bc-answers')
export class Answers extends LitElement {
  @property({ attribute: false }) questions: QuestionView[] = [];

  static override styles = [
    shared,
    css`
      :host {
        overflow-y: auto;
        overscroll-behavior: contain;
        border-top: 1px solid var(--line);
        background: var(--surface);
        padding: var(--s3) var(--s3) var(--s3) var(--s5);
      }
      .top {
        display: flex;
        align-items: center;
        justify-content: space-between;
      }
      li + li {
        margin-top: var(--s4);
        padding-top: var(--s3);
        border-top: 1px solid var(--line);
      }
      .question {
        color: var(--ink-3);
        font-size: var(--text-s);
        margin-bottom: var(--s1);
      }
      .answer {
        width: 100%;
        border-radius: var(--radius-s);
        user-select: text;
        overflow-wrap: anywhere;
      }
      .verbatim {
        white-space: pre-line;
      }
      li:first-child .answer,
      li:first-child .written {
        font-size: calc(1.0667 * var(--text-m));
        font-weight: var(--weight-medium);
      }
      .answer:hover,
      .link:hover {
        text-decoration: underline;
        text-underline-offset: 3px;
      }
      .link {
        color: var(--accent);
        font-size: var(--text-s);
        min-height: 24px;
      }
      .row {
        display: flex;
        align-items: center;
        gap: var(--s3);
        margin-top: var(--s2);
        flex-wrap: wrap;
      }
      .near {
        margin-top: var(--s1);
      }
    `,
  ];

  override render() {
    return html`<div class="top">
        <h2 class="label">You asked</h2>
        <button type="button" class="icon-button" aria-label="Close the answers" title="Close (Esc)" @click=${() => this.fire('close-answers')}>${closeIcon}</button>
      </div>
      <ul>${[...this.questions].reverse().map((question) => this.entry(question))}</ul>`;
  }

  private entry({ question, answer: answered, written, broken }: QuestionView) {
    const answer = answered?.answer;
    if (broken) {
      return html`<li>
        <p class="question">${question}</p>
        ${written.map((sentence) => html`<bc-proven .sentence=${sentence}></bc-proven>`)}
        <p class="quiet">${written.length > 0 ? 'Unfinished: it broke off here.' : 'It was given up before there was an answer.'}</p>
        <button type="button" class="link" @click=${() => this.ask({ question })}>Ask again</button>
      </li>`;
    }
    if (!answered) {
      return html`<li>
        <p class="question">${question}</p>
        ${written.map((sentence) => html`<bc-proven .sentence=${sentence}></bc-proven>`)}
        <p class="quiet">${written.length > 0 ? 'Writing …' : 'Looking …'}</p>
      </li>`;
    }
    if (answered.ask_back) {
      return html`<li>
        <p class="question">${question}</p>
        <p>${answered.ask_back}</p>
        ${answered.nearest.map(
          (near) => html`<div><button type="button" class="link" @click=${() => this.ask({ question: near.heading || near.title, answers: answered.question_id })}>
            ${near.heading || near.title}
          </button></div>`,
        )}
        ${answered.nearest.length > 0 ? '' : html`<p class="quiet near">Answer it in the box below.</p>`}
      </li>`;
    }
    if (!answer) {
      return html`<li>
        <p class="question">${question}</p>
        <p>The knowledge base has no answer to this.</p>
        ${answered.nearest.length > 0 ? html`<p class="quiet near">Nearest articles, which may not fit:</p>` : ''}
        ${answered.nearest.map(
          (near) => html`<div><button type="button" class="link" @click=${() => this.fire('open-passage', { article_id: near.article_id })}>
            ${near.title}${near.heading ? ` › ${near.heading}` : ''}
          </button></div>`,
        )}
      </li>`;
    }
    const citation = answer.citations[0];
    return html`<li>
      <p class="question">${question}</p>
      ${(answered.sentences ?? []).map((sentence) => html`<bc-proven class="written" .sentence=${sentence}></bc-proven>`)}
      ${answered.sentences?.length
        ? ''
        : html`<button type="button" class="answer ${answer.verbatim ? 'verbatim' : ''}" title="Open the passage" @click=${() => citation && this.fire('open-passage', citation)}>${answer.text}</button>`}
      ${answer.verbatim ? html`<p class="quiet near">Word for word: say or send it as it stands.</p>` : ''}
      <div class="row">
        <button type="button" class="button" @click=${() => this.fire('copy-answer', answer.text)}>Insert</button>
        ${citation
          ? html`<button type="button" class="link" @click=${() => this.fire('open-passage', citation)}>
              ${answer.title}${answer.heading ? ` › ${answer.heading}` : ''}
            </button>`
          : ''}
        ${answer.citations.slice(1).map(
          (more, i) => html`<button type="button" class="link" aria-label="Source ${i + 2}" @click=${() => this.fire('open-passage', more)}>[${i + 2}]</button>`,
        )}
      </div>
    </li>`;
  }

  private ask(question: Question): void {
    this.dispatchEvent(new CustomEvent<Question>('ask', { detail: question, bubbles: true, composed: true }));
  }

  private fire(name: string, value: unknown = undefined): void {
    this.dispatchEvent(new CustomEvent(name, { detail: { value }, bubbles: true, composed: true }));
  }
}
