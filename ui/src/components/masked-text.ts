import { css, html, type TemplateResult } from 'lit';
import { pieces } from '../state/text.ts';
import { lockIcon } from './icons.ts';

/** Draws text with its masked secrets as lock chips: the agent sees that something was said, and that it isn't kept. */
export function maskedText(text: string): TemplateResult[] {
  return pieces(text).map((piece) =>
    piece.kind === 'text' ? html`${piece.text}` : html`<span class="mask">${lockIcon}<span>${piece.label}</span></span>`,
  );
}

export const maskStyles = css`
  .mask {
    display: inline-flex;
    align-items: center;
    gap: var(--s1);
    padding: 0 var(--s2) 0 var(--s1);
    border-radius: var(--radius-s);
    background: var(--surface-sunk);
    color: var(--ink-2);
    font-size: var(--text-s);
    vertical-align: baseline;
    white-space: nowrap;
  }
  .mask svg {
    width: 0.9em;
    height: 0.9em;
  }
`;
