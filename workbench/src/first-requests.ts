/** A script of its own, small and before all others: asks for what the screen of this address begins with, while the page is loaded. */
import { API, headersWith, keptToken, PAGE_ROWS, type Query, queryText } from './api/address.ts';
import { askFirst } from './api/first-answers.ts';
import { PAGE as LOG_PAGE, logQuery, readLogFilters } from './screens/logs/query.ts';
import { GROUP_ROWS } from './screens/states/query.ts';
import { readTraceFilters, traceQuery } from './screens/traces/query.ts';

type Request = readonly [path: string, query?: Query];

/** What each screen asks for as it comes; that it asks for nothing else, and for all of it, is tested. */
const REQUESTS: Record<string, (params: URLSearchParams) => Request[]> = {
  flows: () => [['/steps'], ['/activity'], ['/flows/layout']],
  endpoints: () => [['/steps']],
  traces: (params) => [['/steps'], ['/traces', { ...traceQuery(readTraceFilters(params)), limit: PAGE_ROWS }]],
  logs: (params) => [['/steps'], ['/logs', { ...logQuery(readLogFilters(params)), limit: LOG_PAGE }]],
  states: () => [['/state/groups', { limit: GROUP_ROWS }]],
  streams: () => [['/streams']],
  queues: () => [['/queues']],
  cron: () => [['/cron']],
};

const [screen = ''] = location.pathname.replace(/^.*\/__motia\/ui\//, '').split('/');
const requests = REQUESTS[screen || 'flows']?.(new URLSearchParams(location.search));
if (requests) {
  const headers = headersWith(keptToken());
  for (const [path, query] of [['/app'] as Request, ...requests]) askFirst(API + path + queryText(query), headers);
}
