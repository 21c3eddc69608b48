// The drafts of a conversation and what was made of them: (drafts, event) → drafts.
import type {
  WrapUp, WrapUpArticle, WrapUpDisposition, WrapUpEmail, WrapUpFollowUp, WrapUpReview, WrapUpSummary, WrapUpDue,
} from '../api/types.ts';

export const noWrapUp: WrapUp = {
  summary: null, hand_over: null, email: null, article: null, follow_ups: [], disposition: null, verdicts: {},
};

/** Null for events that are no wrap-up. */
export function withWrapUpEvent(before: WrapUp | null, type: string, data: unknown): WrapUp | null {
  const now = before ?? noWrapUp;
  switch (type) {
    case 'wrapup.summary': {
      const summary = data as WrapUpSummary;
      return summary.occasion === 'hand_over' ? { ...now, hand_over: summary } : { ...now, summary };
    }
    case 'wrapup.email':
      return { ...now, email: data as WrapUpEmail };
    case 'wrapup.article':
      return { ...now, article: data as WrapUpArticle };
    case 'wrapup.disposition':
      return { ...now, disposition: data as WrapUpDisposition };
    case 'wrapup.followup':
      return withFollowUp(now, data as WrapUpFollowUp);
    case 'wrapup.verdict': {
      const review = data as WrapUpReview & { wrapup_id: string };
      return withReview(now, review.wrapup_id, { verdict: review.verdict, text: review.text ?? null });
    }
    default:
      return before;
  }
}

export function withReview(wrapup: WrapUp, id: string, review: WrapUpReview | null): WrapUp {
  const { [id]: _, ...others } = wrapup.verdicts;
  return { ...wrapup, verdicts: review ? { ...others, [id]: review } : others };
}

/** Follow-ups that were written together share the stem of their identifiers; a new stem replaces the old ones. */
function withFollowUp(now: WrapUp, one: WrapUpFollowUp): WrapUp {
  const stem = (id: string) => id.slice(0, id.lastIndexOf('-'));
  const kept = now.follow_ups.filter((f) => stem(f.wrapup_id) === stem(one.wrapup_id) && f.wrapup_id !== one.wrapup_id);
  return { ...now, follow_ups: [...kept, one] };
}

const sectionNames: Record<string, string> = {
  issue: 'Issue', root_cause: 'Cause', steps_tried: 'Tried', outcome: 'Outcome', promises: 'Promised', next_steps: 'Next', error_codes: 'Error codes',
};

/** `own_section` → `Own section`. */
export function sectionName(key: string): string {
  const words = key.replaceAll('_', ' ');
  return sectionNames[key] ?? words.charAt(0).toUpperCase() + words.slice(1);
}

const dayNames = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const monthNames = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `by Thu 5 Mar, 14:00`; what isn't certain is said to be so. */
export function dueText(due: WrapUpDue | null): string {
  if (!due) return 'no date';
  if (!due.date) return `“${due.phrase}”: which day?`;
  // A date has no time zone; in UTC it stays the day that it is.
  const date = new Date(`${due.date}T00:00:00Z`);
  const day = `${dayNames[date.getUTCDay()]} ${date.getUTCDate()} ${monthNames[date.getUTCMonth()]}`;
  return `${due.is_limit ? 'by ' : ''}${day}${due.time ? `, ${due.time}` : ''}`;
}

export function emailText(email: WrapUpEmail): string {
  return email.parts.map((part) => part.text).join('\n\n');
}

export function summaryText(summary: WrapUpSummary): string {
  return summary.sections.map((s) => `${sectionName(s.key)}\n${s.sentences.map((one) => `– ${one.text}`).join('\n')}`).join('\n\n');
}
