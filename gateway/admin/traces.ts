/** Traces in the admin API. */
import type { FastifyInstance } from 'fastify';
import type { TelemetryAdmin } from '../../shared/broker/telemetry-admin.ts';
import type { SpanNode } from '../../shared/broker/telemetry-trace.ts';
import { TRACE_STATUSES } from '../../shared/telemetry-records.ts';
import { isJsonLines, sendJsonLines } from './json-lines.ts';
import { choiceOf, numberOf, type Query, textOf, timeOf } from './query.ts';

export function traceRoutes(api: FastifyInstance, telemetry: () => Promise<TelemetryAdmin>): void {
  api.get<Query>('/traces', async ({ query }, reply) => {
    const filter = {
      status: choiceOf(query, 'status', TRACE_STATUSES),
      step: textOf(query, 'step'),
      flow: textOf(query, 'flow'),
      since: timeOf(query, 'since'),
      until: timeOf(query, 'until'),
      minDurationMs: numberOf(query, 'minDuration'),
      maxDurationMs: numberOf(query, 'maxDuration'),
      text: textOf(query, 'text'),
    };
    const page = { cursor: textOf(query, 'cursor'), limit: numberOf(query, 'limit') };
    const lines = isJsonLines(query);
    const found = await (await telemetry()).traces(filter, page);
    return lines ? sendJsonLines(reply, found.traces, found.next) : found;
  });
  api.get<Query & { Params: { id: string } }>('/traces/:id', async ({ params, query }, reply) => {
    const lines = isJsonLines(query);
    const trace = await (await telemetry()).trace(params.id);
    return lines ? sendJsonLines(reply, [...trace.roots.flatMap(withAllBelow), ...trace.logs]) : trace;
  });
}

/** Spans without the tree: each names its parent. */
function withAllBelow({ children, ...span }: SpanNode): object[] {
  return [...(span.missing ? [] : [span]), ...children.flatMap(withAllBelow)];
}
