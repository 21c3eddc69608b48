// What can be done with an article, in which order, and what is said about it.
import type { ArticleDetail, ArticleLine, ReviewAction, RevisionLine } from '../../api/knowledge-types.ts';

/** What waits for a reviewer first, the longest waiting in front; then drafts that nobody has submitted. */
export function queueOf(inReview: ArticleLine[], drafts: ArticleLine[]): ArticleLine[] {
  const oldest = (a: ArticleLine, b: ArticleLine) => a.changed_at.localeCompare(b.changed_at) || a.id.localeCompare(b.id);
  return [...[...inReview].sort(oldest), ...[...drafts].sort(oldest)];
}

/** The steps to publication; none where there is nothing to publish. */
export function stepsToPublish(article: Pick<ArticleDetail, 'state'>): ReviewAction[] {
  if (article.state === 'draft') return ['submit', 'publish'];
  return article.state === 'in_review' ? ['publish'] : [];
}

/** Whether this is the newest revision: only that can be acted on. */
export function isNewest(article: ArticleDetail): boolean {
  return article.revision === article.newest_revision;
}

export interface Acts {
  publish: boolean;
  approve: boolean;
  return: boolean;
  retire: boolean;
}

export function actsOf(article: ArticleDetail): Acts {
  const newest = isNewest(article);
  const inReview = newest && article.state === 'in_review';
  return {
    publish: newest && stepsToPublish(article).length > 0,
    approve: inReview && article.approver === null,
    return: inReview,
    retire: newest && article.state !== 'retired',
  };
}

/** The one that comes after `id` when `id` is done with; '' when the queue is empty then. */
export function nextAfter(ids: string[], id: string): string {
  const at = ids.indexOf(id);
  const rest = ids.filter((other) => other !== id);
  return rest[Math.min(Math.max(at, 0), rest.length - 1)] ?? '';
}

/** The next or previous one, staying at the ends. */
export function step(ids: string[], id: string, by: 1 | -1): string {
  const at = ids.indexOf(id);
  if (at < 0) return ids[by > 0 ? 0 : ids.length - 1] ?? '';
  return ids[Math.min(Math.max(at + by, 0), ids.length - 1)] ?? '';
}

const stateWords: Record<string, string> = { draft: 'draft', in_review: 'in review', published: 'published', retired: 'retired' };

export function stateText(state: string): string {
  return stateWords[state] ?? state.replaceAll('_', ' ');
}

/** `draft from 2 calls · changes what is published · Emma, 3 days ago` */
export function facts(article: ArticleDetail, now: number): string[] {
  const calls = new Set(article.provenance.map((origin) => origin.conversation_id)).size;
  const from = calls > 0 ? ` from ${calls} ${calls === 1 ? 'call' : 'calls'}` : '';
  const draft = article.state === 'draft' || article.state === 'in_review';
  return [
    `${stateText(article.state)}${from}`,
    draft ? (article.published_revision === null ? 'new article' : 'changes what is published') : `revision ${article.revision}`,
    draft && article.approver !== null ? `approved by ${article.approver}` : '',
    `${article.author}, ${agoText(article.changed_at, now)}`,
    article.verbatim ? 'word for word' : '',
    article.valid_until === null ? '' : `holds until ${dayText(article.valid_until)}`,
  ].filter(Boolean);
}

/** The newest reason for which it was sent back, if that is why it is a draft again. */
export function returnedFor(history: RevisionLine[]): RevisionLine | undefined {
  const newest = history.at(-1);
  return newest?.action === 'returned' ? newest : undefined;
}

const DAY_MS = 86_400_000;

/** `today`, `yesterday`, `12 days ago` */
export function agoText(at: string, now: number): string {
  const days = Math.floor((now - Date.parse(at)) / DAY_MS);
  if (Number.isNaN(days)) return '';
  if (days <= 0) return 'today';
  if (days === 1) return 'yesterday';
  return days < 60 ? `${days} days ago` : `${Math.round(days / 30)} months ago`;
}

/** `1 Jun 2026` */
export function dayText(day: string): string {
  const parsed = new Date(day);
  if (Number.isNaN(parsed.valueOf())) return day;
  return parsed.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });
}
