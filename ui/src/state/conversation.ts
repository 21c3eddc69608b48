// A conversation's view model and the one pure function that moves it on: (view, event) → view.
// It must give the same view whether events come once, twice, or in another order than they were numbered.
import type { CrmContext, CrmWrite } from '../api/crm-types.ts';
import type {
  AnsweredQuestion, Conversation, Envelope, Gap, Partial, Party, ProvenSentence, SpokenCard, StoredSuggestion, SuggestedQuestion, Suggestion,
  Turn, Verdict, VerdictKind, WrapUp, WrapUpGrowing,
} from '../api/types.ts';
import { withCrmContext, withCrmWrite } from './crm.ts';
import { type Replies, type ReplyWrite, isWritten, repliesOf, withReply } from './replies.ts';
import { numbered, withGrowing, withWrapUpEvent } from './wrapup.ts';

export interface TurnView {
  turn_id: string;
  party: Party;
  start_ms: number;
  end_ms: number | null;
  /** As people write it, where that differs from what was heard. */
  text: string;
  /** What was heard; null when `text` is just that. */
  heard: string | null;
  /** Still being spoken: the words may change. */
  partial: boolean;
  stable_prefix_chars: number;
  /** Finished, and the service can't store it at the moment. */
  unsaved?: boolean;
}

export interface CardView extends Suggestion {
  verdict: Verdict | null;
  /** How it can be said; null while or where no model wrote that. */
  voice: SpokenCard | null;
  withdrawn: string | null;
}

export interface QuestionView {
  question_id: string;
  question: string;
  answer: AnsweredQuestion | null;
  /** Proven already, while the rest is being written. */
  written: ProvenSentence[];
  /** Nobody works on it any more, and it has no answer. */
  broken: boolean;
}

export interface ConversationView {
  id: string;
  state: 'live' | 'ended';
  channel: string;
  external_id: string | null;
  started_at: string;
  /** When second 0 of the turns was; later than `started_at` when audio came late. */
  audio_started_at: string;
  duration_ms: number;
  end_reason: string | null;
  parties: Party[];
  attributes: Record<string, string>;
  turns: TurnView[];
  gaps: Gap[];
  cards: CardView[];
  questions: QuestionView[];
  suggested: SuggestedQuestion[];
  /** Of a conversation that is written: how far the agent's turns are on their way. */
  replies: Replies;
  /** Null while nothing was written. */
  wrapup: WrapUp | null;
  /** Who the CRM says is on the line; null where it has said nothing yet. */
  crm: CrmContext | null;
  /** Of the event that brought it: what was overtaken must not come back. */
  crm_sequence: number;
  /** What is put into other systems, newest of each. */
  writes: (CrmWrite & { sequence?: number })[];
  /** End of speech to its final turn, by the service's clock; null until one arrived live. */
  behind_ms: number | null;
  /** Every stored event up to this number is in the view … */
  through: number;
  /** … and so are these later ones, which overtook others. */
  ahead: number[];
}

export function fromSnapshot(snapshot: Conversation): ConversationView {
  return {
    id: snapshot.id,
    state: snapshot.state,
    channel: snapshot.channel,
    external_id: snapshot.external_id,
    started_at: snapshot.started_at,
    audio_started_at: snapshot.started_at,
    duration_ms: snapshot.duration_ms,
    end_reason: null,
    parties: snapshot.parties,
    attributes: snapshot.attributes ?? {},
    turns: snapshot.turns.map(finalTurn).sort((a, b) => a.start_ms - b.start_ms),
    gaps: snapshot.gaps ?? [],
    cards: snapshot.cards.map(storedCard),
    questions: (snapshot.questions ?? []).map((q) => entry(q, [])),
    suggested: snapshot.suggested_questions ?? [],
    replies: repliesOf(snapshot.replies ?? []),
    wrapup: snapshot.wrapup ? numbered(snapshot.wrapup) : null,
    crm: snapshot.crm ?? null,
    crm_sequence: 0,
    writes: snapshot.writes ?? [],
    behind_ms: null,
    through: snapshot.last_sequence,
    ahead: [],
  };
}

/** A hole in the numbers means that an event is late or lost; a hole that stays is repaired by a new snapshot. */
export function hasHole(view: ConversationView): boolean {
  return view.ahead.length > 0;
}

export function apply(view: ConversationView, event: Envelope): ConversationView {
  const type = event.type.replace(/^backchannel\./, '');
  if (event.subject !== view.id) return view;
  if (type === 'turn.partial') return applyPartial(view, event.data as Partial);
  if (type === 'turn.unsaved') return applyUnsaved(view, event.data as Turn);
  if (type === 'wrapup.growing') {
    const wrapup = withGrowing(view.wrapup, event.data as WrapUpGrowing);
    return wrapup === view.wrapup ? view : { ...view, wrapup };
  }
  // CloudEvents allows its sequence to be text.
  const sequence = Number(event.sequence ?? 0);
  if (sequence > 0 && (sequence <= view.through || view.ahead.includes(sequence))) return view;
  return count(applyStored(view, type, event), sequence);
}

/** The agent's own verdict, shown at once; the stored event that follows says the same. */
export function withVerdict(view: ConversationView, cardId: string, verdict: Verdict | null): ConversationView {
  return { ...view, cards: view.cards.map((card) => (card.card_id === cardId ? { ...card, verdict } : card)) };
}

export function withAnswer(view: ConversationView, answered: AnsweredQuestion): ConversationView {
  const known = view.questions.find((q) => q.question_id === answered.question_id);
  if (!known) return { ...view, questions: [...view.questions, entry(answered, [])] };
  // What stood when it was given up stands still.
  const next = entry(answered, answered.state === 'abandoned' ? known.written : []);
  return { ...view, questions: view.questions.map((q) => (q === known ? next : q)) };
}

/** A question on which nobody works any more, unless its answer came after all. */
export function withBroken(view: ConversationView, questionId: string): ConversationView {
  return { ...view, questions: view.questions.map((q) => (q.question_id === questionId && q.answer === null ? { ...q, broken: true } : q)) };
}

function entry(answered: AnsweredQuestion, written: ProvenSentence[]): QuestionView {
  const { question_id, question } = answered;
  const broken = answered.state === 'abandoned';
  return { question_id, question, answer: broken ? null : answered, written, broken };
}

/** What is written of an answer so far; an empty list takes back what was shown. */
export function withWritten(view: ConversationView, asked: { question_id: string; question: string }, written: ProvenSentence[]): ConversationView {
  const known = view.questions.some((q) => q.question_id === asked.question_id);
  const questions = known ? view.questions : [...view.questions, { ...asked, answer: null, written: [], broken: false }];
  return { ...view, questions: questions.map((q) => (q.question_id === asked.question_id && q.answer === null ? { ...q, written } : q)) };
}

/** What is said when the card is used: the agent's own words, else the spoken ones, else the quoted ones. */
export function wordsOf(card: CardView): string {
  return card.verdict?.text ?? card.voice?.text ?? card.text;
}

/** An answer for the ear. */
export function answerAloud(answered: AnsweredQuestion): string {
  if (answered.ask_back) return `Asked back: ${answered.ask_back}`;
  return answered.answer ? `Answer: ${answered.answer.text}` : 'The knowledge base has no answer to this.';
}

/** What may still be asked: a question that was asked is no suggestion any more. */
export function openSuggestions(view: ConversationView): SuggestedQuestion[] {
  if (view.state === 'ended') return [];
  return view.suggested.filter((s) => !view.questions.some((q) => q.question === s.question));
}

function applyStored(view: ConversationView, type: string, event: Envelope): ConversationView {
  switch (type) {
    case 'turn.final':
      return applyFinal(view, event.data as Turn, event.time);
    case 'suggestion.offered':
      return applyOffer(view, event.data as Suggestion);
    case 'suggestion.voiced': {
      const voice = event.data as SpokenCard;
      return { ...view, cards: view.cards.map((c) => (c.card_id === voice.card_id ? { ...c, voice } : c)) };
    }
    case 'suggestion.questions':
      return { ...view, suggested: (event.data as { questions: SuggestedQuestion[] }).questions };
    case 'suggestion.withdrawn': {
      const data = event.data as { card_id: string; why: string };
      return { ...view, cards: view.cards.map((c) => (c.card_id === data.card_id ? { ...c, withdrawn: data.why || 'withdrawn' } : c)) };
    }
    case 'suggestion.verdict': {
      const data = event.data as { card_id: string; verdict: VerdictKind; text: string | null };
      return withVerdict(view, data.card_id, { verdict: data.verdict, text: data.text ?? null });
    }
    case 'question.asked': {
      const data = event.data as { question_id: string; question: string };
      if (view.questions.some((q) => q.question_id === data.question_id)) return view;
      return { ...view, questions: [...view.questions, { ...data, answer: null, written: [], broken: false }] };
    }
    case 'question.answered':
      return withAnswer(view, event.data as AnsweredQuestion);
    case 'audio.started':
      return withParty(view.turns.length === 0 ? { ...view, audio_started_at: event.time } : view, event.data as { party?: Party; name?: string });
    case 'audio.gap':
      return applyGap(view, event.data as Gap);
    case 'conversation.started': {
      const data = event.data as { parties?: Party[]; attributes?: Record<string, string> };
      return { ...view, parties: data.parties ?? view.parties, attributes: data.attributes ?? view.attributes };
    }
    case 'crm.context':
      return withCrmContext(view, event.data as CrmContext, Number(event.sequence ?? 0));
    case 'crm.write':
      if ((event.data as ReplyWrite).turn_id) return { ...view, replies: withReply(view.replies, event.data as ReplyWrite) };
      return withCrmWrite(view, { ...(event.data as CrmWrite), at: event.time }, Number(event.sequence ?? 0));
    case 'conversation.ended': {
      const data = event.data as { reason: string; duration_ms: number };
      // Whatever was still open will never settle now.
      const turns = view.turns.filter((turn) => !turn.partial);
      return { ...view, state: 'ended', end_reason: data.reason, duration_ms: data.duration_ms ?? view.duration_ms, turns };
    }
    default: {
      const wrapup = withWrapUpEvent(view.wrapup, type, event.data, { sequence: Number(event.sequence ?? 0) || undefined, time: event.time });
      return wrapup === view.wrapup ? view : { ...view, wrapup };
    }
  }
}

/** Whoever comes later takes part, too. */
function withParty(view: ConversationView, { party, name }: { party?: Party; name?: string }): ConversationView {
  if (!party || view.parties.some((one) => one.id === party.id)) return view;
  return { ...view, parties: [...view.parties, { ...party, name: name ?? null }] };
}

function applyPartial(view: ConversationView, data: Partial): ConversationView {
  const index = view.turns.findIndex((turn) => turn.turn_id === data.turn_id);
  // A partial that comes after its final is old news.
  if (index >= 0 && !view.turns[index]!.partial) return view;
  if (view.state === 'ended') return view;
  if (data.text === '') return index < 0 ? view : { ...view, turns: view.turns.filter((_, i) => i !== index) };
  const turn: TurnView = {
    turn_id: data.turn_id, party: data.party, start_ms: data.start_ms, end_ms: null, text: data.text, heard: null, partial: true,
    stable_prefix_chars: data.stable_prefix_chars ?? 0,
  };
  return { ...view, turns: placed(view.turns, index, turn) };
}

/** A final that the service can't store yet; the stored one takes its place. */
function applyUnsaved(view: ConversationView, data: Turn): ConversationView {
  const index = view.turns.findIndex((turn) => turn.turn_id === data.turn_id);
  const known = view.turns[index];
  if (known && !known.partial && !known.unsaved) return view;
  return { ...view, turns: placed(view.turns, index, { ...finalTurn(data), unsaved: true }) };
}

function applyFinal(view: ConversationView, data: Turn, time: string): ConversationView {
  const index = view.turns.findIndex((turn) => turn.turn_id === data.turn_id);
  const behind = Date.parse(time) - (Date.parse(view.audio_started_at) + data.end_ms);
  return {
    ...view,
    turns: placed(view.turns, index, finalTurn(data)),
    // A replay faster than real time has no meaningful lag.
    behind_ms: Number.isFinite(behind) && behind >= 0 && !isWritten(view) ? behind : view.behind_ms,
  };
}

function applyOffer(view: ConversationView, data: Suggestion): ConversationView {
  if (view.cards.some((card) => card.card_id === data.card_id)) return view;
  return { ...view, cards: [...view.cards, { ...data, why: data.why ?? [], verdict: null, voice: null, withdrawn: null }] };
}

function applyGap(view: ConversationView, gap: Gap): ConversationView {
  const known = view.gaps.some((g) => g.party.id === gap.party.id && g.start_ms === gap.start_ms);
  return known ? view : { ...view, gaps: [...view.gaps, gap] };
}

/** A turn keeps the place where it was first shown: settling must not make it jump over its neighbours. */
function placed(turns: TurnView[], index: number, turn: TurnView): TurnView[] {
  if (index >= 0) return turns.map((old, i) => (i === index ? turn : old));
  let at = turns.length;
  while (at > 0 && turns[at - 1]!.start_ms > turn.start_ms) at -= 1;
  return [...turns.slice(0, at), turn, ...turns.slice(at)];
}

function count(view: ConversationView, sequence: number): ConversationView {
  if (sequence <= 0) return view;
  const ahead = [...view.ahead, sequence].sort((a, b) => a - b);
  let through = view.through;
  while (ahead[0] === through + 1) {
    through += 1;
    ahead.shift();
  }
  return { ...view, through, ahead };
}

function finalTurn(turn: Turn): TurnView {
  return {
    turn_id: turn.turn_id, party: turn.party, start_ms: turn.start_ms, end_ms: turn.end_ms, text: turn.display_text ?? turn.text,
    heard: turn.display_text === undefined ? null : turn.text, partial: false, stable_prefix_chars: 0,
  };
}

function storedCard(card: StoredSuggestion): CardView {
  return { ...card, why: card.why ?? [], voice: card.voice ?? null, withdrawn: card.withdrawn ? 'withdrawn' : null };
}
