import { LitElement } from 'lit';
import { state } from 'lit/decorators.js';

/** An element that draws in pixels and so has to know its width: scaled text can't be read on a phone. */
export class Sized extends LitElement {
  @state() protected width = 0;
  private readonly observer = new ResizeObserver(([entry]) => {
    const width = Math.floor(entry?.contentRect.width ?? 0);
    if (width !== this.width) this.width = width;
  });

  override connectedCallback(): void {
    super.connectedCallback();
    this.observer.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.observer.disconnect();
  }
}
