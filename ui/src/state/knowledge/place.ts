// Where somebody is on the page, kept in the address: it can be sent, and survives a reload.
export type TabId = 'review' | 'gaps' | 'stale' | 'search';

export interface Place {
  tab: TabId;
  /** Of the article or gap that is open; '' when none is. */
  id: string;
  /** What is searched for. */
  query: string;
}

const TABS: TabId[] = ['review', 'gaps', 'stale', 'search'];

/** `#stale/billing/refunds`, `#search/billing/refunds?q=refund` */
export function placeOf(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#/, '').split('?', 2);
  const [tab, ...id] = path.split('/');
  const known = TABS.find((one) => one === tab);
  if (!known) return { tab: 'review', id: '', query: '' };
  return { tab: known, id: decoded(id.join('/')), query: new URLSearchParams(query).get('q') ?? '' };
}

export function hashOf({ tab, id, query }: Place): string {
  const path = id === '' ? tab : `${tab}/${id.split('/').map(encodeURIComponent).join('/')}`;
  return `#${path}${tab === 'search' && query !== '' ? `?${new URLSearchParams({ q: query })}` : ''}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // Somebody typed a lone % into the address.
  }
}
