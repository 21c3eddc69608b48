// The list of live calls: a polled list, hurried along by conversation.* events.
import type { Envelope, Party, Summary } from '../api/types.ts';

/** Newest first, so that a call that just began stands where the eye looks. */
export function sorted(calls: Summary[]): Summary[] {
  return [...calls].sort((a, b) => b.started_at.localeCompare(a.started_at));
}

/** The list after one event; the same list when the event changes nothing, so that nothing is drawn again. */
export function withCallEvent(calls: Summary[], event: Envelope): Summary[] {
  const type = event.type.replace(/^backchannel\./, '');
  if (type === 'conversation.ended') return calls.filter((call) => call.id !== event.subject);
  if (type !== 'conversation.started' || calls.some((call) => call.id === event.subject)) return calls;
  const data = event.data as { channel: string; external_id: string | null; parties: Party[]; attributes: Record<string, string> };
  const call: Summary = {
    id: event.subject, state: 'live', channel: data.channel, external_id: data.external_id ?? null, started_at: event.time, ended_at: null,
    duration_ms: 0, parties: data.parties ?? [], attributes: data.attributes ?? {}, turn_count: 0, card_count: 0, last_turn: null,
    last_sequence: event.sequence ?? 0,
  };
  return sorted([...calls, call]);
}

/** Who is on the line, in the best words that are known. */
export function callerName(call: { parties: Party[]; attributes: Record<string, string>; channel: string }): string {
  const customer = call.parties.find((party) => party.role === 'customer');
  const given = customer?.name ?? call.attributes?.['customer_name'];
  return given || (call.attributes?.['source'] === 'desktop-microphone' ? 'Your microphone' : 'Customer');
}
