// The knowledge base's shapes, as they come over the wire. Only fields that the page reads are named.
import type { Passage } from './types.ts';

export type ArticleState = 'draft' | 'in_review' | 'published' | 'retired';
export type ReviewAction = 'submit' | 'approve' | 'return' | 'publish' | 'retire';

export interface ArticleLine {
  id: string;
  title: string;
  /** Of the newest revision. */
  state: ArticleState;
  revision: number;
  published_revision: number | null;
  products: string[];
  audience: string[];
  language: string;
  review_by: string | null;
  /** The last day on which what is in force holds. */
  valid_until: string | null;
  author: string;
  approver: string | null;
  changed_at: string;
  /** Sentences that contradict what is published, where the service counts them. */
  conflict_count?: number;
}

export interface TurnQuote {
  turn_id: string;
  quote: string;
}

/** Where a sentence of a draft comes from. */
export interface SentenceOrigin {
  sentence: string;
  conversation_id: string;
  turns: TurnQuote[];
}

/** Two sentences that can't both be true. */
export interface Conflict {
  /** number, amount, duration, time, date or negation */
  kind: string;
  /** The draft's. */
  sentence: string;
  article_id: string;
  article_title?: string | null;
  heading?: string | null;
  published_sentence: string;
}

export interface ArticleDetail {
  id: string;
  title: string;
  body: string;
  revision: number;
  state: ArticleState;
  audience: string[];
  products: string[];
  language: string;
  valid_from: string | null;
  valid_until: string | null;
  review_by: string | null;
  source: string | null;
  verbatim: boolean;
  passages: Passage[];
  author: string;
  approver: string | null;
  /** drafted, submitted, approved, returned, published, retired or imported */
  action: string;
  by: string;
  changed_at: string;
  comment: string | null;
  published_revision: number | null;
  newest_revision: number;
  newest_state: ArticleState;
  provenance: SentenceOrigin[];
  conflicts?: Conflict[];
}

/** A draft that is new. */
export interface NewArticle {
  title: string;
  body: string;
  valid_until: string | null;
  review_by: string | null;
  comment?: string;
}

/** A change; fields that are absent stay as they are. */
export interface ArticleChange {
  revision: number;
  title?: string;
  body?: string;
  valid_until?: string | null;
  review_by?: string | null;
  comment?: string;
  provenance?: SentenceOrigin[];
}

export interface RevisionLine {
  revision: number;
  state: ArticleState;
  action: string;
  title: string;
  author: string;
  by: string;
  approver: string | null;
  at: string;
  comment: string | null;
}

export interface DiffPart {
  text: string;
  changed: boolean;
}

export interface DiffLine {
  change: 'same' | 'removed' | 'added';
  from_line: number | null;
  to_line: number | null;
  parts: DiffPart[];
}

export interface Diff {
  from: number;
  to: number;
  fields: { field: string; from: unknown; to: unknown }[];
  body: DiffLine[];
}

export interface ArticleHit {
  article_id: string;
  passage_id: string;
  title: string;
  heading: string;
  text: string;
  score: number;
  why: string[];
  /** Offsets count code points of `text`. */
  sentence: { start: number; end: number; quote: string } | null;
}

export interface FoundArticles {
  items: ArticleHit[];
  degraded: boolean;
}

export interface DayUse {
  /** `2026-11-28`, UTC */
  day: string;
  offered: number;
  accepted: number;
  edited: number;
  dismissed: number;
}

export interface ArticleUse {
  /** Days on which something happened, the oldest first. */
  days: DayUse[];
}

export interface GapSample {
  conversation_id: string;
  turn_id: string | null;
  text: string;
  at: string;
}

/** Questions that ask the same and were not answered. */
export interface KnowledgeGap {
  id: string;
  /** The one in their middle. */
  question: string;
  /** It with what was said before, where it says too little by itself. */
  context: string | null;
  /** How many were not answered, and in how many conversations. */
  count: number;
  conversations: number;
  /** Of the conversations that are over. */
  handling_ms: { mean: number | null; total: number };
  first_seen: string;
  last_seen: string;
  reasons: { abstained: number; dismissed: number; asked: number; searched: number };
  samples: GapSample[];
  nearest: { article_id: string; title: string; score: number } | null;
  /** open, drafted (somebody writes) or closed (an article published since answers it, and most of what was asked since). */
  state: string;
  /** What was drafted for it, or was published since and answers it. */
  article_id: string | null;
  published_at: string | null;
  /** How often it was asked since then, and how many of those questions were answered. */
  asked_since_publication: number | null;
  answered_since: number | null;
}
