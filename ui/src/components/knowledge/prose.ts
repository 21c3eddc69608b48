import { type TemplateResult, html } from 'lit';
import type { Block, Span } from '../../state/knowledge/markdown.ts';

/** Draws a block's words; the review puts its marks there. */
export type Draw = (spans: Span[]) => unknown;

/** Markdown's blocks as elements of ours: nothing of it is ever read as HTML. */
export function prose(blocks: Block[], draw: Draw = spansOf): TemplateResult {
  return html`<div class="prose">${blocks.map((block) => blockOf(block, draw))}</div>`;
}

export function spansOf(spans: Span[]): TemplateResult[] {
  return spans.map((span) => {
    let drawn: unknown = span.text;
    if (span.code) drawn = html`<code>${drawn}</code>`;
    if (span.bold) drawn = html`<strong>${drawn}</strong>`;
    if (span.italic) drawn = html`<em>${drawn}</em>`;
    if (span.struck) drawn = html`<s>${drawn}</s>`;
    if (span.href) drawn = html`<a href=${span.href} target="_blank" rel="noopener noreferrer">${drawn}</a>`;
    return html`${drawn}`;
  });
}

function blockOf(block: Block, draw: Draw): TemplateResult {
  switch (block.kind) {
    case 'heading':
      // Below the page's own headings, whatever level the author chose.
      return block.level <= 2 ? html`<h3 class="heading">${spansOf(block.spans)}</h3>` : html`<h4 class="heading">${spansOf(block.spans)}</h4>`;
    case 'paragraph':
      return html`<p>${draw(block.spans)}</p>`;
    case 'list': {
      const items = block.items.map((item) => html`<li>${item.map((inner) => (inner.kind === 'paragraph' ? draw(inner.spans) : blockOf(inner, draw)))}</li>`);
      return block.ordered ? html`<ol start=${block.start}>${items}</ol>` : html`<ul>${items}</ul>`;
    }
    case 'quote':
      return html`<blockquote>${block.blocks.map((inner) => blockOf(inner, draw))}</blockquote>`;
    case 'code':
      return html`<pre>${block.text}</pre>`;
    case 'rule':
      return html`<hr />`;
    case 'table':
      return html`<table tabindex="0">
        <thead><tr>${block.head.map((cell) => html`<th>${spansOf(cell)}</th>`)}</tr></thead>
        <tbody>${block.rows.map((row) => html`<tr>${row.map((cell) => html`<td>${draw(cell)}</td>`)}</tr>`)}</tbody>
      </table>`;
  }
}
