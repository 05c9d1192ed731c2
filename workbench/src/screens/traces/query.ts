/** What the list of traces is narrowed by: parameters of the URL, named as in the admin API. Pure. */
import type { Query } from '../../api/address.ts';

export const FILTERS = ['status', 'text', 'step', 'flow', 'since', 'minDuration'] as const;
export type Filters = Record<(typeof FILTERS)[number], string>;

export const readTraceFilters = (params: URLSearchParams): Filters =>
  Object.fromEntries(FILTERS.map((name) => [name, params.get(name) ?? ''])) as Filters;

export const isFiltered = (filters: Filters): boolean => FILTERS.some((name) => filters[name] !== '');
export const traceQuery = (filters: Filters): Query => Object.fromEntries(FILTERS.map((name) => [name, filters[name]]));
