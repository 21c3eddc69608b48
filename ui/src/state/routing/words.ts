// Routing in plain words. What the service names anew keeps its own name, readable.
import { isForAgents } from '../text.ts';

const readable = (name: string): string => name.replaceAll(/[_-]+/g, ' ').trim();
const capital = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);
const said = (words: Record<string, string>) => (name: string): string => words[name] ?? capital(readable(name));

export const channelName = said({ voice: 'Calls', messaging: 'Messages', record: 'Records' });

export const presenceName = said({ available: 'Available', busy: 'Busy', do_not_disturb: 'Do not disturb', away: 'Away', offline: 'Offline' });

/** How one of several is chosen: `by what is known of the customer`. */
export const methodName = (method: string): string => ({
  highest_capacity: 'whoever has most room', advanced_round_robin: 'in turn', least_active: 'whoever is idle longest', skills: 'whoever’s skills fit best',
  context: 'by score', custom: 'by the queue’s own rules',
})[method] ?? readable(method);

export const actionName = (action: string, to: string): string => ({
  queue: `on to ${to}`, external: `on to ${to}`, callback: 'called back', voicemail: 'to voicemail', end: 'ended, with a message', queue_anyway: 'waits all the same',
})[action] ?? [readable(action), to].filter(Boolean).join(' ');

/** What is scored, by a short name. */
export const termName = said({
  value: 'Customer’s weight', waiting_cost: 'Urgency', service_rate_per_min: 'Pace', resolves: 'Settles it', free_capacity: 'Room', idle_s: 'Idle',
  skill_distance: 'Skills off by', bullseye_level: 'Asked in round', declined: 'Declined it',
});

/** Of these, less is better: a long bar would say the opposite. */
const lessIsBetter = new Set(['skill_distance', 'bullseye_level', 'declined']);
export const isLessBetter = (term: string): boolean => lessIsBetter.has(term);

export function termText(name: string, value: number): string {
  if (!Number.isFinite(value)) return '–';
  switch (name) {
    case 'resolves': return `${Math.round(value * 100)} %`;
    case 'service_rate_per_min': return value > 0 ? `${spanText(60_000 / value)} each` : 'none';
    case 'idle_s': return spanText(value * 1_000);
    case 'bullseye_level': return String(value + 1);
    default: return figure(value);
  }
}

/** What a term means; the service says it for the number that it counts with, which for the pace isn't the one that is shown. */
export const termWhy = (name: string, why: string): string => (name === 'service_rate_per_min' ? 'how long such a contact takes the agent' : why);

export const sentenceOf = (words: string): string => capital(words).replace(/[.!?]?$/, '.');

/** Three digits are enough to compare. */
export function figure(value: number): string {
  return Number.isInteger(value) ? String(value) : Number(value.toPrecision(3)).toString();
}

/** `45 s`, `4 min 10 s`, `2 h 5 min`: how long something lasts. */
export function spanText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  if (hours > 0) return minutes > 0 ? `${hours} h ${minutes} min` : `${hours} h`;
  return seconds % 60 > 0 ? `${minutes} min ${seconds % 60} s` : `${minutes} min`;
}

/** `1:34`, as waits are watched. */
export function waitClock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** `40 s`, `2 min`: what is only expected needs no seconds. */
export const aboutText = (ms: number): string => (ms < 90_000 ? spanText(ms) : spanText(Math.round(ms / 60_000) * 60_000));

/** How old knowledge is; seconds say nothing here. */
export function ageText(ms: number): string {
  if (ms < 60_000) return 'just then';
  const minutes = Math.round(ms / 60_000);
  if (minutes < 90) return `${minutes} min before`;
  return minutes < 2_880 ? `${Math.round(minutes / 60)} h before` : `${Math.round(minutes / 1_440)} days before`;
}

// The steps of the service's own levels.
const [MOOD_SLIGHT, MOOD_CLEAR, MOOD_STRONG] = [0.1, 0.3, 0.6];

function moodText(score: number): string {
  const strength = Math.abs(score);
  const side = score < 0 ? 'negative' : 'positive';
  if (strength < MOOD_SLIGHT) return 'neutral';
  return strength < MOOD_CLEAR ? `slightly ${side}` : strength < MOOD_STRONG ? side : `very ${side}`;
}

export function featureText(name: string, value: string | number | boolean): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value !== 'number') return name === 'intent' || name === 'category' ? readable(value) : value;
  if (name === 'sentiment') return moodText(value);
  if (name.endsWith('_probability')) return `${Math.round(value * 100)} %`;
  if (name.endsWith('_in_s')) return value < 0 ? `${spanText(-value * 1_000)} ago` : `in ${spanText(value * 1_000)}`;
  if (name.endsWith('_s')) return spanText(value * 1_000);
  if (name.endsWith('_ms')) return new Date(value).toLocaleString('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
  return figure(value);
}

const featureWords = said({
  intent: 'What it is about', intent_probability: 'How sure that is', sentiment: 'Mood', sentiment_trend: 'Mood is', account_value: 'Worth a year', value: 'Weight',
  open_case: 'Open case', promise_due_ms: 'Promise due', promise_due_in_s: 'Promise due', promise_overdue: 'Promise overdue', recent_contacts: 'Contacts lately',
  known_contact: 'Known in the CRM', handling_s: 'Likely to take',
});

const GIVEN = 'attribute.';

/** What came along with the conversation bears its own name. */
export const featureName = (name: string): string => featureWords(name.startsWith(GIVEN) ? name.slice(GIVEN.length) : name);

/** Not what only machines read: identifiers of streams and the like. */
export const isForPeople = (name: string): boolean => !name.startsWith(GIVEN) || isForAgents(name.slice(GIVEN.length));

/** `insight.intent` is no word for people. */
export const sourceName = (source: string): string => ({
  'insight.intent': 'heard', 'insight.sentiment': 'heard', 'crm.context': 'CRM', 'conversation.started': 'given along', 'turn.final': 'heard', 'insight.category': 'heard', log: 'earlier contacts', 'route.assigned': 'earlier contacts',
})[source] ?? readable(source.replace(/^insight\./, ''));

/** `1 agent`, `3 agents` */
export const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

/** `Billing, Porting and Moves` */
export function listed(names: string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

export const clock = (ms: number): string => new Date(ms).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
