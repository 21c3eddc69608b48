// The keys of the supervisor's page, and its tabs.
import type { KeyPress, KeyWords } from '../keys.ts';

export type FloorTab = 'queues' | 'decisions' | 'agents' | 'comparison';

export const floorTabs: { id: FloorTab; name: string }[] = [
  { id: 'queues', name: 'Queues' }, { id: 'decisions', name: 'Decisions' }, { id: 'agents', name: 'Agents' }, { id: 'comparison', name: 'Comparison' },
];

export type FloorAction = FloorTab | 'next' | 'previous' | 'open' | 'news' | 'search' | 'conversation' | 'pack' | 'load' | 'help' | 'close';

export const floorKeys: KeyWords[] = [
  { keys: ['1', '–', '4'], says: 'Queues, decisions, agents, comparison' },
  { keys: ['j', 'k'], says: 'Move to the next or previous one' },
  { keys: ['o'], says: 'Open or close the explanation' },
  { keys: ['c'], says: 'Go to the conversation' },
  { keys: ['h'], says: 'Show what goes along at a hand-over' },
  { keys: ['n'], says: 'Show the new decisions' },
  { keys: ['/'], says: 'Find a conversation, or an agent' },
  { keys: ['l'], says: 'Comparison: the next load' },
  { keys: ['?'], says: 'Show or hide these keys' },
  { keys: ['Esc'], says: 'Close, or leave the field' },
];

const letters: Record<string, FloorAction> = {
  1: 'queues', 2: 'decisions', 3: 'agents', 4: 'comparison', j: 'next', k: 'previous', o: 'open', n: 'news', '/': 'search', c: 'conversation', h: 'pack',
  l: 'load', '?': 'help', Escape: 'close',
};

/** While somebody types, only Escape is ours; with a modifier, the key belongs to the browser. */
export function floorAction(press: KeyPress, typing: boolean): FloorAction | undefined {
  if (press.ctrlKey || press.metaKey || press.altKey) return undefined;
  if (typing) return press.key === 'Escape' ? 'close' : undefined;
  if (press.repeat && press.key !== 'j' && press.key !== 'k') return undefined;
  return letters[press.key];
}
