/** The log in the admin API: pages of it, and what is added to it as server-sent events. */
import type { FastifyInstance } from 'fastify';
import type { TelemetryAdmin } from '../../shared/broker/telemetry-admin.ts';
import type { LogFilter } from '../../shared/broker/telemetry-logs.ts';
import { LOG_LEVELS } from '../../shared/log-levels.ts';
import { isJsonLines, sendJsonLines } from './json-lines.ts';
import { choiceOf, numberOf, type Query, textOf, timeOf } from './query.ts';
import { createFollow } from './server-sent-events.ts';

export function logRoutes(api: FastifyInstance, telemetry: () => Promise<TelemetryAdmin>): void {
  const follow = createFollow(api, 'the log');

  api.get<Query>('/logs', async ({ query }, reply) => {
    const page = { cursor: textOf(query, 'cursor'), limit: numberOf(query, 'limit') };
    const [filter, lines] = [filterOf(query), isJsonLines(query)];
    const found = await (await telemetry()).logs(filter, page);
    return lines ? sendJsonLines(reply, found.logs, found.next) : found;
  });

  api.get<Query>('/logs/follow', async ({ query }, reply) => {
    const filter = filterOf(query);
    const admin = await telemetry();
    return follow(reply, (signal) => admin.follow(filter, signal));
  });
}

function filterOf(query: Record<string, unknown>): LogFilter {
  return {
    level: choiceOf(query, 'level', LOG_LEVELS),
    step: textOf(query, 'step'),
    flow: textOf(query, 'flow'),
    traceId: textOf(query, 'trace'),
    text: textOf(query, 'text'),
    since: timeOf(query, 'since'),
    until: timeOf(query, 'until'),
  };
}
