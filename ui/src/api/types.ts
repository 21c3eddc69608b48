// The shapes of the HTTP contract, as they come over the wire. Only fields that the desktop reads are named.
import type { CrmContext, CrmWrite } from './crm-types.ts';
import type { ReplyWrite } from '../state/replies.ts';

export type Role = 'customer' | 'agent' | 'supervisor' | 'bot' | 'expert';

export interface Party {
  id: string;
  role: Role;
  name?: string | null;
}

export interface Me {
  name: string;
  role: string;
  /** Everything is open, as with the service's own key. */
  operator?: boolean;
  tenant: string;
  demo: boolean;
  version: string;
}

/** How one can sign in besides with a key. */
export interface SignInWays {
  provider: { name: string; address: string } | null;
}

export interface Degradation {
  what: string;
  detail: string;
  since: string;
}

export interface SystemState {
  degraded: Degradation[];
  models?: Record<string, string>;
}

export interface List<T> {
  items: T[];
  next: string | null;
}

export interface LastTurn {
  turn_id: string;
  party: Party;
  start_ms: number;
  end_ms: number;
  text: string;
}

export interface Summary {
  id: string;
  state: 'live' | 'ended';
  channel: string;
  external_id: string | null;
  started_at: string;
  ended_at: string | null;
  duration_ms: number;
  parties: Party[];
  attributes: Record<string, string>;
  turn_count: number;
  card_count: number;
  last_turn: LastTurn | null;
  last_sequence: number;
  /** What was said is erased since then. */
  erased_at?: string;
}

export interface Turn {
  turn_id: string;
  party: Party;
  start_ms: number;
  end_ms: number;
  text: string;
  display_text?: string;
}

export interface Partial {
  turn_id: string;
  party: Party;
  start_ms: number;
  text: string;
  stable_prefix_chars: number;
}

/** `start` and `end` count Unicode code points in the passage's text. */
export interface Citation {
  article_id: string;
  passage_id: string;
  revision: number;
  start: number;
  end: number;
  quote: string;
}

export interface Suggestion {
  card_id: string;
  kind: string;
  title: string;
  text: string;
  heading?: string | null;
  article_title?: string | null;
  valid_from?: string | null;
  citations: Citation[];
  score?: number;
  trigger_turn?: string | null;
  latency_ms?: number;
  generator?: string;
  why: string[];
  /** The article's words may not be changed. */
  verbatim?: boolean;
}

/** How a card's answer can be said. */
export interface SpokenCard {
  card_id: string;
  text: string;
  sentences: ProvenSentence[];
}

export interface SuggestedQuestion {
  question: string;
  article_id: string;
  passage_id: string;
}

export type VerdictKind = 'accepted' | 'edited' | 'dismissed' | 'ignored';

export interface Verdict {
  verdict: VerdictKind;
  text: string | null;
  at?: string;
}

export interface StoredSuggestion extends Suggestion {
  offered_at: string;
  sequence: number;
  verdict: Verdict | null;
  voice?: SpokenCard | null;
  withdrawn: boolean;
}

export interface Answer {
  title: string;
  heading?: string | null;
  text: string;
  citations: Citation[];
  score?: number;
  why: string[];
  generator?: string;
  verbatim?: boolean;
}

/** The agent's own question. `answers`: the question that was asked back, if this answers it. */
export interface Question {
  question: string;
  answers?: string;
}

export interface AnsweredQuestion {
  question_id: string;
  question: string;
  /** `abandoned`: whoever asked stopped waiting, or it failed. */
  state: 'answered' | 'asks_back' | 'abstained' | 'abandoned';
  answer: Answer | null;
  /** What a model wrote; absent when the answer is quoted. */
  sentences?: ProvenSentence[];
  ask_back?: string;
  nearest: { article_id: string; title: string; heading?: string | null }[];
  latency_ms?: number;
}

export interface Gap {
  party: Party;
  start_ms: number;
  lost_ms: number;
  why: string;
}

export interface Conversation extends Summary {
  /** How far replies are on their way to a customer who writes. */
  replies?: ReplyWrite[];
  /** The stream's id up to which this answer is complete: listen on after it. */
  position: string;
  turns: Turn[];
  cards: StoredSuggestion[];
  questions: AnsweredQuestion[];
  suggested_questions?: SuggestedQuestion[];
  gaps: Gap[];
  wrapup: WrapUp | null;
  /** Null where no CRM is configured, or it isn't asked yet. */
  crm?: CrmContext | null;
  writes?: CrmWrite[];
}

export interface Passage {
  id: string;
  heading: string | null;
  text: string;
  start: number;
  end: number;
}

export interface Article {
  id: string;
  title: string;
  body: string;
  revision: number;
  state: string;
  audience?: unknown;
  products?: string[];
  language?: string;
  valid_from?: string | null;
  review_by?: string | null;
  source?: string | null;
  passages: Passage[];
}

/** Where words come from; offsets count Unicode code points. */
export type Evidence =
  | { of: 'turn'; turn_id: string; role: Role; start: number; end: number; quote: string }
  | ({ of: 'passage' } & Citation);

export interface ProvenSentence {
  text: string;
  citations: Evidence[];
  support: number;
}

export interface WrapUpHead {
  wrapup_id: string;
  state: string;
  occasion: string;
  language: string;
  authorship?: { provider: string; model?: string | undefined } | undefined;
  /** What the check took out, with the reason. */
  struck?: { text: string; fault: string; why: string }[] | undefined;
  /** Of its event: more than one text can have had this identifier. */
  sequence?: number | undefined;
}

export interface WrapUpSummary extends WrapUpHead {
  sections: { key: string; sentences: ProvenSentence[] }[];
  paragraph: ProvenSentence[];
  /** With a hand-over: who took part, and where the cards came from. */
  parties?: Party[] | undefined;
  articles?: Citation[] | undefined;
}

export interface EmailOrder {
  purpose: string;
  length: string;
  tone: string;
  wish?: string;
}

export interface WrapUpEmail extends WrapUpHead {
  purpose: string;
  length: string;
  tone: string;
  subject: string;
  subject_citations?: Evidence[] | undefined;
  parts: EmailPart[];
}

/** Parts with the same number stand in one paragraph; one without a number is a paragraph by itself. */
export type EmailPart = ProvenSentence & { kind: 'greeting' | 'template' | 'claim' | 'signature'; paragraph?: number | undefined };

export interface WrapUpArticle extends WrapUpHead {
  question: ProvenSentence;
  answer: ProvenSentence[];
}

export interface WrapUpDue {
  phrase: string;
  date?: string | undefined;
  time?: string | undefined;
  /** The end of a window that begins at `time`. */
  until?: string | undefined;
  is_limit: boolean;
  time_zone: string;
}

export interface WrapUpFollowUp extends WrapUpHead {
  kind: string;
  promised_by: string;
  sentence: ProvenSentence;
  due: WrapUpDue | null;
}

export interface WrapUpDisposition extends WrapUpHead {
  choices: { code: string; label: string; probability: number; citations: Evidence[] }[];
  none: number;
}

export type ReviewVerdict = 'accepted' | 'edited' | 'discarded';

export interface WrapUpReview {
  verdict: ReviewVerdict;
  /** What a text became, or the code of a disposition. */
  text: string | null;
  /** Absent while the service has not confirmed it. */
  at?: string | undefined;
}

/** What the agent makes of a draft. */
export interface Decision {
  id: string;
  verdict: ReviewVerdict;
  text?: string | undefined;
  /** Of the draft that was seen. */
  sequence?: number | undefined;
}

export interface WrapUp {
  summary: WrapUpSummary | null;
  hand_over: WrapUpSummary | null;
  email: WrapUpEmail | null;
  article: WrapUpArticle | null;
  follow_ups: WrapUpFollowUp[];
  disposition: WrapUpDisposition | null;
  /** By the draft's identifier. */
  verdicts: Record<string, WrapUpReview>;
  /** Of the drafts in a snapshot, by identifier. */
  sequences?: Record<string, number> | undefined;
  /** What models are writing at this moment; never in a snapshot. */
  growing?: { summary?: WrapUpSummary | undefined; email?: WrapUpEmail | undefined } | undefined;
  /** What gave way last: somebody may still be writing in it. Never in a snapshot. */
  former?: { summary?: WrapUpSummary | undefined; email?: WrapUpEmail | undefined } | undefined;
}

/** A draft as far as it is written and proven; with neither, it won't come. Streamed, never stored. */
export interface WrapUpGrowing {
  wrapup_id: string;
  summary?: WrapUpSummary | undefined;
  email?: WrapUpEmail | undefined;
}

/** One CloudEvents envelope. Partials carry no usable `sequence`: they are never stored. */
export interface Envelope {
  id: string;
  type: string;
  time: string;
  subject: string;
  sequence?: number | null;
  data: unknown;
}
