/** Where requests to the admin API go, and who asks. Without React: the first of them are made before that has come. */

export const API = '/__motia/api/v1';

export type Query = Record<string, string | number | boolean | undefined>;

/** Rows of a page of a list, where nothing else is said. */
export const PAGE_ROWS = 100;

export const TOKEN_KEY = 'motia-admin-token';

/** The token of whoever looks, kept for this tab only. */
export const keptToken = (): string | undefined => sessionStorage.getItem(TOKEN_KEY) ?? undefined;

/** With what keeps other sites from asking. */
export function headersWith(token: string | undefined): Record<string, string> {
  return { 'x-motia-request': '1', ...(token !== undefined && { authorization: `Bearer ${token}` }) };
}

/** With its `?`, or empty: what is `undefined` or empty is left out. */
export function queryText(query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  return given.length > 0 ? `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}` : '';
}
