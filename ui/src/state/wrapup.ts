// The drafts of a conversation and what was made of them: (drafts, event) → drafts.
import type {
  EmailPart, WrapUp, WrapUpArticle, WrapUpDisposition, WrapUpDue, WrapUpEmail, WrapUpFollowUp, WrapUpGrowing, WrapUpHead, WrapUpReview, WrapUpSummary,
} from '../api/types.ts';

export const noWrapUp: WrapUp = {
  summary: null, hand_over: null, email: null, article: null, follow_ups: [], disposition: null, verdicts: {},
};

/** What is known of an event besides its data. */
export interface Stored {
  sequence?: number | undefined;
  time?: string | undefined;
}

/** Null for events that are no wrap-up. */
export function withWrapUpEvent(before: WrapUp | null, type: string, data: unknown, stored: Stored = {}): WrapUp | null {
  const after = withStored(before, type, data, stored);
  // What was stored is not growing any more.
  return after === before || after === null ? after : withoutGrowing(after, (data as WrapUpHead).wrapup_id);
}

/** A snapshot's drafts, each with the number of its event. */
export function numbered(wrapup: WrapUp): WrapUp {
  const known = wrapup.sequences ?? {};
  const one = <T extends WrapUpHead | null>(draft: T): T => (draft ? { ...draft, sequence: known[draft.wrapup_id] } : draft);
  const { summary, hand_over, email, article, disposition, follow_ups } = wrapup;
  return {
    ...wrapup, summary: one(summary), hand_over: one(hand_over), email: one(email), article: one(article), disposition: one(disposition),
    follow_ups: follow_ups.map(one),
  };
}

/** What a model is writing, for whom it is wanted. */
export function withGrowing(before: WrapUp | null, data: WrapUpGrowing): WrapUp | null {
  const now = before ?? noWrapUp;
  const { summary, email } = data;
  if (summary) return summary.occasion === 'hand_over' ? before : { ...now, growing: { ...now.growing, summary } };
  if (email) return { ...now, growing: { ...now.growing, email } };
  return before && withoutGrowing(before, data.wrapup_id);
}

/** What is shown in the place of a draft while a better one is being written. */
export function growing(now: WrapUp): NonNullable<WrapUp['growing']> {
  const { summary, email } = now.growing ?? {};
  const fits = (next: WrapUpHead | undefined, old: WrapUpHead | null) =>
    next !== undefined && !(next.wrapup_id in now.verdicts) && (old === null || displaces(now, next, old));
  return { summary: fits(summary, now.summary) ? summary : undefined, email: fits(email, now.email) ? email : undefined };
}

function withoutGrowing(now: WrapUp, id: string): WrapUp {
  if (!now.growing) return now;
  const { summary, email } = now.growing;
  const left = {
    summary: summary?.wrapup_id === id ? undefined : summary,
    email: email?.wrapup_id === id ? undefined : email,
  };
  return { ...now, growing: left.summary || left.email ? left : undefined };
}

function withStored(before: WrapUp | null, type: string, data: unknown, { sequence, time }: Stored): WrapUp | null {
  const now = before ?? noWrapUp;
  const draft = <T extends WrapUpHead>(): T => (sequence === undefined ? (data as T) : { ...(data as T), sequence });
  const newest = <T extends WrapUpHead>(old: T | null): T => (old === null || displaces(now, data as T, old) ? draft<T>() : old);
  switch (type) {
    case 'wrapup.summary':
      return (data as WrapUpSummary).occasion === 'hand_over'
        ? { ...now, hand_over: newest(now.hand_over) }
        : remembering(now, { ...now, summary: newest(now.summary) });
    case 'wrapup.email':
      return remembering(now, { ...now, email: newest(now.email) });
    case 'wrapup.article':
      return { ...now, article: newest<WrapUpArticle>(now.article) };
    case 'wrapup.disposition':
      return { ...now, disposition: newest<WrapUpDisposition>(now.disposition) };
    case 'wrapup.followup':
      return withFollowUp(now, draft<WrapUpFollowUp>());
    case 'wrapup.verdict': {
      const review = data as WrapUpReview & { wrapup_id: string; sequence?: number };
      const seen = draftOf(now, review.wrapup_id)?.sequence;
      // Another text came between the look and the log: it has been judged by nobody.
      const isOfAnother = seen !== undefined && review.sequence !== undefined && review.sequence !== seen;
      if (isOfAnother && review.verdict !== 'edited') return withReview(now, review.wrapup_id, null);
      return recalling(withReview(now, review.wrapup_id, { verdict: review.verdict, text: review.text ?? null, at: time }), review.wrapup_id);
    }
    default:
      return before;
  }
}

/**
 * A draft of the end comes late where a model wrote it. It takes the place neither of one that was asked for meanwhile
 * nor of one that was accepted, edited or discarded. Of two that were asked for the later order counts, whichever is
 * there first; and what was accepted or edited gives way only to an order that was given after that.
 */
function displaces(now: WrapUp, next: WrapUpHead, old: WrapUpHead): boolean {
  const review = now.verdicts[old.wrapup_id];
  if (next.occasion === 'end') return old.occasion === 'end' && !review;
  if (next.wrapup_id === old.wrapup_id) return !review;
  const ordered = orderedAt(next.wrapup_id);
  if (ordered === null) return true;
  if (orderedAt(old.wrapup_id) !== null && next.wrapup_id < old.wrapup_id) return false;
  if (!review || review.verdict === 'discarded') return true;
  return review.at !== undefined && Date.parse(review.at) <= ordered;
}

function remembering(before: WrapUp, after: WrapUp): WrapUp {
  const gone = <T extends WrapUpHead>(old: T | null, next: T | null) => (old && old.wrapup_id !== next?.wrapup_id ? old : undefined);
  const [summary, email] = [gone(before.summary, after.summary), gone(before.email, after.email)];
  return summary || email ? { ...after, former: { ...after.former, ...(summary && { summary }), ...(email && { email }) } } : after;
}

/** What was accepted or edited after an order stands, also where the ordered text came between. */
function recalling(now: WrapUp, id: string): WrapUp {
  const { summary, email } = now.former ?? {};
  const returns = (former: WrapUpHead | undefined, next: WrapUpHead | null) =>
    former?.wrapup_id === id && next !== null && !(next.wrapup_id in now.verdicts) && !displaces(now, next, former);
  const back = { ...(returns(summary, now.summary) && { summary }), ...(returns(email, now.email) && { email }) };
  return remembering(now, { ...now, ...back } as WrapUp);
}

const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** When somebody asked for it, in ms; null where nobody did. Such identifiers sort by that time. */
export function orderedAt(id: string): number | null {
  const time = /^w-([0-7][0-9A-HJKMNP-TV-Z]{9})[0-9A-HJKMNP-TV-Z]{16}(?:-|$)/.exec(id)?.[1];
  return time === undefined ? null : [...time].reduce((ms, digit) => ms * 32 + crockford.indexOf(digit), 0);
}

/** Whether there is anything to decide about: a hand-over is only read. */
export function hasDrafts({ summary, email, article, follow_ups, disposition, growing }: WrapUp): boolean {
  return Boolean(summary || email || article || follow_ups.length > 0 || disposition || growing);
}

export type Place = 'summary' | 'follow_ups' | 'disposition' | 'email' | 'article';
const places: Place[] = ['summary', 'follow_ups', 'disposition', 'email', 'article'];

/**
 * What stands on the sheets: the newest drafts, but where somebody is reading or writing what stood there. Whoever only
 * reads and has asked for another one wants to see it; and what was decided about is what was decided about.
 */
export function standing(shown: WrapUp | null, newest: WrapUp, at: (place: Place) => 'reading' | 'writing' | null, asked: ReadonlySet<string>): WrapUp {
  const heads = (of: WrapUp, place: Place): WrapUpHead[] => [of[place] ?? []].flat();
  const names = (of: WrapUp, place: Place) => heads(of, place).map((head) => `${head.wrapup_id}#${head.sequence}`).join();
  const kept = places.filter((place) => {
    if (!shown || names(shown, place) === '' || names(shown, place) === names(newest, place)) return false;
    const wanted = heads(newest, place).some((head) => asked.has(head.wrapup_id) || head.wrapup_id in newest.verdicts);
    return at(place) === 'writing' || (at(place) === 'reading' && !wanted);
  });
  return { ...newest, ...Object.fromEntries(kept.map((place) => [place, shown?.[place]])) };
}

function draftOf({ summary, hand_over, email, article, disposition, follow_ups }: WrapUp, id: string): WrapUpHead | undefined {
  const all: (WrapUpHead | null)[] = [summary, hand_over, email, article, disposition, ...follow_ups];
  return all.find((draft) => draft?.wrapup_id === id) ?? undefined;
}

export function withReview(wrapup: WrapUp, id: string, review: WrapUpReview | null): WrapUp {
  const { [id]: _, ...others } = wrapup.verdicts;
  return { ...wrapup, verdicts: review ? { ...others, [id]: review } : others };
}

/** Follow-ups that were written together share the stem of their identifiers; a new stem replaces the old ones. */
function withFollowUp(now: WrapUp, one: WrapUpFollowUp): WrapUp {
  const stem = (id: string) => id.slice(0, id.lastIndexOf('-'));
  const together = now.follow_ups.filter((f) => stem(f.wrapup_id) === stem(one.wrapup_id));
  const others = now.follow_ups.filter((f) => !together.includes(f));
  const known = together.find((f) => f.wrapup_id === one.wrapup_id);
  if (![...others, ...(known ? [known] : [])].every((old) => displaces(now, one, old))) return now;
  return { ...now, follow_ups: known ? together.map((f) => (f === known ? one : f)) : [...together, one] };
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

/** `by Thu 5 Mar, 14:00`, `Thu 5 Mar, 14:00–16:00`; what isn't certain is said to be so. */
export function dueText(due: WrapUpDue | null): string {
  if (!due) return 'no date';
  if (!due.date) return `“${due.phrase}”: which day?`;
  // A date has no time zone; in UTC it stays the day that it is.
  const date = new Date(`${due.date}T00:00:00Z`);
  const day = `${dayNames[date.getUTCDay()]} ${date.getUTCDate()} ${monthNames[date.getUTCMonth()]}`;
  return `${due.is_limit ? 'by ' : ''}${day}${due.time ? `, ${due.time}` : ''}${due.until ? `–${due.until}` : ''}`;
}

/** The parts by paragraph, in reading order. */
export function paragraphs(parts: EmailPart[]): EmailPart[][] {
  const found: EmailPart[][] = [];
  for (const part of parts) {
    const last = found.at(-1);
    if (last && part.paragraph !== undefined && last[0]!.paragraph === part.paragraph) last.push(part);
    else found.push([part]);
  }
  return found;
}

export function emailText(email: WrapUpEmail): string {
  return paragraphs(email.parts).map((parts) => parts.map((part) => part.text).join(' ')).join('\n\n');
}

/** `Written by qwen (house), 2 sentences struck`; empty for a draft that quotes and of which nothing was struck. */
export function authorText(head: WrapUpHead): string {
  const { authorship } = head;
  const count = head.struck?.length ?? 0;
  const quotes = authorship === undefined || authorship.provider === 'extractive';
  if (quotes && count === 0) return '';
  const struck = count === 0 ? '' : `, ${count} ${count === 1 ? 'sentence' : 'sentences'} struck`;
  if (quotes) return `Quoted; a model’s text did not stand${struck}`;
  return `Written by ${authorship.model ? `${authorship.model} (${authorship.provider})` : authorship.provider}${struck}`;
}

const faultNames: Record<string, string> = {
  no_source: 'no source', unknown_source: 'source that isn’t there', number: 'number', date: 'date or time', name: 'name', code: 'code',
  negation: 'said the other way round', speaker: 'said by somebody else', condition: 'said only under a condition',
  meaning: 'not said', dangling: 'goes on from what was struck', order: 'meant for a machine', address: 'address of nobody here',
};

export function faultName(fault: string): string {
  return faultNames[fault] ?? fault.replaceAll('_', ' ');
}

/** Once for drafts that were written together: what was struck stands with the first. */
export function authorshipOf(heads: WrapUpHead[]): WrapUpHead | undefined {
  return heads[0] && { ...heads[0], struck: heads.flatMap((head) => head.struck ?? []) };
}

export function articleText(article: WrapUpArticle): string {
  return `${article.question.text}\n\n${article.answer.map((one) => one.text).join(' ')}`;
}

export function summaryText(summary: WrapUpSummary): string {
  return summary.sections.map((s) => `${sectionName(s.key)}\n${s.sentences.map((one) => `– ${one.text}`).join('\n')}`).join('\n\n');
}
