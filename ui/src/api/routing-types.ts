// Who takes which work: the shapes of the service's answers, as far as pages read them.
import type { Case, Contact } from './crm-types.ts';
import type { Citation, Party, ProvenSentence } from './types.ts';

export type RoutingMode = 'off' | 'shadow' | 'active';

export interface QueueState {
  name: string;
  channel: string;
  method: string;
  waiting: number;
  longest_wait_ms: number;
  /** Members at work, and of those, who may be given what waits; where nothing does, what may come. */
  serving: number;
  free: number;
  /** Conversations that somebody has whose name isn't known; absent in older services. */
  unnamed?: number;
  predicted_wait_ms: number | null;
  /** Of the last while, abandoned ones counted; the page counts what it sees itself where this is absent. */
  service_level?: { in_time: number; of: number; since_ms: number };
  /** What has overflowed in the last while. */
  overflowed?: { action: string; to: string | null; why: string; count: number }[];
}

export interface AgentState {
  name: string;
  presence: string;
  on_shift: boolean;
  capacity: { profile: string; used: number; limit: number }[];
}

export interface RouteTerm {
  name: string;
  value: number;
  why: string;
}

export interface RouteCandidate {
  agent: string;
  score: number;
  terms: RouteTerm[];
}

export interface RouteFeature {
  name: string;
  value: string | number | boolean;
  source: string;
  as_of_ms: number;
}

/** `route.recommended`; absent lists are empty ones. */
export interface RouteRecommended {
  decision_id: string;
  work_item_id: string;
  /** Where the service tells it; else the event's subject or the work item does. */
  conversation_id?: string | null;
  queue: string;
  mode: RoutingMode;
  policy: string;
  epoch: number;
  reason: string;
  chosen: RouteCandidate | null;
  runner_up: RouteCandidate | null;
  others?: RouteCandidate[];
  rules_matched?: string[];
  would_change?: string[];
  features?: RouteFeature[];
  at_ms: number;
}

export interface RouteAssigned {
  decision_id?: string;
  work_item_id: string;
  queue: string;
  agent: string;
  mode: RoutingMode;
  policy: string;
  epoch: number;
  recommended?: string;
  by?: string;
  reason: string;
  waited_ms: number;
  at_ms: number;
}

export interface WorkItem {
  id: string;
  conversation_id: string | null;
  external_id: string | null;
  queue: string | null;
  state: string;
  agent: string | null;
}

export interface WrittenPlan {
  text: string;
  isJson: boolean;
  epoch: number;
}

export interface HandOverPack {
  conversation_id: string;
  customer: { contact: Contact; tier?: string; value?: number; open_cases: Case[] } | null;
  parties: Party[];
  from: string | null;
  intent: { label: string; probability: number } | null;
  sentiment: { level: string; trend: string; score: number } | null;
  about: ProvenSentence[];
  tried: ProvenSentence[];
  promised: ProvenSentence[];
  next_steps: ProvenSentence[];
  sections: { key: string; sentences: ProvenSentence[] }[];
  earlier_promises: { conversation_id: string; wrapup_id: string; kind: string; due_ms?: number; made_ms: number }[];
  articles: { title: string; citation: Citation; verdict?: string }[];
  latest: ProvenSentence[];
  attributes: Record<string, string>;
}
