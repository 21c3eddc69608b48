// What the CRM says of whoever is on the line, in words for the agent.
import type { Activity, Case, Contact, CrmContext, CrmWrite } from '../api/crm-types.ts';
import type { ConversationView } from './conversation.ts';
import { callerName } from './calls.ts';
import { agoText } from './knowledge/review.ts';

/** The view with what the CRM said; an event that was overtaken by a later one changes nothing. */
export function withCrmContext(view: ConversationView, crm: CrmContext, sequence: number): ConversationView {
  if (sequence > 0 && sequence < view.crm_sequence) return view;
  return { ...view, crm, crm_sequence: sequence };
}

export function withCrmWrite(view: ConversationView, write: CrmWrite, sequence: number): ConversationView {
  const known = view.writes.find((one) => isSame(one, write));
  if (known && sequence > 0 && sequence < (known.sequence ?? 0)) return view;
  const next = { ...write, sequence };
  return { ...view, writes: known ? view.writes.map((one) => (one === known ? next : one)) : [...view.writes, next] };
}

/** Whether both are the same effect. */
export function isSame(a: Pick<CrmWrite, 'destination' | 'dedupe_key'>, b: Pick<CrmWrite, 'destination' | 'dedupe_key'>): boolean {
  return a.destination === b.destination && a.dedupe_key === b.dedupe_key;
}

/** The CRM's name for the customer, else the best that the call itself has. */
export function customerName(view: ConversationView): string {
  return view.crm?.contact?.name || callerName(view);
}

export type StripSays =
  | { is: 'facts'; facts: string[]; tier: string | null }
  | { is: 'words'; words: string }
  | { is: 'choose' | 'unknown'; words: string }
  | { is: 'waiting' };

// A call that brings no number leads to no look-up, and so to no word of the CRM: then somebody has to ask.
const CRM_PATIENCE_MS = 8_000;

/** The CRM may still say who it is without anybody's doing. */
export function isWaitedFor(view: ConversationView, now: number): boolean {
  return view.crm === null && view.state === 'live' && now - Date.parse(view.started_at) < CRM_PATIENCE_MS;
}

/** What the line at the call's head says of the customer. */
export function stripSays(view: ConversationView, hasCrm: boolean, attributes: string[], now: number): StripSays {
  const { crm } = view;
  if (!crm) {
    if (hasCrm) return isWaitedFor(view, now) ? { is: 'waiting' } : { is: 'unknown', words: 'Not known yet: who is it?' };
    return { is: 'words', words: attributes.length > 0 ? attributes.join(' · ') : 'No customer record' };
  }
  switch (crm.state) {
    case 'known':
      return { is: 'facts', facts: knownFacts(crm), tier: crm.facts?.tier ?? null };
    case 'ambiguous':
      return { is: 'choose', words: `${crm.candidates?.length ?? 0} contacts have ${searchedWords(crm)}` };
    case 'unknown':
      return { is: 'unknown', words: crm.chosen_by ? 'None of the CRM’s contacts' : 'Not in the CRM' };
    case 'unavailable':
      return { is: 'words', words: view.state === 'live' ? 'CRM not reached – the call goes on' : 'CRM not reached' };
  }
}

function knownFacts({ contact, facts, open_cases: cases }: CrmContext): string[] {
  const since = facts?.since?.slice(0, 4);
  const open = cases.length === 0 ? 'no open case' : `${cases.length} open ${cases.length === 1 ? 'case' : 'cases'}`;
  return [contact?.company, facts?.products[0], since && `since ${since}`, open].filter((one): one is string => Boolean(one));
}

/** `this number`, `this address` */
export function searchedWords({ searched }: CrmContext): string {
  if (searched?.by === 'phone') return 'this number';
  return searched?.by === 'email' ? 'this address' : 'this name';
}

/** Why a candidate is one: its own spelling of the number or address that was searched for. */
export function matchOf(contact: Contact, { searched }: CrmContext): string {
  if (searched?.by === 'phone') return contact.phones.find((phone) => sameNumber(phone, searched.value)) ?? contact.phones[0] ?? '';
  const wanted = searched?.value.toLowerCase();
  return contact.emails.find((mail) => mail.toLowerCase() === wanted) ?? contact.emails[0] ?? '';
}

// National and international spellings of one number share at least these digits.
const SHARED_DIGITS = 9;

function sameNumber(a: string, b: string): boolean {
  const tail = (text: string) => text.replace(/\D/g, '').slice(-SHARED_DIGITS);
  return tail(a) !== '' && tail(a) === tail(b);
}

/** What somebody typed to look a contact up by; undefined where it is neither number nor address. */
export function lookUpKey(text: string): { phone: string } | { email: string } | undefined {
  const typed = text.trim();
  if (/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(typed)) return { email: typed };
  const digits = typed.replace(/\D/g, '');
  return /^\+?[\d\s()./-]+$/.test(typed) && digits.length >= 5 ? { phone: typed } : undefined;
}

/** `#1042 · open · high · opened 3 days ago` without what isn't known. */
export function caseFacts(one: Case, now: number): string[] {
  const opened = one.opened_at ? `opened ${agoText(one.opened_at, now)}` : '';
  return [one.number ? (/^\d/.test(one.number) ? `#${one.number}` : one.number) : '', one.status, opened, one.owner ?? ''].filter(Boolean);
}

/** Priorities that deserve the eye, in the words that CRMs have for them. */
export function isUrgent(priority: string | null): boolean {
  return priority !== null && /urgent|high|critical|p1\b|^1\b/i.test(priority);
}

const kindNames: Record<Activity['kind'], string> = { note: 'Note', call: 'Call', mail: 'E-mail', task: 'Task', status: 'Status', other: 'Entry' };

/** `Call · yesterday · Emma` */
export function activityFacts({ kind, at, by }: Activity, now: number): string {
  return [kindNames[kind] ?? 'Entry', at ? agoText(at, now) : '', by ?? ''].filter(Boolean).join(' · ');
}

/** An address that may be opened: what a CRM returns is a stranger's text. */
export function webAddress(url: string | null | undefined): string | undefined {
  return url && /^https?:\/\//i.test(url) ? url : undefined;
}
