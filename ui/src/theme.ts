// Auto follows the system; a choice is kept in this browser. Imported first by each page, so that the right colours come early.
export type Theme = 'auto' | 'light' | 'dark';

const KEY = 'backchannel.theme';
const ORDER: Theme[] = ['auto', 'light', 'dark'];

export function currentTheme(): Theme {
  const kept = read();
  return ORDER.includes(kept as Theme) ? (kept as Theme) : 'auto';
}

export function nextTheme(): Theme {
  const theme = ORDER[(ORDER.indexOf(currentTheme()) + 1) % ORDER.length]!;
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // A browser that keeps nothing still gets the theme for this page.
  }
  show(theme);
  return theme;
}

function read(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function show(theme: Theme): void {
  if (theme === 'auto') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}

show(currentTheme());
