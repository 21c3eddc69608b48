import { type TemplateResult, html } from 'lit';
import type { WrapUpHead, WrapUpSummary } from '../api/types.ts';
import { authorText, faultName, sectionName } from '../state/wrapup.ts';
import './proven.ts';

/** Who wrote it, and what the check took out. */
export function authorLine(head: WrapUpHead | undefined): TemplateResult | '' {
  if (!head) return '';
  const words = authorText(head);
  const struck = head.struck ?? [];
  if (struck.length === 0) return words === '' ? '' : html`<p class="author">${words}</p>`;
  return html`<details class="author">
    <summary>${words}</summary>
    <ul>
      ${struck.map((one) => html`<li><s>${one.text}</s> <span class="quiet">${faultName(one.fault)}: ${one.why}</span></li>`)}
    </ul>
  </details>`;
}

/** A summary's sections; `named` says who said each sentence. */
export function sectionsOf(summary: WrapUpSummary, named = false): TemplateResult[] {
  return summary.sections.map(
    (section) => html`<h3>${sectionName(section.key)}</h3>
      ${section.sentences.map((sentence) => html`<bc-proven ?named=${named} .sentence=${sentence}></bc-proven>`)}`,
  );
}
