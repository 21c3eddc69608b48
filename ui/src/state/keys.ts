// The key map: the one place that knows which key does what. The help panel is drawn from it too.
export type Action =
  | { do: 'insert'; index: number }
  | { do: 'edit' | 'dismiss' | 'ask' | 'next' | 'previous' | 'summary' | 'handover' | 'customer' | 'put' | 'mute' | 'help' | 'close' };

export interface KeyWords {
  keys: string[];
  says: string;
}

export const keyMap: KeyWords[] = [
  { keys: ['1', '2', '3'], says: 'Insert that card: into the reply, or copied to be said' },
  { keys: ['Enter'], says: 'Open the passage that a sentence comes from' },
  { keys: ['e'], says: 'Edit the card before inserting it' },
  { keys: ['x'], says: 'Dismiss the card' },
  { keys: ['j', 'k'], says: 'Move to the next or previous card' },
  { keys: ['/'], says: 'Ask the knowledge base' },
  { keys: ['s'], says: 'Go to the summary; during a call, write one' },
  { keys: ['h'], says: 'Write down the call so far for whoever takes it on' },
  { keys: ['c'], says: 'What the CRM knows of the customer, or who of several it is' },
  { keys: ['p'], says: 'After a call: go to what is put into the CRM; there, put it' },
  { keys: ['m'], says: 'Mute cards for this call, or bring them back' },
  { keys: ['?'], says: 'Show or hide these keys' },
  { keys: ['Ctrl + Enter'], says: 'Send the reply' },
  { keys: ['Esc'], says: 'Close, and let new cards in again' },
];

const letters: Record<string, Action> = {
  e: { do: 'edit' }, x: { do: 'dismiss' }, '/': { do: 'ask' }, j: { do: 'next' }, k: { do: 'previous' }, s: { do: 'summary' },
  h: { do: 'handover' }, c: { do: 'customer' }, p: { do: 'put' }, m: { do: 'mute' }, '?': { do: 'help' }, Escape: { do: 'close' },
};

export interface KeyPress {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  repeat: boolean;
}

/** While somebody types, only Escape is ours; with a modifier, the key belongs to the browser. */
export function actionFor(press: KeyPress, typing: boolean): Action | undefined {
  if (press.ctrlKey || press.metaKey || press.altKey) return undefined;
  if (typing) return press.key === 'Escape' ? { do: 'close' } : undefined;
  // A held-down key must not dismiss card after card.
  if (press.repeat && press.key !== 'j' && press.key !== 'k') return undefined;
  if (/^[1-3]$/.test(press.key)) return { do: 'insert', index: Number(press.key) - 1 };
  return letters[press.key];
}
