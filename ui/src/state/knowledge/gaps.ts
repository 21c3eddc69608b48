// Questions that nobody has written an answer to.
import type { KnowledgeGap } from '../../api/knowledge-types.ts';
import { agoText } from './review.ts';

/** `14 times in 12 calls · 1 h 52 min of calls · last today` */
export function gapFacts(gap: KnowledgeGap, now: number): string[] {
  const calls = gap.conversations === 1 ? 'one call' : `${gap.conversations} calls`;
  return [
    `${gap.count === 1 ? 'once' : `${gap.count} times`} in ${calls}`,
    gap.handling_ms.total > 0 ? `${handlingText(gap.handling_ms.total)} of calls` : '',
    `last ${agoText(gap.last_seen, now)}`,
  ].filter(Boolean);
}

/** How the questions were missed: `11 got no card`, … */
export function reasonTexts({ reasons }: KnowledgeGap): string[] {
  return [
    reasons.abstained > 0 ? `${reasons.abstained} got no card` : '',
    reasons.dismissed > 0 ? `${reasons.dismissed} got cards that were dismissed` : '',
    reasons.asked > 0 ? `${reasons.asked} asked by agents, without an answer` : '',
    reasons.searched > 0 ? `${reasons.searched} searched for by agents, with nothing opened` : '',
  ].filter(Boolean);
}

/** Whether what was written closed it; '' as long as nothing was. */
export function closingText(gap: KnowledgeGap): string {
  const { state, asked_since_publication: asked, answered_since: answered } = gap;
  if (state === 'drafted') return 'Somebody is writing: the draft waits in Review.';
  if (asked === null || answered === null) return '';
  const since = `of ${asked === 1 ? 'one question' : `${asked} questions`} since, ${answered} got an answer`;
  if (state === 'closed') return `Closed: an article answers it, and ${asked === 0 ? 'nobody has asked since' : since}.`;
  return asked === 0 ? 'Published, and still open: it isn’t found by this question.' : `Published, and still open: ${since}.`;
}

export function handlingText(ms: number): string {
  const minutes = Math.max(1, Math.round(ms / 60_000));
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
