import '../theme.ts';
import { LitElement, html } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import type { ArticleHit } from '../api/knowledge-types.ts';
import type { ActDetail } from '../components/knowledge/acts.ts';
import type { Announcer } from '../components/announcer.ts';
import type { Article, ArticleLook } from '../components/knowledge/article.ts';
import type { TurnPlace } from '../components/knowledge/call-drawer.ts';
import type { ArticleEditor, Edit } from '../components/knowledge/editor.ts';
import type { Gap } from '../components/knowledge/gap.ts';
import type { List } from '../components/knowledge/list.ts';
import type { SearchBox, Wanted } from '../components/knowledge/search-box.ts';
import type { KeyMap } from '../components/keymap.ts';
import { backIcon } from '../components/icons.ts';
import { shared } from '../components/shared-styles.ts';
import { type KnowledgeAction, knowledgeAction, knowledgeKeys } from '../state/knowledge/keys.ts';
import type { TabId } from '../state/knowledge/place.ts';
import { type Row, allRows, emptyText, gapRows, hitRows, queueRows, staleRows } from '../state/knowledge/rows.ts';
import { isNewest, step } from '../state/knowledge/review.ts';
import { deepActiveElement, isTyping } from './focus.ts';
import { KnowledgeSession, NEW } from './knowledge-session.ts';
import { knowledgeStyles } from './knowledge-styles.ts';
import { frameStyles } from './page-styles.ts';
import { broken } from './page.ts';
import '../components/announcer.ts';
import '../components/keymap.ts';
import '../components/knowledge/all.ts';
import '../components/tabs.ts';

const TABS: { id: TabId; name: string }[] = [
  { id: 'review', name: 'Review' }, { id: 'gaps', name: 'Gaps' }, { id: 'stale', name: 'Stale' }, { id: 'search', name: 'Search' },
];

/** `/knowledge`: puts list and text side by side, and turns keys and events into acts of the session. */
@customElement('backchannel-knowledge')
export class Knowledge extends LitElement {
  /** Chosen for this article; without a choice, a change is shown as one. */
  @state() private look: { of: string; look: ArticleLook } | null = null;
  @state() private editing = '';
  @state() private turn: TurnPlace | null = null;
  @query('bc-announcer') private announcer!: Announcer;
  @query('bc-article') private article!: Article | null;
  @query('bc-article-editor') private editor!: ArticleEditor | null;
  @query('bc-gap') private gap!: Gap | null;
  @query('bc-keymap') private keyMap!: KeyMap;
  @query('bc-list') private list!: List | null;
  @query('bc-search-box') private searchBox!: SearchBox | null;
  private readonly session = new KnowledgeSession(this, (text) => this.announcer.show(text));
  /** Where the focus returns when the call closes. */
  private opener: HTMLElement | null = null;

  static override styles = [shared, frameStyles, knowledgeStyles];

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener('keydown', this.pressed);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener('keydown', this.pressed);
  }

  override render() {
    const { session } = this;
    const { tab, id } = session.place;
    const counts: Record<TabId, number | undefined> = {
      review: session.queue?.length, gaps: session.gaps?.length, stale: session.stale?.length, search: undefined,
    };
    return html`
      <bc-top .me=${session.me} @help=${() => this.keyMap.toggle()}>
        <bc-tabs
          name="Knowledge" .tabs=${TABS.map((one) => ({ ...one, count: counts[one.id] }))} .selected=${tab}
          @tab-select=${(event: CustomEvent<TabId>) => this.show(event.detail)}
        ></bc-tabs>
      </bc-top>
      <main
        @row-select=${(event: CustomEvent<string>) => this.open(event.detail)}
        @look=${(event: CustomEvent<ArticleLook>) => this.lookAt(event.detail)}
        @open-article=${(event: CustomEvent<string>) => this.beside(event.detail)}
        @merge=${(event: CustomEvent<string>) => this.merge(event.detail)}
        @open-turn=${(event: CustomEvent<TurnPlace>) => this.openTurn(event.detail)}
        @close-call=${() => this.closeTurn()}
        @article-act=${(event: CustomEvent<ActDetail>) => this.decide(event.detail)}
        @article-edit=${() => this.edit()}
        @article-newest=${() => session.go('review', id)}
        @edit-changed=${(event: CustomEvent<Edit>) => session.keep(id, event.detail)}
        @edit-save=${() => this.save()}
        @edit-cancel=${() => this.throwAway()}
        @gap-draft=${(event: CustomEvent<string>) => session.draftForGap(event.detail)}
        @open-line=${(event: CustomEvent<string>) => this.openLine(event.detail)}
        @search=${(event: CustomEvent<Wanted>) => session.search(event.detail.query, event.detail.audience)}
      >
        <nav class="column" aria-label=${TABS.find((one) => one.id === tab)?.name ?? ''}>
          ${tab === 'search' ? html`<bc-search-box .query=${session.place.query} .audience=${session.audience}></bc-search-box>` : ''}
          ${tab === 'search' && session.found?.degraded ? html`<p class="degraded quiet">Search works by keywords only at the moment.</p>` : ''}
          ${session.broken === '' ? this.rowsOf(tab, id) : broken(session.broken, () => session.begin())}
          ${tab === 'review' && session.broken === ''
            ? html`<button type="button" class="button write" @click=${() => this.write()}><kbd>n</kbd> Write an article</button>`
            : ''}
        </nav>
        ${id === '' ? '' : this.opened()}
        ${this.turn ? html`<bc-call-drawer role="complementary" aria-label="Call" .place=${this.turn}></bc-call-drawer>` : ''}
      </main>
      <bc-keymap .keys=${knowledgeKeys}></bc-keymap>
      <bc-announcer></bc-announcer>
    `;
  }

  private rowsOf(tab: TabId, id: string) {
    const { session } = this;
    return html`<bc-list .rows=${this.rows()} .selected=${id} .empty=${emptyText(tab, session.place.query)}></bc-list>`;
  }

  private rows(): Row[] | undefined {
    const { session } = this;
    switch (session.place.tab) {
      case 'review':
        return session.queue && queueRows(session.queue, session.unsaved, session.now);
      case 'stale':
        return session.stale && staleRows(session.stale);
      case 'gaps':
        return session.gaps && gapRows(session.gaps, session.now);
      case 'search':
        if (session.place.query === '') return session.all && allRows(session.all);
        return session.found && hitRows(session.found.items);
    }
  }

  private opened() {
    const { session } = this;
    const { id, tab } = session.place;
    const back = html`<button type="button" class="button plain back" @click=${() => this.open('')}>${backIcon} Back to the list</button>`;
    if (tab === 'gaps') {
      return html`<div class="open">${back}<bc-gap .gap=${session.gap} .now=${session.now} ?busy=${session.busy}></bc-gap></div>`;
    }
    const edit = this.editing === id || id === NEW ? session.edits.get(id) : undefined;
    if (edit) {
      return html`<div class="open article">${back}<bc-article-editor .edit=${edit} ?busy=${session.busy}></bc-article-editor></div>`;
    }
    if (session.problem) return html`<div class="open">${back}<p class="note">${session.problem}</p></div>`;
    if (!session.detail) return html`<div class="open">${back}<div class="bones" role="img" aria-label="Loading"><i style="width:60%"></i><i></i><i style="width:85%"></i></div></div>`;
    return html`<div class="open article">
      ${back}
      <bc-article
        .detail=${session.detail} .look=${this.looking()} .now=${session.now} .hits=${this.hits()}
        ?busy=${session.busy} ?stale=${tab === 'stale'}
      ></bc-article>
    </div>`;
  }

  private looking(): ArticleLook {
    const { detail } = this.session;
    if (this.look && this.look.of === detail?.article.id) return this.look.look === 'changes' && !detail.diff ? 'text' : this.look.look;
    // Of a change one reads what differs.
    return detail?.diff ? 'changes' : 'text';
  }

  private hits(): ArticleHit[] {
    const { place, found } = this.session;
    return place.tab === 'search' ? (found?.items ?? []).filter((hit) => hit.article_id === place.id) : [];
  }

  private readonly pressed = (event: KeyboardEvent): void => {
    const action = knowledgeAction(event, isTyping(event));
    if (!action || event.defaultPrevented) return;
    if (this.do(action)) event.preventDefault();
  };

  /** Does what the key says; false leaves the key to the browser. */
  private do(action: KnowledgeAction): boolean {
    const { session } = this;
    switch (action) {
      case 'next':
      case 'previous':
        this.open(step(session.ids, session.place.id, action === 'next' ? 1 : -1));
        return true;
      case 'approve':
        if (session.gap) {
          if (!session.gap.article_id) void session.draftForGap(session.gap.id);
          return true;
        }
        return this.article?.acts?.begin('publish') ?? false;
      case 'return':
        return this.article?.acts?.begin('return') ?? false;
      case 'retire':
        return this.article?.acts?.begin('retire') ?? false;
      case 'edit':
        return this.edit();
      case 'write':
        this.write();
        return true;
      case 'merge':
        return this.compare();
      case 'evidence':
        void this.article?.stepEvidence();
        return this.article !== null;
      case 'search':
        this.show('search');
        return true;
      case 'tab1':
      case 'tab2':
      case 'tab3':
      case 'tab4':
        this.show(TABS[Number(action.slice(3)) - 1]?.id ?? 'review');
        return true;
      case 'help':
        this.keyMap.toggle();
        return true;
      case 'close':
        return this.close();
    }
  }

  /** Escape closes one thing at a time, the innermost first. */
  private close(): boolean {
    if (this.keyMap.close()) return true;
    if (this.turn) return this.closeTurn();
    if (this.article?.acts?.close()) return true;
    const active = deepActiveElement();
    if (active?.matches('input, textarea, select')) {
      active.blur();
      return true;
    }
    if (this.editing !== '') {
      if (this.session.edits.get(this.editing)?.changed) this.announcer.show('Your words are kept: e goes on with them.');
      this.leaveEditor();
      this.afterEditor();
      return true;
    }
    if (this.session.place.id === '' || matchMedia('(min-width: 900px)').matches) return false;
    this.open('');
    return true;
  }

  private show(tab: TabId): void {
    this.leaveDetail();
    if (tab !== this.session.place.tab) this.session.goToFirst(tab);
    if (tab === 'search') void this.updateComplete.then(() => this.searchBox?.focus());
  }

  /** Opens a row, and takes the focus where it is read: to the row, or where that is covered to the text. */
  private open(id: string): void {
    const before = this.session.place.id;
    if (id !== before) this.leaveDetail();
    this.session.go(this.session.place.tab, id);
    void this.focusOn(id === '' ? before : id);
  }

  private async focusOn(id: string): Promise<void> {
    await this.updateComplete;
    await this.list?.updateComplete;
    const covered = this.session.place.id !== '' && !matchMedia('(min-width: 900px)').matches;
    if (covered || !this.list?.focusRow(id)) await this.toDetail();
  }

  private async toDetail(): Promise<void> {
    const { id } = this.session.place;
    await this.session.loaded;
    if (id !== this.session.place.id) return;
    await this.updateComplete;
    await this.article?.updateComplete;
    (this.gap ?? this.article)?.focus();
  }

  /** Words that nobody changed are no edit. */
  private leaveEditor(): void {
    if (this.editing !== '' && !this.session.edits.get(this.editing)?.changed) this.session.throwAway(this.editing);
    this.editing = '';
  }

  private leaveDetail(): void {
    this.leaveEditor();
    this.turn = null;
    this.opener = null;
  }

  private lookAt(look: ArticleLook): void {
    const { detail } = this.session;
    if (!detail) return;
    this.look = { of: detail.article.id, look };
    const nearest = detail.near[0];
    if (look === 'beside' && !detail.beside && nearest) void this.session.putBeside(nearest.article_id);
  }

  private beside(id: string): void {
    void this.session.putBeside(id);
    this.lookAt('beside');
  }

  /** With what is published: its own revision in force, or else the article that comes nearest. */
  private compare(): boolean {
    const { detail } = this.session;
    if (!detail) return false;
    if (this.looking() !== 'text') this.lookAt('text');
    else if (detail.diff) this.lookAt('changes');
    else if (detail.near.length > 0) this.lookAt('beside');
    else this.announcer.show('Nothing that is published comes near it.');
    return true;
  }

  private async merge(into: string): Promise<void> {
    const draft = this.session.detail?.article;
    if (draft && (await this.session.merge(draft, into))) await this.toEditor(into);
  }

  private edit(): boolean {
    const article = this.session.detail?.article;
    if (!article || this.editing === article.id) return false;
    if (!isNewest(article)) {
      this.announcer.show('Show the newer revision first: that is what a change is made from.');
      return true;
    }
    this.session.edit(article);
    void this.toEditor(article.id);
    return true;
  }

  private write(): void {
    this.leaveDetail();
    this.session.write();
    void this.toEditor(NEW);
  }

  /** An article that was never saved has nothing to show. */
  private afterEditor(): void {
    if (this.session.place.id === NEW) this.session.goToFirst('review');
    void this.toDetail();
  }

  private async toEditor(id: string): Promise<void> {
    this.editing = id;
    await this.updateComplete;
    this.editor?.focus();
  }

  private async save(): Promise<void> {
    const { id } = this.session.place;
    if (!(await this.session.save(id))) return;
    this.editing = '';
    await this.focusOn(id);
  }

  private throwAway(): void {
    this.session.throwAway(this.session.place.id);
    this.editing = '';
    this.afterEditor();
  }

  private async decide(detail: ActDetail): Promise<void> {
    if (!(await this.session.act(detail))) return;
    this.leaveDetail();
    await this.focusOn(this.session.place.id);
  }

  private openLine(id: string): void {
    const waits = this.session.queue?.some((line) => line.id === id) ?? false;
    this.session.go(waits ? 'review' : 'search', id);
  }

  private openTurn(place: TurnPlace): void {
    this.opener ??= deepActiveElement();
    this.turn = place;
  }

  private closeTurn(): boolean {
    this.turn = null;
    this.opener?.focus();
    this.opener = null;
    return true;
  }
}
