import type { Page } from 'playwright-core';
import type { ArticleDetail, ArticleLine, ArticleUse, Conflict, Diff, KnowledgeGap, RevisionLine, SentenceOrigin } from '../src/api/knowledge-types.ts';
import { call, customer } from './played.ts';

/** What was sent to the service, in order. */
export interface Sent {
  method: string;
  path: string;
  body: unknown;
}

const agent = { id: 'p-2', role: 'agent', name: 'Emma' };
const turn = (turn_id: string, party: typeof customer | typeof agent, start_ms: number, text: string) => ({ turn_id, party, start_ms, end_ms: start_ms + 3_000, text, words: [], language: 'en' });
export const conversation = {
  ...call, id: 'c-31', state: 'ended', ended_at: '2026-11-26T10:06:00.000Z', duration_ms: 360_000, parties: [customer, agent], cards: [], suggested_questions: [],
  turns: [
    turn('t-1', customer, 4_000, 'Hi, you took the direct debit twice this month.'),
    turn('t-2', agent, 9_000, 'I am sorry about that, I can see both payments.'),
    turn('t-3', customer, 151_000, 'The second one put me overdrawn, and my bank charged me a fee of twelve pounds.'),
    turn('t-4', agent, 163_000, 'Send us the statement that shows the fee, and we pay it back within ten working days.'),
    turn('t-5', customer, 174_000, 'Right, I will send it today.'),
  ],
};

const sentence = {
  pays: 'We repay the bank’s fee when a duplicate payment of ours caused it.',
  statement: 'The customer sends a statement that shows the fee.',
  days: 'The fee is repaid within ten working days.',
};
export const origins: SentenceOrigin[] = [
  { sentence: sentence.pays, conversation_id: 'c-31', turns: [{ turn_id: 't-3', quote: 'my bank charged me a fee of twelve pounds' }, { turn_id: 't-4', quote: 'we pay it back' }] },
  { sentence: sentence.statement, conversation_id: 'c-31', turns: [{ turn_id: 't-4', quote: 'Send us the statement that shows the fee' }] },
  { sentence: sentence.days, conversation_id: 'c-31', turns: [{ turn_id: 't-4', quote: 'within ten working days' }] },
  { sentence: sentence.days, conversation_id: 'c-gone', turns: [{ turn_id: 't-9', quote: 'that takes ten working days' }] },
];
export const conflict: Conflict = {
  kind: 'value', sentence: sentence.days, article_id: 'billing/charges', article_title: 'Charges', heading: 'Bank charges',
  published_sentence: 'Bank fees are repaid within five working days.',
};

const base = {
  audience: ['agent'], products: ['fibre'], language: 'en', valid_from: null, valid_until: null, review_by: null, source: null, verbatim: false, passages: [],
  approver: null, comment: null, changed_at: '2026-11-27T09:00:00.000Z',
};
export const fees: ArticleDetail = {
  ...base, id: 'billing/bank-fees', title: 'Bank fees after a duplicate payment', revision: 2, state: 'in_review', author: 'case-to-knowledge', action: 'submitted', by: 'Emma',
  published_revision: null, newest_revision: 2, newest_state: 'in_review', provenance: origins, conflicts: [conflict],
  body: [
    '## When we repay a fee', '', `${sentence.pays} It does not matter which bank it is.`, '', '## What to ask for', '', `- ${sentence.statement}`,
    '- The account number is **not** needed.', '', `${sentence.days}`, '', '<img src=x onerror="document.title=\'run\'"><script>document.title = "run"</script>', '',
    '| Fee | Repaid |', '|---|---|', '| Overdraft | yes |', '| Late payment | no |', '', '[Our terms](https://example.com/terms) and [a trap](javascript:alert(1)).',
  ].join('\n'),
};
export const refunds: ArticleDetail = {
  ...base, id: 'billing/refunds', title: 'Refunds', revision: 4, state: 'in_review', author: 'Ravi', action: 'submitted', by: 'Ravi', published_revision: 3,
  newest_revision: 4, newest_state: 'in_review', provenance: [], review_by: '2027-05-01',
  body: 'Refunds go back to the account that paid.\n\nThey take up to 7 working days.\n\nA refund of more than £500 needs a team leader.\n',
};
export const charges: ArticleDetail = {
  ...base, id: 'billing/charges', title: 'Charges', revision: 1, state: 'published', author: 'file', action: 'imported', by: 'file', published_revision: 1, newest_revision: 1,
  newest_state: 'published', provenance: [], review_by: '2026-10-01',
  body: '# Charges\n\n## Late payment\n\nA late payment costs £5.\n\n## Bank charges\n\nBank fees are repaid within five working days. We need a statement.\n',
};
const returned: ArticleDetail = {
  ...base, id: 'router/restart', title: 'Restarting the router when the light stays amber', revision: 3, state: 'draft', author: 'Emma', action: 'returned', by: 'Ravi',
  comment: 'Say which light.', published_revision: null, newest_revision: 3, newest_state: 'draft', provenance: [], body: 'Switch it off, wait ten seconds, and switch it on.\n',
};
const all = [fees, refunds, charges, returned];

const same = (text: string, n: number): Diff['body'][number] => ({ change: 'same', from_line: n, to_line: n, parts: [{ text, changed: false }] });
const diff: Diff = {
  from: 3, to: 4, fields: [{ field: 'review_by', from: '2026-12-01', to: '2027-05-01' }],
  body: [
    same('Refunds go back to the account that paid.\n', 1), same('\n', 2),
    { change: 'removed', from_line: 3, to_line: null, parts: [{ text: 'They take up to ', changed: false }, { text: '5', changed: true }, { text: ' working days.\n', changed: false }] },
    { change: 'added', from_line: null, to_line: 3, parts: [{ text: 'They take up to ', changed: false }, { text: '7', changed: true }, { text: ' working days.\n', changed: false }] },
    ...Array.from({ length: 9 }, (_, at) => same(at % 2 === 0 ? '\n' : `Sentence ${at} stays as it was.\n`, at + 4)),
    { change: 'added', from_line: null, to_line: 13, parts: [{ text: 'A refund of more than £500 needs a team leader.\n', changed: true }] },
  ],
};
const use: ArticleUse = {
  days: [
    ['2026-09-15', 3, 2, 0, 1], ['2026-09-29', 6, 3, 1, 1], ['2026-10-07', 9, 6, 1, 1], ['2026-10-20', 12, 7, 2, 2], ['2026-10-28', 8, 3, 0, 4], ['2026-11-11', 14, 5, 1, 6],
    ['2026-11-18', 10, 2, 0, 7], ['2026-11-25', 7, 1, 1, 4],
  ].map(([day, offered, accepted, edited, dismissed]) => ({ day, offered, accepted, edited, dismissed })) as ArticleUse['days'],
};
export const gaps: KnowledgeGap[] = [
  {
    id: 'g-1', question: 'Can I keep my number when I move to another town?', context: null, count: 14, conversations: 12,
    handling_ms: { mean: 560_000, total: 6_720_000 }, first_seen: '2026-11-02T09:00:00.000Z', last_seen: '2026-11-27T15:00:00.000Z',
    reasons: { abstained: 9, dismissed: 2, asked: 2, searched: 1 }, nearest: { article_id: 'billing/charges', title: 'Charges', score: 0.2 },
    samples: [
      { conversation_id: 'c-31', turn_id: 't-3', text: 'I am moving to Leeds, does my number come with me?', at: '2026-11-27T15:00:00.000Z' },
      { conversation_id: 'c-30', turn_id: 't-7', text: 'Will I have a new phone number at the new flat?', at: '2026-11-25T11:00:00.000Z' },
    ],
    state: 'open', article_id: null, published_at: null, asked_since_publication: null, answered_since: null,
  },
  {
    id: 'g-2', question: 'Why is it amber?', context: 'The light of my router. Why is it amber?', count: 5, conversations: 5, handling_ms: { mean: null, total: 0 },
    first_seen: '2026-11-20T15:00:00.000Z', last_seen: '2026-11-24T15:00:00.000Z', reasons: { abstained: 5, dismissed: 0, asked: 0, searched: 0 }, nearest: null,
    state: 'drafted', article_id: 'router/restart', published_at: null, asked_since_publication: null, answered_since: null, samples: [],
  },
];

const line = (one: ArticleDetail): ArticleLine => ({
  id: one.id, title: one.title, state: one.newest_state, revision: one.newest_revision, published_revision: one.published_revision, products: one.products,
  audience: one.audience, language: one.language, review_by: one.review_by, valid_until: one.valid_until, author: one.author, approver: one.approver, changed_at: one.changed_at,
  conflict_count: one.conflicts?.length ?? 0,
});
const hit = (article_id: string, title: string, heading: string, quote: string) => ({
  article_id, passage_id: `${article_id}#1`, title, heading, text: quote, score: 0.8, why: ['terms: bank, fee', 'close in meaning (0.71)'], sentence: { start: 0, end: quote.length, quote },
});

/** A knowledge base whose service is played; what is decided leaves the queue. Returns what was sent. */
export async function playKnowledge(page: Page): Promise<Sent[]> {
  const sent: Sent[] = [];
  const now = new Map(all.map((one) => [one.id, one]));
  await page.clock.setFixedTime('2026-11-28T09:30:00.000Z');
  await page.route('**/v1/me', (route) => route.fulfill({ json: { name: 'Anna', role: 'knowledge_manager', tenant: 'demo', demo: true, version: '0.1.0' } }));
  await page.route('**/v1/conversations/c-31', (route) => route.fulfill({ json: conversation }));
  await page.route('**/v1/conversations/c-gone', (route) => route.fulfill({ status: 404, json: { title: 'not found' } }));
  await page.route('**/v1/gaps?*', (route) => route.fulfill({ json: { items: gaps, next: null } }));
  await page.route('**/v1/gaps/*/draft', (route) => {
    sent.push({ method: 'POST', path: new URL(route.request().url()).pathname, body: null });
    return route.fulfill({ status: 201, json: returned });
  });
  await page.route(/\/v1\/articles(\?|\/|$)/, (route) => {
    const request = route.request();
    const url = new URL(request.url());
    const [id = '', rest = ''] = url.pathname.replace('/v1/articles', '').replace(/^\//, '').split('/');
    const article = now.get(decodeURIComponent(id));
    if (id === '') {
      const state = url.searchParams.get('state');
      const due = url.searchParams.get('review_by');
      const ends = url.searchParams.get('valid_until');
      const fits = (one: ArticleDetail) => (state === 'published' ? one.published_revision !== null : one.newest_state === state) && (!due || (one.review_by ?? '9') <= due) && (!ends || (one.valid_until ?? '9') <= ends);
      return route.fulfill({ json: { items: [...now.values()].filter(fits).map(line), next: null } });
    }
    if (id === 'search') {
      const items = [hit('billing/charges', 'Charges', 'Bank charges', 'Bank fees are repaid within five working days.'), hit('billing/refunds', 'Refunds', 'Refunds', 'Refunds go back to the account that paid.')];
      return route.fulfill({ json: { items, degraded: false } });
    }
    if (!article) return route.fulfill({ status: 404, json: { title: 'not found', detail: 'there is no such article' } });
    if (rest === 'diff') return route.fulfill({ json: diff });
    if (rest === 'use') return route.fulfill({ json: use });
    if (rest === 'revisions') {
      const newest: RevisionLine = { revision: article.revision, state: article.state, action: article.action, title: article.title, author: article.author, by: article.by, approver: null, at: article.changed_at, comment: article.comment };
      return route.fulfill({ json: { items: [{ ...newest, revision: 1, action: 'drafted', comment: null, by: article.author }, newest] } });
    }
    if (request.method() === 'GET') return route.fulfill({ json: article });
    const body = request.postDataJSON() as { action?: string; title?: string; body?: string };
    sent.push({ method: request.method(), path: decodeURIComponent(url.pathname), body });
    const state = body.action === 'publish' ? 'published' : body.action === 'retire' ? 'retired' : body.action === 'submit' || body.action === 'approve' ? 'in_review' : 'draft';
    const revision = article.newest_revision + 1;
    const next: ArticleDetail = {
      ...article, ...(body.title ? { title: body.title } : {}), ...(body.body ? { body: body.body } : {}), state, newest_state: state, revision, newest_revision: revision,
      published_revision: state === 'published' ? revision : article.published_revision,
    };
    now.set(article.id, next);
    return route.fulfill({ json: next });
  });
  return sent;
}
