import { LitElement, css, html, type PropertyValues } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import type { Gap } from '../api/types.ts';
import type { ConversationView, TurnView } from '../state/conversation.ts';
import { channelName, isWritten } from '../state/replies.ts';
import { callTime, secondsText } from '../state/text.ts';
import { arrowDownIcon, channelIcon } from './icons.ts';
import { shared } from './shared-styles.ts';
import { type Turn, roleNames } from './turn.ts';

type Row = { key: string; turn: TurnView; continued: boolean } | { key: string; gap: Gap };

// Within this distance of the end the reader counts as being at the end.
const AT_END_PX = 48;

/** The words of the call. Follows the newest only while the reader is at the end; otherwise it holds still. */
@customElement('bc-transcript')
export class Transcript extends LitElement {
  @property({ attribute: false }) view: ConversationView | undefined;
  @property({ attribute: false }) markedTurn: string | null = null;
  @state() private following = true;
  @query('.scroll') private scroller!: HTMLElement;
  private readonly resizing = new ResizeObserver(() => this.follow());

  static override styles = [
    shared,
    css`
      :host {
        position: relative;
        min-height: 0;
      }
      .scroll {
        height: 100%;
        overflow-y: auto;
        overscroll-behavior: contain;
        padding-bottom: var(--s4);
      }
      .scroll:focus-visible {
        outline-offset: -2px;
      }
      .gap {
        display: flex;
        align-items: center;
        gap: var(--s3);
        margin: var(--s3) var(--s4) 0;
        color: var(--danger);
        font-size: var(--text-s);
      }
      .gap::before,
      .gap::after,
      .end::before,
      .end::after {
        content: '';
        flex: 1;
        border-top: 1px solid currentColor;
        opacity: 0.35;
      }
      .end {
        display: flex;
        align-items: center;
        gap: var(--s3);
        margin: var(--s5) var(--s4) 0;
      }
      .channel {
        display: flex;
        align-items: center;
        gap: var(--s2);
        padding: var(--s3) var(--s4) 0;
      }
      .empty {
        padding: var(--s6) var(--s4);
        max-width: 44ch;
        color: var(--ink-2);
      }
      .jump {
        position: absolute;
        bottom: var(--s3);
        left: 50%;
        translate: -50% 0;
        border-color: var(--line-strong);
        border-radius: var(--s5);
        background: var(--surface-raised);
        padding-inline: var(--s4);
      }
    `,
  ];

  /** Shows the turn that a card answers. */
  reveal(turnId: string): void {
    this.following = false;
    const turn = [...this.renderRoot.querySelectorAll<Turn>('bc-turn')].find((element) => element.turn?.turn_id === turnId);
    turn?.scrollIntoView({ block: 'center' });
  }

  override render() {
    const view = this.view;
    if (!view) return '';
    const rows = rowsOf(view);
    return html`
      <div class="scroll" tabindex="0" role="region" aria-label="Transcript" @scroll=${this.scrolled}>
        ${isWritten(view) ? html`<p class="channel quiet">${channelIcon(view.channel)} ${channelName(view)}</p>` : ''}
        ${rows.length === 0 ? this.empty(view) : ''}
        <div>${repeat(rows, (row) => row.key, (row) => this.row(row))}</div>
        ${view.state === 'ended' && rows.length > 0 ? html`<p class="end quiet numbers">${isWritten(view) ? 'Ended' : 'Call ended'} at ${callTime(view.duration_ms)}</p>` : ''}
      </div>
      ${this.following || rows.length === 0
        ? ''
        : html`<button type="button" class="button jump" @click=${this.jump}>${arrowDownIcon} Jump to latest</button>`}
    `;
  }

  private row(row: Row) {
    if ('turn' in row) {
      const { turn } = row;
      return html`<bc-turn
        .turn=${turn} ?continued=${row.continued} ?marked=${turn.turn_id === this.markedTurn} ?written=${this.view && isWritten(this.view)}
        .reply=${this.view?.replies[turn.turn_id]}
      ></bc-turn>`;
    }
    const who = (roleNames[row.gap.party.role] ?? row.gap.party.role).toLowerCase();
    return html`<p class="gap numbers">${secondsText(row.gap.lost_ms)} of the ${who}’s voice lost${row.gap.why ? ` · ${row.gap.why}` : ''}</p>`;
  }

  private empty(view: ConversationView) {
    if (isWritten(view)) return html`<p class="empty">${view.state === 'live' ? 'Each message appears here as it comes.' : 'Nothing was written.'}</p>`;
    const words = view.state === 'live'
      ? 'Listening. Each sentence appears here about a second after it is said.'
      : 'Nothing was said on this call.';
    return html`<p class="empty">${words}</p>`;
  }

  override firstUpdated(): void {
    this.resizing.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.resizing.disconnect();
  }

  override willUpdate(changed: PropertyValues<this>): void {
    const before = changed.get('view');
    if (changed.has('view') && before?.id !== this.view?.id) this.following = true;
  }

  override async updated(): Promise<void> {
    // The turns inside draw themselves a moment later; only then is the height known.
    await Promise.all([...this.renderRoot.querySelectorAll<Turn>('bc-turn')].slice(-2).map((turn) => turn.updateComplete));
    this.follow();
  }

  private follow(): void {
    if (this.following && this.scroller) this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  private scrolled(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    // A hidden tab has no height and says nothing about the reader.
    if (clientHeight > 0) this.following = scrollHeight - scrollTop - clientHeight < AT_END_PX;
  }

  private jump(): void {
    this.following = true;
    this.follow();
    this.scroller.focus({ preventScroll: true });
  }
}

/** Turns in order, with each gap standing before the first turn that begins after it. */
function rowsOf(view: ConversationView): Row[] {
  const gaps = [...view.gaps].sort((a, b) => a.start_ms - b.start_ms);
  const rows: Row[] = [];
  let speaker = '';
  const addGap = (gap: Gap) => {
    rows.push({ key: `gap-${gap.party.id}-${gap.start_ms}`, gap });
    speaker = '';
  };
  for (const turn of view.turns) {
    while (gaps.length > 0 && gaps[0]!.start_ms <= turn.start_ms) addGap(gaps.shift()!);
    rows.push({ key: turn.turn_id, turn, continued: turn.party.id === speaker });
    speaker = turn.party.id;
  }
  gaps.forEach(addGap);
  return rows;
}
