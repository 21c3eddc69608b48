// Words as people read them: masked secrets, code-point slices, times.

export type Piece = { kind: 'text'; text: string } | { kind: 'masked'; label: string };

const maskLabels: Record<string, string> = {
  card: 'card number hidden', account: 'account number hidden', phone: 'phone number hidden', email: 'e-mail address hidden',
  cvv: 'security code hidden', cvc: 'security code hidden', pin: 'PIN hidden', iban: 'IBAN hidden', date_of_birth: 'date of birth hidden',
};

/** Splits `My card is [card-1].` into its words and the masks, whose values were never stored. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let at = 0;
  for (const match of text.matchAll(/\[([a-z][a-z_]*)-\d+\]/g)) {
    if (match.index > at) found.push({ kind: 'text', text: text.slice(at, match.index) });
    const kind = match[1]!;
    found.push({ kind: 'masked', label: maskLabels[kind] ?? `${kind.replaceAll('_', ' ')} hidden` });
    at = match.index + match[0].length;
  }
  if (at < text.length) found.push({ kind: 'text', text: text.slice(at) });
  return found;
}

/** `Heard: It's forty-two pounds.`, with masks by their labels: a tooltip can't show them as marks. */
export function spokenText(heard: string): string {
  return `Heard: ${pieces(heard).map((piece) => (piece.kind === 'text' ? piece.text : `(${piece.label})`)).join('')}`;
}

/** The contract counts code points; a JavaScript string counts UTF-16 units. */
export function sliceCodePoints(text: string, start: number, end?: number): string {
  return Array.from(text).slice(start, end).join('');
}

// A longer word must be able to break where the line is narrow.
const LONGEST_KEPT_WHOLE = 24;

/** The words before the last one, and that one, to which something may be glued; nothing where it is too long. */
export function lastWord(text: string): [string, string] {
  const at = text.search(/\S+\s*$/);
  return at < 0 || text.length - at > LONGEST_KEPT_WHOLE ? [text, ''] : [text.slice(0, at), text.slice(at)];
}

/** `2:04`, or `1:02:04` past the hour: from the start of the call. */
export function callTime(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number) => String(n).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const clock = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return hours > 0 ? `${hours}:${clock}` : clock;
}

export function secondsText(ms: number): string {
  return ms < 9_950 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}

/** `valid_from` as a reader wants it: a month says how fresh the words are. */
export function monthText(date: string | null | undefined): string {
  if (!date) return '';
  const parsed = new Date(date);
  return Number.isNaN(parsed.valueOf()) ? '' : parsed.toLocaleDateString('en-GB', { month: 'short', year: 'numeric', timeZone: 'UTC' });
}

/** `call_sid` → `Call sid`. */
export function attributeName(key: string): string {
  const words = key.replace(/[_.-]+/g, ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Technical marks of the wire say nothing to an agent. */
export function isForAgents(key: string): boolean {
  return !['source', 'customer_name', 'connector', 'thread', 'via'].includes(key) && !/(_sid|stream_id|protocol)$/.test(key);
}

/** The service's own words, unless we know better ones for an agent. */
export function degradedSentence(what: string, detail: string): string {
  if (what === 'knowledge_vectors') return 'Search works by keywords only until the meaning index is ready.';
  return /[.!?]$/.test(detail) ? detail : `${detail}.`;
}
