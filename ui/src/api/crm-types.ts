// What the CRM knows, what is put into other systems, and what became of it. As they come over the wire.

export interface Contact {
  id: string;
  name: string | null;
  phones: string[];
  emails: string[];
  company: string | null;
  url: string | null;
}

export interface Activity {
  kind: 'note' | 'call' | 'mail' | 'task' | 'status' | 'other';
  at: string | null;
  by: string | null;
  text: string;
  conversation_id?: string;
}

export interface Case {
  id: string;
  number: string | null;
  subject: string;
  status: string;
  priority: string | null;
  opened_at: string | null;
  updated_at: string | null;
  owner?: string;
  url: string | null;
  history: Activity[];
}

export interface AccountFacts {
  tier: string | null;
  value: number | null;
  /** A date. */
  since: string | null;
  owner: string | null;
  products: string[];
}

/** The newest of a conversation stands. */
export interface CrmContext {
  connector: string;
  state: 'known' | 'ambiguous' | 'unknown' | 'unavailable';
  searched?: { by: 'phone' | 'email' | 'id'; value: string };
  contact: Contact | null;
  candidates?: Contact[];
  facts?: AccountFacts;
  open_cases: Case[];
  history: Activity[];
  /** What couldn't be read, in sentences. */
  missing?: string[];
  /** Why nothing is known. */
  detail?: string;
  chosen_by?: string;
  latency_ms: number;
}

export type WriteState = 'waiting' | 'sending' | 'done' | 'failed' | 'discarded';

/** One effect in another system; the newest of a destination and key stands. */
export interface CrmWrite {
  operation: string;
  dedupe_key: string;
  state: WriteState;
  destination: string;
  contact_id?: string;
  attempts: number;
  remote_id?: string;
  /** Where a person reads what was written. */
  url?: string;
  problem?: string;
  wrapup_id?: string;
  by?: string;
  at?: string;
}

/** A day, and a moment of it where one is known. */
export interface Due {
  date: string;
  time: string | null;
  time_zone: string;
}

export interface OutcomeItem {
  id: string;
  operation: string;
  destination: string;
  rule: 'ask' | 'automatic';
  title: string;
  /** What will be written; once it was chosen, what was put. */
  text: string;
  due: Due | null;
  write: CrmWrite | null;
  /** The same as it was done, or may have been, for a contact whom the CRM no longer has. */
  written_before?: CrmWrite;
}

export interface Outcome {
  items: OutcomeItem[];
  cases: Case[];
  /** Why nothing can be written; a sentence. */
  why_not: string | null;
}

export interface OutcomeChange {
  text?: string;
  /** When a task is due: a day. */
  date?: string;
  /** When a meeting starts, with its zone: `2026-11-26T14:00[Europe/London]`. */
  starts?: string;
  minutes?: number;
}

export interface OutcomeOrder {
  items: string[];
  /** A case's id, `new`, or null for none. */
  case: string | null;
  changes: Record<string, OutcomeChange>;
}

/** How a contact is chosen or looked up anew. */
export type ContactChoice = { contact_id: string } | { phone: string } | { email: string } | { none: true };

export interface OutboxItem {
  id: number;
  conversation_id: string | null;
  operation: string;
  destination: string;
  dedupe_key: string;
  contact_id: string | null;
  contact_name?: string | null;
  state: WriteState;
  attempts: number;
  next_at: string | null;
  problem: string | null;
  remote_id: string | null;
  created_at: string;
  updated_at: string;
  by: string | null;
  text: string;
}

export interface Tally {
  destination: string;
  state: WriteState;
  count: number;
}

export interface Outbox {
  items: OutboxItem[];
  next: string | null;
  tally: Tally[];
}

export interface SystemHealth {
  name: string;
  kind: 'crm' | 'mail' | 'calendar' | 'team' | 'channel';
  system: string;
  /** It is down, and left alone for a moment. */
  resting: boolean;
  /** Why nothing gets through: "the key was not accepted: status 401". */
  problem: string | null;
  waiting: number;
  failed: number;
}

/** A colleague who has resolved such cases. */
export interface Expert {
  name: string;
  /** So many of the cases that were found alike. */
  cases: number;
  /** What they were about. */
  why: string[];
  last: string | null;
}
