// Which words of a draft rest on which turns.
import type { SentenceOrigin } from '../../api/knowledge-types.ts';
import { type Span, plain } from './markdown.ts';

/** Words of a block: from the sentences `origins[n]` (places in the article's provenance), or from none. */
export interface Stretch {
  spans: Span[];
  origins: number[];
}

/** Cuts a block where its sentences with a source begin and end. */
export function stretches(spans: Span[], origins: Pick<SentenceOrigin, 'sentence'>[]): Stretch[] {
  const text = plain(spans);
  const found: { start: number; end: number; origins: number[] }[] = [];
  origins.forEach((origin, number) => {
    const sentence = bare(origin.sentence);
    if (sentence === '') return;
    const start = text.indexOf(sentence);
    if (start < 0) return;
    const end = start + sentence.length;
    const same = found.find((one) => one.start === start && one.end === end);
    // One sentence can come from several calls; what only overlaps is left to the one that came first.
    if (same) same.origins.push(number);
    else if (!found.some((one) => start < one.end && one.start < end)) found.push({ start, end, origins: [number] });
  });
  found.sort((a, b) => a.start - b.start);
  const all: Stretch[] = [];
  let at = 0;
  const put = (to: number, of: number[]) => {
    if (to > at) all.push({ spans: slice(spans, at, to), origins: of });
    at = to;
  };
  const blanks = () => /^\s*/.exec(text.slice(at))?.[0].length ?? 0;
  for (const one of found) {
    // The blank after a sentence is no word without a source.
    put(Math.min(at + blanks(), one.start), []);
    put(one.start, []);
    put(one.end, one.origins);
  }
  put(at + blanks(), []);
  put(text.length, []);
  return all;
}

/** Whether words say anything that would need a source. */
export function says(stretch: Stretch): boolean {
  return /[\p{L}\p{N}]/u.test(plain(stretch.spans));
}

/** Origins whose sentence stands in a line of Markdown. */
export function originsIn(line: string, origins: Pick<SentenceOrigin, 'sentence'>[]): number[] {
  const text = bare(line);
  return origins.flatMap((origin, number) => (bare(origin.sentence) !== '' && text.includes(bare(origin.sentence)) ? [number] : []));
}

/** Origins of the same sentence bear one number, counted from 1 in the order of the draft. */
export function numbers(origins: Pick<SentenceOrigin, 'sentence'>[]): number[] {
  const seen: string[] = [];
  return origins.map(({ sentence }) => {
    const text = bare(sentence);
    if (!seen.includes(text)) seen.push(text);
    return seen.indexOf(text) + 1;
  });
}

/** Without emphasis and line breaks, as the block's words are. */
function bare(text: string): string {
  return text.replace(/^\s*(#{1,6}|[-*+]|\d+[.)])\s+/, '').replace(/[*_`]/g, '').replace(/\s+/g, ' ').trim();
}

function slice(spans: Span[], start: number, end: number): Span[] {
  const cut: Span[] = [];
  let at = 0;
  for (const span of spans) {
    const text = span.text.slice(Math.max(0, start - at), Math.max(0, end - at));
    if (text !== '') cut.push({ ...span, text });
    at += span.text.length;
  }
  return cut;
}
