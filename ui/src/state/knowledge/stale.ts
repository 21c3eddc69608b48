// What should be looked at again: past its review date, or about to end.
import type { ArticleLine } from '../../api/knowledge-types.ts';
import { dayText } from './review.ts';

/** An article that ends so soon needs a decision before it does. */
export const ENDS_WITHIN_DAYS = 30;
const DAY_MS = 86_400_000;

export interface Stale {
  line: ArticleLine;
  /** The day that makes it stale. */
  day: string;
  why: string;
}

/** Those of the published articles that are stale on `today`, the longest overdue first. */
export function staleOf(lines: ArticleLine[], today: string): Stale[] {
  const soon = dayAfter(today, ENDS_WITHIN_DAYS);
  const stale = lines.flatMap((line): Stale[] => {
    if (line.published_revision === null || line.state === 'retired') return [];
    const found: Stale[] = [];
    if (line.valid_until && line.valid_until <= soon) {
      const over = line.valid_until < today;
      found.push({ line, day: line.valid_until, why: `${over ? 'has not held since' : 'holds until'} ${dayText(line.valid_until)}` });
    }
    if (line.review_by && line.review_by <= today) found.push({ line, day: line.review_by, why: `review was due ${dayText(line.review_by)}` });
    return found.sort((a, b) => a.day.localeCompare(b.day)).slice(0, 1);
  });
  return stale.sort((a, b) => a.day.localeCompare(b.day) || a.line.id.localeCompare(b.line.id));
}

export function dayAfter(day: string, days: number): string {
  return new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10);
}
