/** What the log is narrowed by: parameters of the URL, named as in the admin API. Pure. */
import type { Query } from '../../api/address.ts';
import { TRACE_ID } from '../../lib/trace-id.ts';

export const FILTERS = ['level', 'text', 'step', 'flow', 'since', 'until'] as const;
export type Filters = Record<(typeof FILTERS)[number], string>;

/** Records that are read at once. */
export const PAGE = 500;

export const readLogFilters = (params: URLSearchParams): Filters =>
  Object.fromEntries(FILTERS.map((name) => [name, params.get(name) ?? ''])) as Filters;

/** No filter at all. */
export const NONE: Filters = readLogFilters(new URLSearchParams());

/** For the admin API, which finds the log of a whole trace id without looking through all of it. */
export function logQuery({ text, ...filters }: Filters): Query {
  const wanted = text.trim();
  return { ...filters, ...(TRACE_ID.test(wanted) ? { trace: wanted } : { text: wanted }) };
}
