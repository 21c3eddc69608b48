import '../theme.ts';
import { LitElement, css, html, nothing } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import { client } from '../api/client.ts';
import { Problem, sentenceFor } from '../api/problem.ts';
import type { Me, SignInWays } from '../api/types.ts';
import { shared } from '../components/shared-styles.ts';

/** `/`: sign in at the company's identity provider or with an API key; then the pages that your role has. */
@customElement('backchannel-home')
export class Home extends LitElement {
  @state() private me: Me | null | undefined;
  @state() private ways: SignInWays | undefined;
  @state() private problem = '';
  @state() private busy = false;
  @query('input') private input!: HTMLInputElement | null;

  static override styles = [
    shared,
    css`
      main {
        max-width: 400px;
        margin: 0 auto;
        padding: clamp(var(--s12), 18vh, 160px) var(--s5) var(--s8);
      }
      h1 {
        font-size: var(--text-xl);
        font-weight: var(--weight-bold);
        letter-spacing: -0.01em;
      }
      .lead {
        margin: var(--s1) 0 var(--s8);
        color: var(--ink-2);
      }
      label {
        display: block;
        margin-bottom: var(--s1);
      }
      input {
        width: 100%;
        min-height: 40px;
        padding: var(--s2) var(--s3);
        font: inherit;
        font-family: var(--font-mono);
        color: var(--ink);
        background: var(--surface);
        border: 1px solid var(--line-strong);
        border-radius: var(--radius-s);
      }
      .hint {
        margin-top: var(--s2);
      }
      .error {
        margin-top: var(--s2);
        font-size: var(--text-s);
        font-weight: var(--weight-medium);
      }
      .wide {
        min-height: 40px;
        padding-inline: var(--s5);
        margin-top: var(--s5);
        font-size: var(--text-m);
      }
      .provider {
        display: flex;
        align-items: center;
        justify-content: center;
        width: 100%;
        min-height: 40px;
        margin-bottom: var(--s6);
        font-size: var(--text-m);
        text-decoration: none;
      }
      .place {
        display: block;
        padding: var(--s4) var(--s5);
        border: 1px solid var(--line);
        border-inline-start: var(--bar) solid var(--accent);
        border-radius: var(--radius);
        background: var(--surface-raised);
        color: inherit;
        text-decoration: none;
      }
      .place + .place {
        margin-top: var(--s3);
      }
      .place:hover {
        background: var(--hover);
      }
      .place strong {
        display: block;
        font-size: var(--text-l);
        font-weight: var(--weight-bold);
      }
      .place span {
        color: var(--ink-2);
      }
      .foot {
        display: flex;
        align-items: center;
        justify-content: space-between;
        margin-top: var(--s6);
      }
    `,
  ];

  override connectedCallback(): void {
    super.connectedCallback();
    void this.look();
  }

  override render() {
    // Until we know who it is, nothing: a flash of the wrong page is worse than a moment of none.
    if (this.me === undefined) return html`<main aria-busy="true"></main>`;
    return html`<main>${this.me === null ? this.signIn() : this.home(this.me)}</main>`;
  }

  private signIn() {
    return html`<h1>Backchannel</h1>
      <p class="lead">Sign in to your desktop.</p>
      ${this.ways?.provider ? this.provider(this.ways.provider) : nothing}
      <form @submit=${this.submit}>
        <label class="label" for="key">API key</label>
        <input id="key" type="password" name="api_key" autocomplete="current-password" spellcheck="false" required
          aria-describedby=${this.problem ? 'error' : 'hint'} aria-invalid=${this.problem !== ''} />
        ${this.problem
          ? html`<p class="error" id="error" role="alert">${this.problem}</p>`
          : html`<p class="quiet hint" id="hint">Your administrator gave it to you. It is kept in a cookie that scripts can’t read.</p>`}
        <button class="button ${this.ways?.provider ? 'plain' : 'primary'} wide" ?disabled=${this.busy}>Sign in</button>
      </form>`;
  }

  private provider(way: { name: string; address: string }) {
    const next = wanted() ?? '/';
    return html`<a class="button primary provider" href="${way.address}?next=${encodeURIComponent(next)}">Sign in with ${way.name}</a>`;
  }

  private home(me: Me) {
    const places = PLACES.filter((place) => me.operator || place.roles.includes(me.role));
    return html`<h1>Hello ${me.name}</h1>
      <p class="lead">${me.demo ? 'A demo with sample knowledge' : me.tenant}</p>
      ${places.map((place) => html`<a class="place" href=${place.address}><strong>${place.name}</strong><span>${place.about}</span></a>`)}
      ${places.length === 0 ? html`<p class="quiet">This account is for a program: none of the pages is for it.</p>` : nothing}
      <div class="foot">
        <span class="quiet numbers">${me.role.replaceAll('_', ' ')} · version ${me.version}</span>
        <button type="button" class="button plain" @click=${this.signOut}>Sign out</button>
      </div>`;
  }

  private async look(): Promise<void> {
    try {
      this.me = await client.me();
      const next = wanted();
      if (next) location.replace(next);
    } catch (error) {
      // Where it can't be said, the key is left.
      this.ways ??= await client.signInWays().catch(() => undefined);
      this.me = null;
      this.problem = cameBackWith();
      if (!(error instanceof Problem) || error.status !== 401) this.problem = sentenceFor(error);
      await this.updateComplete;
      this.input?.focus();
    }
  }

  private async submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    this.busy = true;
    this.problem = '';
    try {
      await client.signIn(this.input?.value.trim() ?? '');
      await this.look();
    } catch (error) {
      const unknown = error instanceof Problem && error.status === 401;
      this.problem = unknown ? 'This key isn’t known here. Check that you copied all of it.' : sentenceFor(error);
      this.input?.select();
    } finally {
      this.busy = false;
    }
  }

  private async signOut(): Promise<void> {
    await client.signOut().catch(() => undefined);
    location.assign('/');
  }
}

/** The pages, and who works with them; the service says the same of what stands behind them. */
const PLACES = [
  { address: '/desktop', name: 'Agent desktop', about: 'The live call, its words, and answers with their source.', roles: ['agent', 'supervisor', 'admin'] },
  {
    address: '/knowledge',
    name: 'Knowledge',
    about: 'Drafts to review, what nobody has written yet, and what grows stale.',
    roles: ['knowledge_manager', 'supervisor', 'admin'],
  },
  { address: '/outbox', name: 'Outbox', about: 'What goes to the CRM, mailbox and calendar, and what didn’t get there.', roles: ['agent', 'supervisor', 'admin'] },
  {
    address: '/floor/routing',
    name: 'Routing',
    about: 'Who waits and who is free, who was chosen and why, and what a policy is worth.',
    roles: ['agent', 'supervisor', 'admin'],
  },
];

const CAME_BACK: Record<string, string> = {
  'sign-in-refused': 'You couldn’t be signed in: your account has no role here. Ask your administrator.',
  'sign-in-expired': 'That took too long, or began in another window. Sign in once more.',
  'sign-in-unavailable': 'The sign-in of your company can’t be reached at the moment. Try again in a minute.',
};

/** What went wrong at the identity provider. */
function cameBackWith(): string {
  return CAME_BACK[new URLSearchParams(location.search).get('problem') ?? ''] ?? '';
}

/** Where somebody was sent here from; only a path of this service, never another site. */
function wanted(): string | null {
  const next = new URLSearchParams(location.search).get('next');
  if (!next?.startsWith('/')) return null;
  const address = new URL(next, location.origin);
  return address.origin === location.origin ? address.pathname + address.hash : null;
}
