// Words that somebody typed and didn't save, for as long as the tab is open: they outlive a sign-in.
import type { Edit } from '../../components/knowledge/editor.ts';

/** An edit, and the draft that goes into it when two are merged. */
export type KeptEdit = Edit & { changed: boolean; merges?: { id: string; revision: number; title: string } };

const PLACE = 'backchannel-edits';

export function keptEdits(): Map<string, KeptEdit> {
  try {
    return new Map(JSON.parse(sessionStorage.getItem(PLACE) ?? '[]') as [string, KeptEdit][]);
  } catch {
    return new Map();
  }
}

/** A browser that keeps nothing loses them with the page, which asks before it goes. */
export function keepEdits(edits: ReadonlyMap<string, KeptEdit>): void {
  try {
    sessionStorage.setItem(PLACE, JSON.stringify([...edits].filter(([, edit]) => edit.changed)));
  } catch {
    // Full, or not allowed.
  }
}
