// The page's keys: the one place that knows which does what.
import type { KeyPress, KeyWords } from '../keys.ts';

export type KnowledgeAction =
  | 'next' | 'previous' | 'approve' | 'return' | 'edit' | 'merge' | 'retire' | 'evidence' | 'write' | 'search' | 'help' | 'close'
  | 'tab1' | 'tab2' | 'tab3' | 'tab4';

export const knowledgeKeys: KeyWords[] = [
  { keys: ['j', 'k'], says: 'Move to the next or previous one in the list' },
  { keys: ['a'], says: 'Approve and publish' },
  { keys: ['r'], says: 'Return to the author, with a reason' },
  { keys: ['e'], says: 'Edit the text' },
  { keys: ['n'], says: 'Write a new article' },
  { keys: ['m'], says: 'Compare with what is published; from there, merge' },
  { keys: ['t'], says: 'Retire: nobody is told it any more' },
  { keys: ['c'], says: 'Go through what the sentences rest on' },
  { keys: ['1', '–', '4'], says: 'Review, gaps, stale, search' },
  { keys: ['/'], says: 'Search all articles' },
  { keys: ['?'], says: 'Show or hide these keys' },
  { keys: ['Esc'], says: 'Close, the innermost first' },
];

const letters: Record<string, KnowledgeAction> = {
  j: 'next', k: 'previous', a: 'approve', r: 'return', e: 'edit', n: 'write', m: 'merge', t: 'retire', c: 'evidence', '/': 'search', '?': 'help',
  Escape: 'close', 1: 'tab1', 2: 'tab2', 3: 'tab3', 4: 'tab4',
};

/** While somebody types, only Escape is ours; with a modifier, the key belongs to the browser. */
export function knowledgeAction(press: KeyPress, typing: boolean): KnowledgeAction | undefined {
  if (press.ctrlKey || press.metaKey || press.altKey) return undefined;
  if (typing) return press.key === 'Escape' ? 'close' : undefined;
  // A held-down key must not publish draft after draft.
  if (press.repeat && press.key !== 'j' && press.key !== 'k') return undefined;
  return letters[press.key];
}
