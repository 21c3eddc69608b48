import { html } from 'lit';
import { deepActiveElement } from './focus.ts';

/** While the first answer is awaited. */
export const loading = html`<div class="bones" role="img" aria-label="Loading"><i style="width:60%"></i><i></i><i style="width:80%"></i></div>`;

/** Why there is nothing to show, and a way to try again. */
export function broken(why: string, again: () => void) {
  return html`<div class="note"><p>${why}</p>
    <button type="button" class="button" @click=${again}>Try again</button></div>`;
}

/** Whoever isn't signed in comes back here afterwards. */
export function toSignIn(): void {
  location.replace(`/?next=${encodeURIComponent(location.pathname + location.hash)}`);
}

/** Moves the focus to the next row or the one before, to the first where none has it. False where there are no rows. */
export function stepTo(rows: readonly HTMLElement[], by: 1 | -1): boolean {
  const active = deepActiveElement();
  const at = rows.findIndex((row) => row === active || row.matches(':focus-within'));
  const next = rows[at < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, at + by))];
  next?.focus();
  next?.scrollIntoView({ block: 'nearest' });
  return next !== undefined;
}

/** Takes the focus away from where it is; false where nothing has it. */
export function leave(): boolean {
  const active = deepActiveElement();
  active?.blur();
  return active !== null;
}
