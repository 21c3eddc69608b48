import { html, svg, type SVGTemplateResult, type TemplateResult } from 'lit';

/** Line icons on a 16 px grid, always beside or under words for assistive technology. */
function icon(shape: SVGTemplateResult): TemplateResult {
  return html`<svg
    width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round"
    stroke-linejoin="round" aria-hidden="true" focusable="false"
  >${shape}</svg>`;
}

export const lockIcon = icon(svg`<rect x="3.5" y="7" width="9" height="6.5" rx="1.5" /><path d="M5.5 7V5a2.5 2.5 0 0 1 5 0v2" />`);
export const closeIcon = icon(svg`<path d="M4 4l8 8M12 4l-8 8" />`);
export const chevronIcon = icon(svg`<path d="M6 4l4 4-4 4" />`);
export const downIcon = icon(svg`<path d="M4 6l4 4 4-4" />`);
export const arrowDownIcon = icon(svg`<path d="M8 3v10M4 9l4 4 4-4" />`);
export const microphoneIcon = icon(svg`<rect x="6" y="2" width="4" height="7" rx="2" /><path d="M3.5 7.5a4.5 4.5 0 0 0 9 0M8 12v2" />`);
export const stopIcon = icon(svg`<rect x="4" y="4" width="8" height="8" rx="1.5" fill="currentColor" />`);
export const sunIcon = icon(svg`<circle cx="8" cy="8" r="2.75" /><path d="M8 1.5v1.25M8 13.25v1.25M1.5 8h1.25M13.25 8h1.25M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9" />`);
export const moonIcon = icon(svg`<path d="M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5z" />`);
export const autoIcon = icon(svg`<circle cx="8" cy="8" r="5.5" /><path d="M8 2.5a5.5 5.5 0 0 1 0 11z" fill="currentColor" />`);
export const checkIcon = icon(svg`<path d="M3.5 8.5l3 3 6-7" />`);
export const quoteIcon = icon(svg`<path d="M3.5 9.5h3v-4h-3v4c0 1.5.7 2.3 2 2.5M9.5 9.5h3v-4h-3v4c0 1.5.7 2.3 2 2.5" />`);
export const keyboardIcon = icon(svg`<rect x="1.5" y="4" width="13" height="8" rx="1.5" /><path d="M4 6.7h.01M6.7 6.7h.01M9.3 6.7h.01M12 6.7h.01M5 9.5h6" />`);
export const warnIcon = icon(svg`<path d="M8 2.5l6 10.5H2z" /><path d="M8 6.5v3M8 11.4h.01" />`);
export const chatIcon = icon(svg`<path d="M2.5 3.5h11v7.5h-6l-3 2.5v-2.5h-2z" />`);
export const phoneIcon = icon(svg`<rect x="4.5" y="1.5" width="7" height="13" rx="1.5" /><path d="M7.5 12h1" />`);
export const mailIcon = icon(svg`<rect x="2" y="3.5" width="12" height="9" rx="1" /><path d="M2.5 4.5L8 9l5.5-4.5" />`);
export const backIcon = icon(svg`<path d="M10 4L6 8l4 4" />`);
export const outIcon = icon(svg`<path d="M6.5 3.5h-3v9h9v-3M9.5 3.5h3v3M12.2 3.8L7.5 8.5" />`);

const ofChannel: Record<string, TemplateResult> = { chat: chatIcon, sms: phoneIcon, mail: mailIcon };

/** Nothing for a call, which is what most conversations are. */
export function channelIcon(channel: string): TemplateResult | '' {
  return ofChannel[channel] ?? '';
}
