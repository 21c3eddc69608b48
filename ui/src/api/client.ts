import { Problem, problemFrom } from './problem.ts';
import type {
  ArticleChange, ArticleDetail, ArticleLine, ArticleUse, Diff, FoundArticles, KnowledgeGap, NewArticle, ReviewAction, RevisionLine,
} from './knowledge-types.ts';
import type { ContactChoice, CrmContext, CrmWrite, Expert, Outbox, OutboxItem, Outcome, OutcomeOrder, SystemHealth } from './crm-types.ts';
import type { AgentState, HandOverPack, QueueState, RouteRecommended, WorkItem, WrittenPlan } from './routing-types.ts';
import type {
  Article, Conversation, Decision, EmailOrder, List, Me, SignInWays, Summary, SystemState, VerdictKind, WrapUpEmail, WrapUpSummary,
} from './types.ts';

/** Another site's page brings a token for one conversation: no cookie goes along. */
export interface Foreign {
  /** The service's origin. */
  base: string;
  token: string;
}

/**
 * The typed door to the service. On its own pages the session cookie signs every request; scripts never see a key.
 */
export class Client {
  /** Server clock minus ours, so that a desktop with a wrong clock still shows right call times. */
  clockOffsetMs = 0;

  constructor(readonly foreign?: Foreign) {}

  me(): Promise<Me> {
    return this.request('GET', '/v1/me');
  }

  system(): Promise<SystemState> {
    return this.request('GET', '/v1/system');
  }

  /** For the address of one connection to a conversation's stream. */
  async streamTicket(conversation: string): Promise<string> {
    return (await this.request<{ token: string }>('POST', '/v1/tokens', { conversation, use: 'stream' })).token;
  }

  signInWays(): Promise<SignInWays> {
    return this.request('GET', '/sign-in/ways');
  }

  signIn(apiKey: string): Promise<void> {
    return this.request('POST', '/sign-in', { api_key: apiKey });
  }

  signOut(): Promise<void> {
    return this.request('POST', '/sign-out');
  }

  async conversations(state: 'live' | 'ended', limit: number): Promise<Summary[]> {
    const list = await this.request<List<Summary>>('GET', `/v1/conversations?state=${state}&limit=${limit}`);
    return list.items;
  }

  conversation(id: string): Promise<Conversation> {
    return this.request('GET', `/v1/conversations/${encodeURIComponent(id)}`);
  }

  verdict(cardId: string, verdict: VerdictKind, text?: string): Promise<unknown> {
    const body = text === undefined ? { verdict } : { verdict, text };
    return this.request('POST', `/v1/suggestions/${encodeURIComponent(cardId)}/verdict`, body);
  }

  writeHandOver(conversationId: string): Promise<WrapUpSummary> {
    return this.draft(conversationId, 'handover');
  }

  writeSummary(conversationId: string): Promise<WrapUpSummary> {
    return this.draft(conversationId, 'summary');
  }

  writeEmail(conversationId: string, order: EmailOrder): Promise<WrapUpEmail> {
    return this.draft(conversationId, 'email', order);
  }

  review(conversationId: string, { id, ...decision }: Decision): Promise<unknown> {
    return this.request('POST', `/v1/conversations/${encodeURIComponent(conversationId)}/wrapups/${encodeURIComponent(id)}/verdict`, decision);
  }

  chooseContact(conversationId: string, choice: ContactChoice): Promise<CrmContext> {
    return this.request('POST', `/v1/conversations/${encodeURIComponent(conversationId)}/crm/contact`, choice);
  }

  outcome(conversationId: string): Promise<Outcome> {
    return this.request('GET', `/v1/conversations/${encodeURIComponent(conversationId)}/outcome`);
  }

  putOutcome(conversationId: string, order: OutcomeOrder): Promise<{ items: CrmWrite[] }> {
    return this.request('POST', `/v1/conversations/${encodeURIComponent(conversationId)}/outcome`, order);
  }

  outbox(wanted: Record<string, string>): Promise<Outbox> {
    return this.request('GET', `/v1/outbox?${new URLSearchParams(wanted)}`);
  }

  retryWrite(id: number): Promise<OutboxItem> {
    return this.request('POST', `/v1/outbox/${id}/retry`);
  }

  discardWrite(id: number): Promise<OutboxItem> {
    return this.request('POST', `/v1/outbox/${id}/discard`);
  }

  async systems(): Promise<SystemHealth[]> {
    return (await this.request<{ items: SystemHealth[] }>('GET', '/v1/systems')).items;
  }

  async experts(conversationId: string): Promise<Expert[]> {
    return (await this.request<{ items: Expert[] }>('GET', `/v1/conversations/${encodeURIComponent(conversationId)}/experts`)).items;
  }

  swarm(conversationId: string, order: { note?: string }): Promise<CrmWrite> {
    return this.request('POST', `/v1/conversations/${encodeURIComponent(conversationId)}/swarm`, order);
  }

  async queues(): Promise<QueueState[]> {
    return (await this.request<{ items: QueueState[] }>('GET', '/v1/routing/queues')).items;
  }

  async routedAgents(): Promise<AgentState[]> {
    return (await this.request<{ items: AgentState[] }>('GET', '/v1/routing/agents')).items;
  }

  /** The newest first. */
  async routingDecisions(limit: number): Promise<RouteRecommended[]> {
    return (await this.request<{ items: RouteRecommended[] }>('GET', `/v1/routing/decisions?limit=${limit}`)).items;
  }

  /** As it was written; the entity tag is its epoch. */
  async routingPlan(): Promise<WrittenPlan> {
    const response = await this.send('GET', '/v1/routing/plan');
    const isJson = (response.headers.get('content-type') ?? '').includes('json');
    const epoch = Number(response.headers.get('etag')?.replace(/^W\//, '').replaceAll('"', ''));
    return { text: await response.text(), isJson, epoch: Number.isNaN(epoch) ? 0 : epoch };
  }

  workItem(id: string): Promise<WorkItem> {
    return this.request('GET', `/v1/work-items/${encodeURIComponent(id)}`);
  }

  pack(conversationId: string): Promise<HandOverPack> {
    return this.request('GET', `/v1/conversations/${encodeURIComponent(conversationId)}/pack`);
  }

  reply(conversationId: string, reply: { id: string; text: string; card_id?: string }): Promise<unknown> {
    return this.request('POST', `/v1/conversations/${encodeURIComponent(conversationId)}/replies`, reply);
  }

  sendReplyAgain(conversationId: string, turnId: string): Promise<unknown> {
    return this.request('POST', `/v1/conversations/${encodeURIComponent(conversationId)}/replies/${encodeURIComponent(turnId)}/retry`);
  }

  article(id: string): Promise<Article> {
    return this.request('GET', articlePath(id));
  }

  /** The articles that fit, page by page until the last. */
  async articles(wanted: Record<string, string>): Promise<ArticleLine[]> {
    const all: ArticleLine[] = [];
    for (let next: string | null = ''; next !== null; ) {
      const query = new URLSearchParams({ ...wanted, limit: '500', ...(next === '' ? {} : { cursor: next }) });
      const page: List<ArticleLine> = await this.request('GET', `/v1/articles?${query}`);
      all.push(...page.items);
      next = page.next;
    }
    return all;
  }

  /** The published ones, by name: as many as somebody leafs through. */
  published(limit: number): Promise<List<ArticleLine>> {
    return this.request('GET', `/v1/articles?state=published&limit=${limit}`);
  }

  /** One revision; without a number the one in force, or the newest if none is. */
  articleRevision(id: string, revision?: number): Promise<ArticleDetail> {
    return this.request('GET', revision === undefined ? articlePath(id) : `${articlePath(id)}?revision=${revision}`);
  }

  revisions(id: string): Promise<List<RevisionLine>> {
    return this.request('GET', `${articlePath(id)}/revisions`);
  }

  diff(id: string, from: number, to: number): Promise<Diff> {
    return this.request('GET', `${articlePath(id)}/diff?from=${from}&to=${to}`);
  }

  use(id: string): Promise<ArticleUse> {
    return this.request('GET', `${articlePath(id)}/use`);
  }

  searchArticles(q: string, limit: number, audience = ''): Promise<FoundArticles> {
    const query = new URLSearchParams({ q, limit: String(limit), ...(audience === '' ? {} : { audience }) });
    return this.request('GET', `/v1/articles/search?${query}`);
  }

  createArticle(article: NewArticle): Promise<ArticleDetail> {
    return this.request('POST', '/v1/articles', article);
  }

  changeArticle(id: string, change: ArticleChange): Promise<ArticleDetail> {
    return this.request('PUT', articlePath(id), change);
  }

  reviewArticle(id: string, action: ReviewAction, revision: number, reason?: string): Promise<ArticleDetail> {
    return this.request('POST', `${articlePath(id)}/review`, reason === undefined ? { action, revision } : { action, revision, reason });
  }

  gaps(): Promise<List<KnowledgeGap>> {
    return this.request('GET', '/v1/gaps?limit=200');
  }

  draftForGap(id: string): Promise<ArticleDetail> {
    return this.request('POST', `/v1/gaps/${encodeURIComponent(id)}/draft`);
  }

  private async draft<T>(conversationId: string, what: string, order?: unknown): Promise<T> {
    const response = await this.send('POST', `/v1/conversations/${encodeURIComponent(conversationId)}/${what}`, order);
    const sequence = Number(response.headers.get('backchannel-sequence')) || undefined;
    return { ...((await response.json()) as T), sequence };
  }

  private async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    const text = await (await this.send(method, path, body)).text();
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  private async send(method: string, path: string, body?: unknown): Promise<Response> {
    let response: Response;
    const headers: Record<string, string> = { accept: 'application/json' };
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (this.foreign) headers['authorization'] = `Bearer ${this.foreign.token}`;
    try {
      response = await fetch(`${this.foreign?.base ?? ''}${path}`, {
        method, headers, credentials: this.foreign ? 'omit' : 'same-origin', body: body === undefined ? null : JSON.stringify(body),
      });
    } catch {
      throw Problem.unreachable();
    }
    const date = response.headers.get('date');
    if (date) this.clockOffsetMs = Date.parse(date) - Date.now();
    if (!response.ok) throw await problemFrom(response);
    return response;
  }
}

function articlePath(id: string): string {
  return `/v1/articles/${encodeURIComponent(id)}`;
}

/** One client for the page: its clock offset is shared by everything that shows a time. */
export const client = new Client();
