// Everything that is on its way to other systems: which rows are shown, and in what words.
import type { CrmWrite, OutboxItem, SystemHealth, Tally, WriteState } from '../api/crm-types.ts';
import { isSame } from './crm.ts';
import type { KeyPress, KeyWords } from './keys.ts';

export type OutboxTab = 'failed' | 'waiting' | 'done' | 'discarded';

export const outboxTabs: { id: OutboxTab; name: string; states: WriteState[] }[] = [
  { id: 'failed', name: 'Failed', states: ['failed'] },
  { id: 'waiting', name: 'Waiting', states: ['waiting', 'sending'] },
  { id: 'done', name: 'Written', states: ['done'] },
  { id: 'discarded', name: 'Discarded', states: ['discarded'] },
];

export function countOf(tally: Tally[], tab: OutboxTab, system: string): number {
  const states = outboxTabs.find((one) => one.id === tab)?.states ?? [];
  return tally.filter((one) => states.includes(one.state) && (system === '' || one.destination === system)).reduce((sum, one) => sum + one.count, 0);
}

/** The rows of a list that was read, as its effects move on: none leaves the place where somebody reads it. */
export function withWrite(items: OutboxItem[], conversationId: string, write: CrmWrite, at: string): OutboxItem[] {
  const known = items.find((one) => one.conversation_id === conversationId && isSame(one, write));
  if (!known || Date.parse(at) < Date.parse(known.updated_at)) return items;
  const { state, attempts, problem, remote_id } = write;
  const next: OutboxItem = { ...known, state, attempts, problem: problem ?? null, remote_id: remote_id ?? known.remote_id, updated_at: at, next_at: null };
  return items.map((one) => (one === known ? next : one));
}

const operations: Record<string, string> = {
  create_case: 'New case', update_case: 'Change of a case', add_note: 'Note', log_call: 'Entry in the contact’s log', create_task: 'Task',
  push_article: 'Article', draft_mail: 'E-mail draft', send_mail: 'E-mail', put_meeting: 'Calendar entry', post_message: 'Message to colleagues',
};

export function operationName(operation: string): string {
  const words = operation.replaceAll('_', ' ');
  return operations[operation] ?? words.charAt(0).toUpperCase() + words.slice(1);
}

const kindNames: Record<string, string> = { crm: 'CRM', mail: 'Mailbox', calendar: 'Calendar', team: 'Team chat', channel: 'Replies' };
const productNames: Record<string, string> = {
  bottlecrm: 'BottleCRM', rt: 'Request Tracker', salesforce: 'Salesforce', hubspot: 'HubSpot', servicenow: 'ServiceNow', zendesk: 'Zendesk',
  dataverse: 'Dynamics 365', odoo: 'Odoo', imap: 'IMAP', caldav: 'CalDAV', matrix: 'Matrix', slack: 'Slack', teams: 'Teams',
  twilio: 'Twilio', acs: 'Azure Communication Services', smtp: 'mail',
};

/** `CRM (BottleCRM)`; a system that is configured no more keeps the name that it had. */
export function systemName(systems: SystemHealth[], name: string): string {
  const known = systems.find((one) => one.name === name);
  if (!known) return name;
  const product = productNames[known.system] ?? known.system;
  return product ? `${kindNames[known.kind] ?? name} (${product})` : (kindNames[known.kind] ?? name);
}

/** `resting, the key was not accepted: status 401, 120 waiting`; what is well is said in one word. */
export function healthText({ resting, problem, waiting, failed }: SystemHealth): string {
  const parts = [resting ? 'resting' : '', problem ?? '', waiting > 0 ? `${waiting} waiting` : '', failed > 0 ? `${failed} failed` : ''].filter(Boolean);
  return parts.length === 0 ? 'in order' : parts.join(', ');
}

/** `in 40 s`, `in 3 min`: when something is tried again. */
export function untilText(at: string, now: number): string {
  const seconds = Math.ceil((Date.parse(at) - now) / 1_000);
  if (Number.isNaN(seconds)) return '';
  if (seconds <= 0) return 'now';
  if (seconds < 90) return `in ${seconds} s`;
  return seconds < 5_400 ? `in ${Math.round(seconds / 60)} min` : `in ${Math.round(seconds / 3_600)} h`;
}

/** `28 Nov, 14:05` in the reader's own zone; the day is left out today. */
export function whenText(at: string, now: number): string {
  const time = new Date(at);
  if (Number.isNaN(time.valueOf())) return '';
  const clock = time.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  if (time.toDateString() === new Date(now).toDateString()) return clock;
  return `${time.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })}, ${clock}`;
}

/** `4 tries, next in 3 min` */
export function triesText({ attempts, state, next_at: next }: OutboxItem, now: number): string {
  const tries = attempts === 0 ? 'not tried yet' : `${attempts} ${attempts === 1 ? 'try' : 'tries'}`;
  return state === 'waiting' && next && attempts > 0 ? `${tries}, next ${untilText(next, now)}` : tries;
}

const emptyTexts: Record<OutboxTab, string> = {
  failed: 'Nothing failed. What another system refuses for good is listed here with its reason, to be tried again or thrown away.',
  waiting: 'Nothing waits. While a system can’t be reached, what is to be written there stands here and goes out by itself.',
  done: 'Nothing was written yet. Notes, tasks, drafts and appointments stand here once another system has them.',
  discarded: 'Nothing was thrown away.',
};

export const emptyText = (tab: OutboxTab): string => emptyTexts[tab];

export type OutboxAction = 'next' | 'previous' | 'retry' | 'discard' | 'help' | 'close' | OutboxTab;

export const outboxKeys: KeyWords[] = [
  { keys: ['j', 'k'], says: 'Move to the next or previous one' },
  { keys: ['r'], says: 'Try it again' },
  { keys: ['x'], says: 'Throw it away, after a second look' },
  { keys: ['1', '–', '4'], says: 'Failed, waiting, written, discarded' },
  { keys: ['?'], says: 'Show or hide these keys' },
  { keys: ['Esc'], says: 'Close, or keep what was to be thrown away' },
];

const letters: Record<string, OutboxAction> = {
  j: 'next', k: 'previous', r: 'retry', x: 'discard', '?': 'help', Escape: 'close', 1: 'failed', 2: 'waiting', 3: 'done', 4: 'discarded',
};

/** While somebody types, only Escape is ours; with a modifier, the key belongs to the browser. */
export function outboxAction(press: KeyPress, typing: boolean): OutboxAction | undefined {
  if (press.ctrlKey || press.metaKey || press.altKey) return undefined;
  if (typing) return press.key === 'Escape' ? 'close' : undefined;
  if (press.repeat && press.key !== 'j' && press.key !== 'k') return undefined;
  return letters[press.key];
}
