import type { ReactiveController, ReactiveControllerHost } from 'lit';
import { client } from '../api/client.ts';
import type { List } from '../api/types.ts';
import type { ArticleDetail, ArticleHit, ArticleLine, FoundArticles, KnowledgeGap, ReviewAction } from '../api/knowledge-types.ts';
import { Problem, sentenceFor } from '../api/problem.ts';
import type { Conversation, Me } from '../api/types.ts';
import type { ActDetail } from '../components/knowledge/acts.ts';
import type { Detail } from '../components/knowledge/article.ts';
import type { Edit } from '../components/knowledge/editor.ts';
import { type KeptEdit, keepEdits, keptEdits } from '../state/knowledge/kept-edits.ts';
import { type Place, type TabId, hashOf, placeOf } from '../state/knowledge/place.ts';
import { nextAfter, queueOf, stepsToPublish } from '../state/knowledge/review.ts';
import { ENDS_WITHIN_DAYS, type Stale, dayAfter, staleOf } from '../state/knowledge/stale.ts';

/** Articles that are listed before anybody searches. */
const LEAFED = 200;
/** How long an article that was found right is left in peace. */
const REVIEW_AGAIN_DAYS = 180;
const NEAR_HITS = 8;
const SEARCH_HITS = 20;
/** Whoever reviews reads a handful of calls, however many a draft names. */
const MOST_CALLS = 20;

/** The place of an article that has no name yet; no article's name may hold a plus. */
export const NEW = '+';

/** Everything the page knows, and every act that reaches the service. The page draws it and owns the keys. */
export class KnowledgeSession implements ReactiveController {
  me: Me | undefined;
  place: Place = { tab: 'review', id: '', query: '' };
  queue: ArticleLine[] | undefined;
  stale: Stale[] | undefined;
  gaps: KnowledgeGap[] | undefined;
  found: FoundArticles | undefined;
  /** What there is, for whoever hasn't searched yet. */
  all: List<ArticleLine> | undefined;
  audience = '';
  detail: Detail | undefined;
  problem = '';
  busy = false;
  /** Why there are no lists. */
  broken = '';
  /** Unsaved words by article; they outlive a look at something else. */
  readonly edits = keptEdits();
  /** Resolves when what the place names is there, or can't be. */
  loaded: Promise<void> = Promise.resolve();
  private isLeaving = false;
  /** Of the detail that is being loaded: an answer that comes late is dropped. */
  private asks = 0;

  constructor(private readonly host: ReactiveControllerHost, private readonly say: (text: string) => void) {
    host.addController(this);
  }

  get now(): number {
    return Date.now() + client.clockOffsetMs;
  }

  get today(): string {
    return new Date(this.now).toISOString().slice(0, 10);
  }

  /** The ids of the open tab's list, in its order. */
  get ids(): string[] {
    switch (this.place.tab) {
      case 'review':
        return (this.queue ?? []).map((line) => line.id);
      case 'stale':
        return (this.stale ?? []).map(({ line }) => line.id);
      case 'gaps':
        return (this.gaps ?? []).map((gap) => gap.id);
      case 'search':
        if (this.place.query === '') return (this.all?.items ?? []).map((line) => line.id);
        return [...new Set((this.found?.items ?? []).map((hit) => hit.article_id))];
    }
  }

  /** Articles with words that somebody typed and didn't save. */
  get unsaved(): ReadonlySet<string> {
    return new Set([...this.edits].flatMap(([id, edit]) => (edit.changed ? [id] : [])));
  }

  get gap(): KnowledgeGap | undefined {
    return this.place.tab === 'gaps' ? this.gaps?.find((gap) => gap.id === this.place.id) : undefined;
  }

  hostConnected(): void {
    window.addEventListener('hashchange', this.followHash);
    document.addEventListener('visibilitychange', this.comeBack);
    window.addEventListener('beforeunload', this.leave);
    void this.begin();
  }

  hostDisconnected(): void {
    window.removeEventListener('hashchange', this.followHash);
    document.removeEventListener('visibilitychange', this.comeBack);
    window.removeEventListener('beforeunload', this.leave);
  }

  /** Opens something of a tab; with '' only the tab. */
  go(tab: TabId, id = ''): void {
    this.set({ tab, id, query: this.place.query });
  }

  /** Where there is room beside the list, its first one is open: whoever comes reads at once. */
  goToFirst(tab: TabId): void {
    this.go(tab);
    if (matchMedia('(min-width: 900px)').matches) this.go(tab, this.ids[0] ?? '');
  }

  async search(query: string, audience: string): Promise<void> {
    this.audience = audience;
    this.found = undefined;
    this.set({ tab: 'search', id: '', query });
    await this.find();
    if (this.place.tab === 'search' && this.place.id === '' && this.place.query === query) this.goToFirst('search');
  }

  /** Puts a published article beside the one that is open. */
  async putBeside(id: string): Promise<void> {
    await this.guarded(async () => {
      const beside = await client.articleRevision(id);
      this.withDetail({ beside });
    });
  }

  edit(article: ArticleDetail): void {
    if (!this.edits.has(article.id)) {
      const { title, body } = article;
      this.edits.set(article.id, {
        revision: article.newest_revision, title, body, review_by: article.review_by ?? '', valid_until: article.valid_until ?? '', comment: '', changed: false,
      });
    }
    this.host.requestUpdate();
  }

  /** Begins an article, or goes on with the one that was begun. */
  write(): void {
    const blank = { revision: 0, title: '', body: '', review_by: '', valid_until: '', comment: '', changed: false };
    if (!this.edits.has(NEW)) this.edits.set(NEW, blank);
    this.go('review', NEW);
  }

  keep(id: string, edit: Edit): void {
    this.edits.set(id, { ...this.edits.get(id), ...edit, changed: true });
    keepEdits(this.edits);
    this.host.requestUpdate();
  }

  throwAway(id: string): void {
    this.forget(id);
    this.host.requestUpdate();
  }

  private forget(id: string): void {
    this.edits.delete(id);
    keepEdits(this.edits);
  }

  /** Begins an edit of the published article that holds both texts; the draft is retired once that is saved. */
  async merge(draft: ArticleDetail, into: string): Promise<boolean> {
    return this.guarded(async () => {
      if (this.unsaved.has(into)) throw new Error('You are writing on that article: save it, or throw it away, first');
      const target = await client.articleRevision(into);
      const newest = target.newest_revision === target.revision ? target : await client.articleRevision(into, target.newest_revision);
      this.edits.set(into, {
        revision: newest.newest_revision, title: newest.title, body: `${newest.body.trimEnd()}\n\n## ${draft.title}\n\n${draft.body.trim()}\n`,
        review_by: newest.review_by ?? '', valid_until: newest.valid_until ?? '', comment: `Merges “${draft.title}”`, changed: true,
        merges: { id: draft.id, revision: draft.newest_revision, title: draft.title },
      });
      keepEdits(this.edits);
      this.set({ tab: 'search', id: into, query: this.place.query });
    });
  }

  /** Writes the edit down as a draft; false where the service refused it, and the words are still there. */
  async save(id: string): Promise<boolean> {
    const edit = this.edits.get(id);
    if (!edit || this.busy) return false;
    if (id === NEW) return this.create(edit);
    return this.guarded(async () => {
      if (edit.revision !== (await client.articleRevision(id)).newest_revision) return this.overtaken(id, edit);
      const source = edit.merges ? await client.articleRevision(edit.merges.id, edit.merges.revision) : undefined;
      const shown = this.detail?.article;
      const before = shown?.id === id && shown.revision === edit.revision ? shown : await client.articleRevision(id, edit.revision);
      await client.changeArticle(id, {
        revision: edit.revision, title: edit.title, body: edit.body, review_by: edit.review_by || null, valid_until: edit.valid_until || null,
        ...(edit.comment === '' ? {} : { comment: edit.comment }),
        ...(source ? { provenance: [...before.provenance, ...source.provenance] } : {}),
      });
      this.forget(id);
      const kept = edit.merges ? await this.retireMerged(edit.merges, id) : '';
      await this.refresh();
      this.set({ tab: 'review', id, query: this.place.query }, true);
      this.say(`Saved as a draft. What is published stays until this is.${kept}`);
    });
  }

  /** What is merged is saved by now, so a draft that can't be retired is only told of. */
  private async retireMerged({ id, revision, title }: NonNullable<KeptEdit['merges']>, into: string): Promise<string> {
    try {
      await client.reviewArticle(id, 'retire', revision, `Merged into ${into}`);
      return '';
    } catch (error) {
      return ` “${title}” was not retired: ${sentenceFor(error)}`;
    }
  }

  private async create({ title, body, review_by, valid_until, comment }: KeptEdit): Promise<boolean> {
    return this.guarded(async () => {
      const draft = await client.createArticle({
        title, body, review_by: review_by || null, valid_until: valid_until || null, ...(comment === '' ? {} : { comment }),
      });
      this.forget(NEW);
      await this.refresh();
      this.set({ tab: 'review', id: draft.id, query: this.place.query }, true);
      this.say('Saved as a draft.');
    });
  }

  /** Whoever saves again then knows over what. */
  private async overtaken(id: string, edit: KeptEdit): Promise<never> {
    const newest = await client.articleRevision(id, (await client.articleRevision(id)).newest_revision);
    this.edits.set(id, { ...edit, revision: newest.revision });
    throw new Error(`${newest.by} changed it meanwhile. Save again to put your words over theirs`);
  }

  /** Carries a decision out, step by step, and goes on to the next one. */
  async act({ act, reason }: ActDetail): Promise<boolean> {
    const article = this.detail?.article;
    if (!article || this.busy) return false;
    const ids = this.ids;
    return this.guarded(async () => {
      const done = act === 'still' ? await this.stillRight(article) : await this.steps(article, act === 'publish' ? stepsToPublish(article) : [act], reason);
      await this.refresh();
      this.say(done);
      // What stays in the list stays open; what has left it makes room for the next.
      const left = this.ids.includes(article.id) ? article.id : nextAfter(ids, article.id);
      this.set({ ...this.place, id: this.place.tab === 'search' ? article.id : left }, true);
    });
  }

  async draftForGap(id: string): Promise<boolean> {
    return this.guarded(async () => {
      const draft = await client.draftForGap(id);
      await this.refresh();
      this.set({ tab: 'review', id: draft.id, query: this.place.query });
    });
  }

  private async steps(article: ArticleDetail, actions: ReviewAction[], reason?: string): Promise<string> {
    let now = article;
    for (const action of actions) {
      try {
        now = await client.reviewArticle(article.id, action, now.newest_revision, reason);
      } catch (error) {
        // Submitted is a step of its own: that somebody else must approve it is no failure then.
        if (now !== article && error instanceof Problem && error.status === 403) return `It waits in review. ${sentenceFor(error)}`;
        throw error;
      }
    }
    const done: Record<string, string> = { publish: 'Published', approve: 'Approved', return: `Returned to ${article.author}`, retire: 'Retired', submit: 'Submitted' };
    return `${done[actions.at(-1) ?? ''] ?? 'Done'}: ${article.title}`;
  }

  private async stillRight(article: ArticleDetail): Promise<string> {
    const review_by = dayAfter(this.today, REVIEW_AGAIN_DAYS);
    const draft = await client.changeArticle(article.id, { revision: article.newest_revision, review_by, comment: 'Read again, and still right' });
    return this.steps(draft, stepsToPublish(draft));
  }

  private readonly followHash = (): void => this.set(placeOf(location.hash));
  private readonly comeBack = (): void => {
    if (document.visibilityState === 'visible' && !this.busy) void this.refresh().catch(() => undefined);
  };
  private readonly leave = (event: BeforeUnloadEvent): void => {
    if (this.unsaved.size > 0 && !this.isLeaving) event.preventDefault();
  };

  /** Reads everything anew after the service could not be reached. */
  async begin(): Promise<void> {
    this.broken = '';
    this.place = placeOf(location.hash);
    const read = await this.guarded(async () => {
      this.me = await client.me();
      this.host.requestUpdate();
      await this.refresh();
      if (this.place.tab === 'search') await (this.place.query === '' ? this.leaf() : this.find());
      if (this.place.id === '') this.goToFirst(this.place.tab);
      else this.load();
    });
    if (!read && !this.queue) this.broken = 'The knowledge base can’t be read right now.';
    this.host.requestUpdate();
  }

  /** Reads the lists anew. */
  private async refresh(): Promise<void> {
    const [inReview, drafts, due, ending] = await Promise.all([
      client.articles({ state: 'in_review' }), client.articles({ state: 'draft' }), client.articles({ state: 'published', review_by: this.today }),
      client.articles({ state: 'published', valid_until: dayAfter(this.today, ENDS_WITHIN_DAYS) }),
    ]);
    this.queue = queueOf(inReview, drafts);
    this.stale = staleOf([...due, ...ending.filter((line) => !due.some((one) => one.id === line.id))], this.today);
    this.gaps = (await client.gaps()).items;
    this.all = undefined;
    if (this.place.tab === 'search' && this.place.query === '') await this.leaf();
    this.host.requestUpdate();
  }

  private async leaf(): Promise<void> {
    this.all = await client.published(LEAFED);
    const { tab, id, query } = this.place;
    if (tab === 'search' && id === '' && query === '') this.goToFirst('search');
    this.host.requestUpdate();
  }

  private async find(): Promise<void> {
    await this.guarded(async () => {
      this.found = await client.searchArticles(this.place.query, SEARCH_HITS, this.audience);
      this.host.requestUpdate();
    });
  }

  private set(place: Place, again = false): void {
    const same = hashOf(place) === hashOf(this.place) && !again;
    const changedQuery = place.query !== this.place.query;
    this.place = place;
    history.replaceState(null, '', hashOf(place));
    this.host.requestUpdate();
    if (place.tab === 'search' && place.query === '' && !this.all) void this.leaf().catch((error: unknown) => this.say(sentenceFor(error)));
    if (same && !changedQuery) return;
    this.load();
  }

  /** Reads what the place names. The article comes first, and what stands beside it as it comes. */
  private load(): void {
    this.asks += 1;
    this.detail = undefined;
    this.problem = '';
    // Words that were never saved don't outlive a reload.
    if (this.place.id === NEW && !this.edits.has(NEW)) this.place = { ...this.place, id: '' };
    const { tab, id } = this.place;
    if (id !== '' && id !== NEW && tab !== 'gaps') this.loaded = this.loadArticle(id, tab, this.asks);
    this.host.requestUpdate();
  }

  private async loadArticle(id: string, tab: TabId, ask: number): Promise<void> {
    const line = tab === 'review' ? this.queue?.find((one) => one.id === id) : undefined;
    let article: ArticleDetail;
    try {
      article = await client.articleRevision(id, line?.revision);
    } catch (error) {
      if (ask === this.asks) this.problem = error instanceof Problem && error.status === 404 ? 'This article is not there any more.' : sentenceFor(error);
      this.host.requestUpdate();
      return;
    }
    if (ask !== this.asks) return;
    this.detail = { article, history: [], near: [], calls: new Map() };
    this.host.requestUpdate();
    const published = article.published_revision;
    // Each of these adds something; without it the text can still be read, and decided about.
    const add = <T>(asked: Promise<T>, with_: (value: T) => Partial<Detail>): void => {
      asked.then((value) => ask === this.asks && this.withDetail(with_(value)), () => undefined);
    };
    add(client.revisions(id), ({ items }) => ({ history: items }));
    add(client.searchArticles(article.title, NEAR_HITS), ({ items }) => ({ near: othersOf(items, id) }));
    if (published !== null && published !== article.revision) add(client.diff(id, published, article.revision), (diff) => ({ diff }));
    if (published !== null) add(client.use(id), (use) => ({ use }));
    add(callsOf(article), (calls) => ({ calls }));
  }

  private withDetail(part: Partial<Detail>): void {
    if (this.detail) this.detail = { ...this.detail, ...part };
    this.host.requestUpdate();
  }

  /** Tells what went wrong; false if something did. */
  private async guarded(work: () => Promise<void>): Promise<boolean> {
    this.busy = true;
    this.host.requestUpdate();
    try {
      await work();
      return true;
    } catch (error) {
      if (error instanceof Problem && error.status === 401) {
        // The words are kept for when somebody has signed in.
        this.isLeaving = true;
        location.assign(`/?next=${encodeURIComponent(location.pathname + location.hash)}`);
      } else if (error instanceof Problem && error.status === 409) {
        this.say(`Somebody was faster. ${sentenceFor(error)}`);
        await this.refresh().catch(() => undefined);
        this.load();
      } else {
        this.say(sentenceFor(error));
      }
      return false;
    } finally {
      this.busy = false;
      this.host.requestUpdate();
    }
  }
}

/** Of each other article the best passage. */
function othersOf(hits: ArticleHit[], id: string): ArticleHit[] {
  return hits.filter((hit, at) => hit.article_id !== id && hits.findIndex((other) => other.article_id === hit.article_id) === at).slice(0, 3);
}

async function callsOf(article: ArticleDetail): Promise<Map<string, Conversation | null>> {
  const ids = [...new Set(article.provenance.map((origin) => origin.conversation_id))].slice(0, MOST_CALLS);
  const call = (id: string) =>
    client.conversation(id).catch((error: unknown) => {
      if (error instanceof Problem && error.status === 404) return null;
      throw error;
    });
  return new Map(await Promise.all(ids.map(async (id) => [id, await call(id)] as const)));
}
