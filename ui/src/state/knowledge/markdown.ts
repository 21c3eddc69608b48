// An article's Markdown as a tree of blocks and runs. The elements draw the tree and never a string of HTML: what an
// article says in tags is shown as it stands there, and can't run.
import { type Token, type Tokens, lexer } from 'marked';

export interface Span {
  text: string;
  bold?: boolean;
  italic?: boolean;
  code?: boolean;
  struck?: boolean;
  /** Only addresses that a reader may follow. */
  href?: string;
}

export type Block =
  | { kind: 'heading'; level: number; spans: Span[] }
  | { kind: 'paragraph'; spans: Span[] }
  | { kind: 'list'; ordered: boolean; start: number; items: Block[][] }
  | { kind: 'quote'; blocks: Block[] }
  | { kind: 'code'; text: string }
  | { kind: 'table'; head: Span[][]; rows: Span[][][] }
  | { kind: 'rule' };

// Beyond that a preview at each key would be slow; such an article is shown as it is written.
const MOST_CHARS = 200_000;

export function parse(markdown: string): Block[] {
  const asWritten: Block[] = [{ kind: 'code', text: markdown }];
  if (markdown.length > MOST_CHARS || isDeep(markdown)) return asWritten;
  try {
    return blocksOf(lexer(markdown));
  } catch {
    // Whoever reviews it must see what it says, whatever it is.
    return asWritten;
  }
}

/** The lexer calls itself for each quote in a quote and list in a list. */
function isDeep(markdown: string): boolean {
  return /^(?:[ \t]*>){30}/m.test(markdown) || /^(?:[ \t]*[-*+]|[ \t]*\d+[.)])(?:[ \t]+(?:[-*+]|\d+[.)])){30}/m.test(markdown) || /^[ \t]{100}/m.test(markdown);
}

/** A block's words without its marks. */
export function plain(spans: Span[]): string {
  return spans.map((span) => span.text).join('');
}

function blocksOf(tokens: Token[]): Block[] {
  return tokens.flatMap(blockOf);
}

function blockOf(token: Token): Block[] {
  switch (token.type) {
    case 'space':
    case 'def':
      return [];
    case 'heading':
      return [{ kind: 'heading', level: (token as Tokens.Heading).depth, spans: spansOf(token.tokens ?? []) }];
    case 'list': {
      const list = token as Tokens.List;
      return [{ kind: 'list', ordered: list.ordered, start: Number(list.start) || 1, items: list.items.map((item) => blocksOf(item.tokens)) }];
    }
    case 'blockquote':
      return [{ kind: 'quote', blocks: blocksOf(token.tokens ?? []) }];
    case 'code':
      return [{ kind: 'code', text: (token as Tokens.Code).text }];
    case 'html':
      return [{ kind: 'code', text: token.raw.trimEnd() }];
    case 'hr':
      return [{ kind: 'rule' }];
    case 'table': {
      const table = token as Tokens.Table;
      const cells = (row: Tokens.TableCell[]) => row.map((cell) => spansOf(cell.tokens));
      return [{ kind: 'table', head: cells(table.header), rows: table.rows.map(cells) }];
    }
    default: {
      const spans = token.type === 'checkbox' ? [] : spansOf('tokens' in token && token.tokens ? token.tokens : [token]);
      return spans.length === 0 ? [] : [{ kind: 'paragraph', spans }];
    }
  }
}

function spansOf(tokens: Token[], look: Omit<Span, 'text'> = {}): Span[] {
  return tokens.flatMap((token) => spanOf(token, look));
}

function spanOf(token: Token, look: Omit<Span, 'text'>): Span[] {
  const within = 'tokens' in token ? (token.tokens ?? []) : [];
  const inner = (more: Omit<Span, 'text'>) => spansOf(within, { ...look, ...more });
  switch (token.type) {
    case 'strong':
      return inner({ bold: true });
    case 'em':
      return inner({ italic: true });
    case 'del':
      return inner({ struck: true });
    case 'link': {
      const href = followable((token as Tokens.Link).href);
      return inner(href === undefined ? {} : { href });
    }
    case 'codespan':
      return [{ ...look, code: true, text: (token as Tokens.Codespan).text }];
    case 'br':
      return [{ ...look, text: ' ' }];
    case 'image':
      // Pictures would come from elsewhere, which the page may not ask.
      return [{ ...look, text: `[picture: ${(token as Tokens.Image).text || 'without words'}]` }];
    case 'html':
      return [{ ...look, code: true, text: token.raw }];
    default: {
      if (within.length > 0) return inner({});
      // A line break inside a paragraph is only where the author's editor wrapped.
      return [{ ...look, text: unescaped('text' in token ? String(token.text) : token.raw).replace(/\s+/g, ' ') }];
    }
  }
}

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ', ndash: '–', mdash: '—', hellip: '…', pound: '£', euro: '€' };

/** `&amp;` as the character that it stands for; imported pages are full of them. */
function unescaped(text: string): string {
  return text.replace(/&(?:#(\d{1,6})|(\w{2,6}));/g, (whole, code: string | undefined, name: string | undefined) => {
    const point = Number(code);
    return code === undefined ? (ENTITIES[name ?? ''] ?? whole) : point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : whole;
  });
}

/** A web or mail address; scripts and whatever else a link can hold are no addresses. */
function followable(href: string): string | undefined {
  return /^(https?:\/\/|mailto:)/i.test(href.trim()) ? href.trim() : undefined;
}
