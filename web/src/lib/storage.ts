/** Small preferences of this browser; a browser without storage just forgets them. */
export function recall(key: string): string | null {
  try {
    return window.localStorage.getItem(`tocsin.${key}`);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string): void {
  try {
    window.localStorage.setItem(`tocsin.${key}`, value);
  } catch {
    // Private windows and full quotas: the preference lasts until the page is closed.
  }
}

const KEPT = 100;

/** The searches of this person on a track, newest first. */
export function searchHistory(track: string): { query: string; at: number }[] {
  try {
    const list: unknown = JSON.parse(recall(`history.${track}`) ?? "[]");
    return Array.isArray(list) ? (list as { query: string; at: number }[]).filter((item) => typeof item.query === "string") : [];
  } catch {
    return [];
  }
}

export function rememberSearch(track: string, query: string, at: number): void {
  if (query.trim() === "") return;
  const others = searchHistory(track).filter((item) => item.query !== query);
  remember(`history.${track}`, JSON.stringify([{ query, at }, ...others].slice(0, KEPT)));
}
