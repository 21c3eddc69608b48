import { Problem, problemFrom } from './problem.ts';
import type {
  Article, Conversation, EmailOrder, List, Me, ReviewVerdict, Summary, SystemState, VerdictKind, WrapUpEmail, WrapUpSummary,
} from './types.ts';

/**
 * The typed door to the service. The session cookie signs every request; scripts never see a key.
 */
export class Client {
  /** Server clock minus ours, so that a desktop with a wrong clock still shows right call times. */
  clockOffsetMs = 0;

  me(): Promise<Me> {
    return this.request('GET', '/v1/me');
  }

  system(): Promise<SystemState> {
    return this.request('GET', '/v1/system');
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
    return this.request('POST', `/v1/conversations/${encodeURIComponent(conversationId)}/handover`);
  }

  writeSummary(conversationId: string): Promise<WrapUpSummary> {
    return this.request('POST', `/v1/conversations/${encodeURIComponent(conversationId)}/summary`);
  }

  writeEmail(conversationId: string, order: EmailOrder): Promise<WrapUpEmail> {
    return this.request('POST', `/v1/conversations/${encodeURIComponent(conversationId)}/email`, order);
  }

  review(conversationId: string, wrapupId: string, verdict: ReviewVerdict, text?: string): Promise<unknown> {
    const body = text === undefined ? { verdict } : { verdict, text };
    const path = `/v1/conversations/${encodeURIComponent(conversationId)}/wrapups/${encodeURIComponent(wrapupId)}/verdict`;
    return this.request('POST', path, body);
  }

  article(id: string): Promise<Article> {
    return this.request('GET', `/v1/articles/${encodeURIComponent(id)}`);
  }

  private async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    let response: Response;
    try {
      response = await fetch(path, {
        method,
        credentials: 'same-origin',
        headers: body === undefined ? { accept: 'application/json' } : { accept: 'application/json', 'content-type': 'application/json' },
        body: body === undefined ? null : JSON.stringify(body),
      });
    } catch {
      throw Problem.unreachable();
    }
    const date = response.headers.get('date');
    if (date) this.clockOffsetMs = Date.parse(date) - Date.now();
    if (!response.ok) throw await problemFrom(response);
    const text = await response.text();
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }
}

/** One client for the page: its clock offset is shared by everything that shows a time. */
export const client = new Client();
