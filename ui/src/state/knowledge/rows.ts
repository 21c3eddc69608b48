// The lists' rows, and what stands there when there are none.
import type { List } from '../../api/types.ts';
import type { ArticleHit, ArticleLine, KnowledgeGap } from '../../api/knowledge-types.ts';
import { gapFacts } from './gaps.ts';
import type { TabId } from './place.ts';
import { agoText } from './review.ts';
import type { Stale } from './stale.ts';

/** One line of a list. */
export interface Row {
  id: string;
  title: string;
  /** Below the title, in small. */
  note: string;
  /** Something speaks against it. */
  warns?: boolean;
  /** Between this row and the one before. */
  heading?: string;
}

export function queueRows(queue: ArticleLine[], edited: ReadonlySet<string>, now: number): Row[] {
  return queue.map((line, at) => {
    const kind = line.published_revision === null ? 'new' : 'change';
    const unsaved = edited.has(line.id) ? ' · not saved' : '';
    const first = queue[at - 1]?.state !== line.state;
    const note = `${kind} · ${line.author}, ${agoText(line.changed_at, now)}${unsaved}`;
    const heading = line.state === 'in_review' ? 'In review' : 'Drafts';
    return { id: line.id, title: line.title, note, ...(first ? { heading } : {}), warns: (line.conflict_count ?? 0) > 0 };
  });
}

export function staleRows(stale: Stale[]): Row[] {
  return stale.map(({ line, why }) => ({ id: line.id, title: line.title, note: why }));
}

/** All that is published, or as much of it as was asked for. */
export function allRows({ items, next }: List<ArticleLine>): Row[] {
  const count = items.length === 1 ? 'One published article' : `${items.length} published articles`;
  const heading = next === null ? count : `The first ${items.length} by name; search finds the others`;
  return items.map(({ id, title }, at) => ({ id, title, note: id, ...(at === 0 ? { heading } : {}) }));
}

export function gapRows(gaps: KnowledgeGap[], now: number): Row[] {
  return gaps.map((gap) => ({ id: gap.id, title: gap.question, note: gapFacts(gap, now).join(' · ') }));
}

/** One row per article, with its best passage and why that was found. */
export function hitRows(hits: ArticleHit[]): Row[] {
  const best = hits.filter((hit, at) => hits.findIndex((other) => other.article_id === hit.article_id) === at);
  return best.map((hit) => {
    const place = hit.heading && hit.heading !== hit.title ? `${hit.heading}. ` : '';
    return { id: hit.article_id, title: hit.title, note: `${place}Found by ${hit.why.join('; ')}` };
  });
}

export function emptyText(tab: TabId, query: string): string {
  switch (tab) {
    case 'review':
      return 'Nothing to review. Drafts wait here: write one (n), or have one written for a gap.';
    case 'gaps':
      return 'No gaps. What customers ask and no article answers appears here.';
    case 'stale':
      return 'Nothing is stale. Articles appear here when their review is due, or a month before they end.';
    case 'search':
      return query === '' ? 'Nothing is published yet: write an article (n), or import what you have.' : 'No published article is about that.';
  }
}
