import { LitElement, css, html } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { HandOverPack } from '../../api/routing-types.ts';
import type { ProvenSentence } from '../../api/types.ts';
import { figure, featureText } from '../../state/routing/words.ts';
import { attributeName } from '../../state/text.ts';
import { maskedText, maskStyles } from '../masked-text.ts';
import { shared } from '../shared-styles.ts';
import { roleNames } from '../turn.ts';

const SAID = 'Said last';

/** What goes along when a conversation is handed on: who, what was tried and promised, what comes next. */
@customElement('bc-pack')
export class Pack extends LitElement {
  @property({ attribute: false }) pack: HandOverPack | 'loading' | { problem: string } | undefined;

  static override styles = [
    shared,
    maskStyles,
    css`
      .sheet {
        padding: var(--s4);
        border-radius: var(--radius);
        background: var(--surface-sunk);
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(100%, 18rem), 1fr));
        gap: var(--s4) var(--s8);
      }
      .quiet {
        color: var(--ink-2);
      }
      .mask {
        background: var(--surface);
      }
      .top {
        grid-column: 1 / -1;
      }
      .top strong {
        font-weight: var(--weight-bold);
      }
      h3 {
        margin: 0 0 var(--s1);
        font-size: var(--text-s);
        font-weight: var(--weight-bold);
        color: var(--ink-2);
      }
      li {
        overflow-wrap: anywhere;
      }
      li + li {
        margin-top: var(--s1);
      }
    `,
  ];

  override render() {
    const { pack } = this;
    if (pack === undefined) return '';
    if (pack === 'loading') return html`<div class="bones" role="img" aria-label="Loading"><i style="width:70%"></i><i></i></div>`;
    if ('problem' in pack) return html`<p class="quiet">${pack.problem}</p>`;
    const parts = [
      ['What it is about', pack.about], ['What was tried', pack.tried], ['Promised in this conversation', pack.promised], ['Next', pack.next_steps],
      ...pack.sections.map(({ key, sentences }) => [attributeName(key), sentences] as const), [SAID, pack.latest],
    ] as [string, ProvenSentence[]][];
    const filled = parts.filter(([, sentences]) => sentences.length > 0);
    const { articles, earlier_promises: earlier, customer } = pack;
    const attributes = Object.entries(pack.attributes);
    return html`<div class="sheet">
      <p class="top">${this.who(pack)}</p>
      ${filled.map(([name, sentences]) => html`<div><h3>${name}</h3><ul>${sentences.map((one) => html`<li>${name === SAID ? saidBy(one) : ''}${maskedText(one.text)}</li>`)}</ul></div>`)}
      ${earlier.length > 0
        ? html`<div><h3>Promised before</h3><ul>${earlier.map((one) => html`<li>${attributeName(one.kind)}${one.due_ms === undefined ? ', day open' : `, due ${featureText('due_ms', one.due_ms)}`}</li>`)}</ul></div>`
        : ''}
      ${articles.length > 0
        ? html`<div><h3>Articles shown</h3><ul>${articles.map(({ title, verdict }) => html`<li>${title}${verdict ? html` <span class="quiet">${verdict}</span>` : ''}</li>`)}</ul></div>`
        : ''}
      ${customer && customer.open_cases.length > 0
        ? html`<div><h3>Open cases</h3><ul>${customer.open_cases.map((one) => html`<li>${one.number ? `${one.number} ` : ''}${one.subject} <span class="quiet">${one.status}</span></li>`)}</ul></div>`
        : ''}
      ${attributes.length > 0
        ? html`<div><h3>Given along</h3><ul>${attributes.map(([name, value]) => html`<li><span class="quiet">${attributeName(name)}</span> ${maskedText(value)}</li>`)}</ul></div>`
        : ''}
      ${filled.length === 0 ? html`<p class="quiet">Nothing was said yet.</p>` : ''}
    </div>`;
  }

  private who({ customer, from, intent, sentiment }: HandOverPack) {
    const name = customer?.contact.name ?? 'A customer whom the CRM doesn’t know';
    const parts = [
      customer?.contact.company, customer?.tier, customer?.value === undefined ? '' : `worth ${figure(customer.value)} a year`,
      intent ? `about ${intent.label.replaceAll(/[_-]/g, ' ')}` : '', sentiment ? `mood ${sentiment.level.replaceAll('_', ' ')}, ${sentiment.trend}` : '',
      from ? `last with ${roleNames[from]?.toLowerCase() ?? from}` : '',
    ].filter(Boolean);
    return html`<strong>${name}</strong> <span class="quiet">${parts.join(' · ')}</span>`;
  }
}

/** Whose words they are, where they are quoted. */
function saidBy({ citations }: ProvenSentence) {
  const [first] = citations;
  return first?.of === 'turn' ? html`<span class="quiet">${roleNames[first.role] ?? first.role}: </span>` : '';
}
