// A cited passage, cut into blocks and runs with the supporting words marked. Articles are Markdown; agents need the words,
// not a renderer, so only paragraphs, list items, headings and bold are drawn. Offsets stay those of the original text.
import type { Citation, Evidence, Passage } from '../api/types.ts';

export interface Run {
  text: string;
  bold: boolean;
  marked: boolean;
}

export interface Block {
  kind: 'paragraph' | 'item' | 'heading';
  runs: Run[];
}

export interface Range {
  start: number;
  end: number;
}

/** The places that a sentence rests on, each once: two quotes of one turn are one place to look at. */
export function sourcesOf(citations: Evidence[]): Evidence[] {
  const place = (one: Evidence) => (one.of === 'turn' ? one.turn_id : `${one.passage_id} ${one.start} ${one.end}`);
  return citations.filter((one, at) => citations.findIndex((other) => other.of === one.of && place(other) === place(one)) === at);
}

/** Where the quote stands, in code points; null when the article has changed and no longer says it. */
export function findQuote(text: string, citation: Pick<Citation, 'start' | 'end' | 'quote'>): Range | null {
  const points = Array.from(text);
  if (points.slice(citation.start, citation.end).join('') === citation.quote) return { start: citation.start, end: citation.end };
  const at = citation.quote === '' ? -1 : text.indexOf(citation.quote);
  if (at < 0) return null;
  const start = Array.from(text.slice(0, at)).length;
  return { start, end: start + Array.from(citation.quote).length };
}

/** By id; an edited article may have numbered its passages anew, so by its words as well. */
export function citedPassage(passages: Passage[], citation: Pick<Citation, 'passage_id' | 'quote'>): Passage | undefined {
  return passages.find((p) => p.id === citation.passage_id) ?? passages.find((p) => citation.quote !== '' && p.text.includes(citation.quote));
}

/** Lists and headings begin a block; wrapped lines join the one before. */
export function blocks(text: string, mark: Range | null): Block[] {
  const found: Block[] = [];
  let start = 0;
  let open: Block | null = null;
  for (const line of text.split('\n')) {
    const length = Array.from(line).length;
    const lead = /^\s*([-*+]|\d+[.)])\s+/.exec(line) ?? /^\s*#{1,6}\s+/.exec(line);
    const skip = lead ? Array.from(lead[0]).length : 0;
    if (line.trim() === '') {
      open = null;
    } else {
      const runs = runsOf(Array.from(line).slice(skip).join(''), start + skip, mark);
      if (lead || open === null) {
        open = { kind: lead ? (lead[0].includes('#') ? 'heading' : 'item') : 'paragraph', runs };
        found.push(open);
        if (open.kind === 'heading') open = null;
      } else {
        // A line break inside a paragraph is only where the author's editor wrapped.
        const before = open.runs.at(-1);
        open.runs.push({ text: ' ', bold: false, marked: Boolean(before?.marked && runs[0]?.marked) }, ...runs);
      }
    }
    start += length + 1;
  }
  return found;
}

function runsOf(line: string, offset: number, mark: Range | null): Run[] {
  const runs: Run[] = [];
  const points = Array.from(line);
  let bold = false;
  for (let i = 0; i < points.length; i += 1) {
    if (points[i] === '*' && points[i + 1] === '*') {
      bold = !bold;
      i += 1;
      continue;
    }
    const marked = mark !== null && offset + i >= mark.start && offset + i < mark.end;
    const last = runs.at(-1);
    if (last && last.bold === bold && last.marked === marked) last.text += points[i]!;
    else runs.push({ text: points[i]!, bold, marked });
  }
  return runs;
}
