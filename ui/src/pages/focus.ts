// Focus lives inside nested shadow roots; the document alone only knows the outermost host.

export function deepActiveElement(): HTMLElement | null {
  let active = document.activeElement;
  while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
  return active instanceof HTMLElement && active !== document.body ? active : null;
}

/** Asked later, it tells whether the focus is still where it is now. */
export function focusStays(): () => boolean {
  const then = deepActiveElement();
  return () => document.hasFocus() && deepActiveElement() === then;
}

export function isTyping(event: Event): boolean {
  const target = event.composedPath()[0];
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches('input, textarea, select');
}
