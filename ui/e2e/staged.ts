import type { Page } from 'playwright-core';
import type { Conversation, Evidence, ProvenSentence, WrapUp, WrapUpSummary } from '../src/api/types.ts';
import { call, card, citation } from './played.ts';

type Answer = (json: unknown, headers?: Record<string, string>, status?: number) => void;
type Stage = { sources: { url: string; onmessage?: (message: { data: string; lastEventId: string }) => void }[] };

/** A call whose service is played, and whose events come when the test says so. */
export class StagedCall {
  private constructor(private readonly page: Page, private readonly id: string, private sequence: number) {}

  static async open(page: Page, changes: Partial<Conversation> = {}): Promise<StagedCall> {
    await page.addInitScript(() => {
      const stage: Stage = { sources: [] };
      (window as unknown as { stage: Stage }).stage = stage;
      window.EventSource = class {
        static OPEN = 1;
        readyState = 1;
        onopen?: () => void;
        constructor(readonly url: string | URL) {
          stage.sources.push(this as unknown as Stage['sources'][number]);
          setTimeout(() => this.onopen?.());
        }
        close(): void {
          stage.sources = stage.sources.filter((one) => one !== (this as unknown));
        }
      } as unknown as typeof EventSource;
    });
    const staged = new StagedCall(page, changes.id ?? call.id, changes.last_sequence ?? call.last_sequence);
    await staged.shows(changes);
    await page.goto(`/desktop#${staged.id}`);
    await page.waitForFunction((id) => (window as unknown as { stage: Stage }).stage.sources.some((one) => String(one.url).includes(id)), staged.id);
    return staged;
  }

  /** What the service says when it is asked for the whole. */
  async shows(changes: Partial<Conversation>): Promise<void> {
    await this.page.route(`**/v1/conversations/${this.id}`, (route) => route.fulfill({ json: { ...call, cards: [card], ...changes } }));
  }

  /** Lets an event come; those that are never stored have no number. */
  async tell(type: string, data: unknown, stored = true): Promise<number> {
    if (stored) this.sequence += 1;
    const sequence = stored ? this.sequence : null;
    const event = { id: `e-${type}-${sequence}`, type: `backchannel.${type}`, time: call.started_at, subject: this.id, sequence, data };
    await this.page.evaluate(
      ([id, data]) => {
        const { stage } = window as unknown as { stage: Stage };
        stage.sources.filter((one) => String(one.url).includes(id)).forEach((one) => one.onmessage?.({ data, lastEventId: '' }));
      },
      [this.id, JSON.stringify(event)] as const,
    );
    return this.sequence;
  }

  /** Answers a POST when the test says so; what was sent comes first. */
  async answers(path: string): Promise<{ asked: Promise<unknown>; answer: Answer }> {
    let answer!: Answer;
    let heard!: (body: unknown) => void;
    const asked = new Promise((hears) => (heard = hears));
    await this.page.route(`**/v1/conversations/${this.id}/${path}`, (route) => {
      heard(route.request().postDataJSON());
      answer = (json, headers = {}, status = 200) => void route.fulfill({ json, headers, status });
    });
    return { asked, answer: (json, headers, status) => answer(json, headers, status) };
  }
}

export const noWrapUp: WrapUp = { summary: null, hand_over: null, email: null, article: null, follow_ups: [], disposition: null, verdicts: {} };
export const turn: Evidence = { of: 'turn', turn_id: 't-1', role: 'customer', start: 0, end: 33, quote: 'So when do I get my money back?' };
export const passage: Evidence = { of: 'passage', ...citation };
export const said = (text: string, ...citations: Evidence[]): ProvenSentence => ({ text, citations: citations.length > 0 ? citations : [turn], support: 1 });
export const head = { wrapup_id: 'w-end-summary-1', state: 'draft', occasion: 'end', language: 'en', authorship: { provider: 'extractive' } };
export const summary = (text: string, changes: Partial<WrapUpSummary> = {}): WrapUpSummary => ({
  ...head, sections: [{ key: 'issue', sentences: [said(text)] }], paragraph: [], ...changes,
});

/** The element that has the focus, in whatever shadow. */
export function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    let active = document.activeElement;
    while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
    return active?.localName ?? '';
  });
}
