// A diff's lines side by side: what was on the left, what shall be on the right.
import type { Diff, DiffLine } from '../../api/knowledge-types.ts';

export type Row =
  | { kind: 'lines'; left: DiffLine | null; right: DiffLine | null }
  | { kind: 'fold'; lines: DiffLine[] };

/** Unchanged lines that stay visible before and after a change. */
const CONTEXT_LINES = 2;

/** Removed and added lines that follow each other stand beside each other; long stretches without a change are folded. */
export function sideBySide(lines: DiffLine[]): Row[] {
  const rows: Row[] = [];
  let at = 0;
  while (at < lines.length) {
    const same = take(lines, at, 'same');
    if (same.length > 0) {
      rows.push(...folded(same, at === 0, at + same.length === lines.length));
      at += same.length;
      continue;
    }
    const removed = take(lines, at, 'removed');
    const added = take(lines, at + removed.length, 'added');
    for (let i = 0; i < Math.max(removed.length, added.length); i += 1) {
      rows.push({ kind: 'lines', left: removed[i] ?? null, right: added[i] ?? null });
    }
    at += removed.length + added.length;
  }
  return rows;
}

export function changedLines(diff: Diff): { added: number; removed: number } {
  const count = (change: DiffLine['change']) => diff.body.filter((line) => line.change === change).length;
  return { added: count('added'), removed: count('removed') };
}

export function lineText(line: DiffLine): string {
  return line.parts.map((part) => part.text).join('').replace(/\r?\n$/, '');
}

function take(lines: DiffLine[], from: number, change: DiffLine['change']): DiffLine[] {
  let to = from;
  while (lines[to]?.change === change) to += 1;
  return lines.slice(from, to);
}

function folded(lines: DiffLine[], first: boolean, last: boolean): Row[] {
  const both = (line: DiffLine): Row => ({ kind: 'lines', left: line, right: line });
  const head = first ? 0 : CONTEXT_LINES;
  const tail = last ? 0 : CONTEXT_LINES;
  // A fold that hides one line takes the room of that line.
  if (lines.length - head - tail < 2) return lines.map(both);
  const middle = lines.slice(head, lines.length - tail);
  return [...lines.slice(0, head).map(both), { kind: 'fold', lines: middle }, ...lines.slice(lines.length - tail).map(both)];
}
