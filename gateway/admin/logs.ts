/** The log in the admin API: pages of it, and what is added to it as server-sent events. */
import { once } from 'node:events';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { TelemetryAdmin } from '../../shared/broker/telemetry-admin.ts';
import type { LogFilter } from '../../shared/broker/telemetry-logs.ts';
import { LOG_LEVELS } from '../../shared/log-levels.ts';
import type { LogRecord } from '../../shared/telemetry-records.ts';
import { isJsonLines, sendJsonLines } from './json-lines.ts';
import { choiceOf, numberOf, type Query, textOf, timeOf } from './query.ts';

/** Each asks the broker a few times a second. */
const MOST_FOLLOWERS = 20;
/** Proxies end connections on which nothing is said. */
const BEAT_MS = 15_000;

export function logRoutes(api: FastifyInstance, telemetry: () => Promise<TelemetryAdmin>): void {
  let followers = 0;
  const following = new AbortController();
  api.addHook('preClose', async () => following.abort());

  api.get<Query>('/logs', async ({ query }, reply) => {
    const page = { cursor: textOf(query, 'cursor'), limit: numberOf(query, 'limit') };
    const [filter, lines] = [filterOf(query), isJsonLines(query)];
    const found = await (await telemetry()).logs(filter, page);
    return lines ? sendJsonLines(reply, found.logs, found.next) : found;
  });

  api.get<Query>('/logs/follow', async ({ query }, reply) => {
    const filter = filterOf(query);
    if (followers >= MOST_FOLLOWERS) {
      return reply.code(503).send({ error: `The log is followed ${MOST_FOLLOWERS} times already` });
    }
    const admin = await telemetry();
    followers++;
    try {
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      await tell(reply, admin.follow(filter, AbortSignal.any([gone.signal, following.signal])));
    } finally {
      followers--;
    }
    return reply;
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

/** Sends records as events until there are no more, or nobody listens. A listener who is slow is waited for. */
async function tell(reply: FastifyReply, records: AsyncGenerator<LogRecord>): Promise<void> {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
  raw.write(': the log\n\n');
  const beat = setInterval(() => raw.write(': beat\n\n'), BEAT_MS).unref();
  const closed = once(raw, 'close').catch(() => {});
  try {
    for await (const record of records) {
      if (!raw.write(`data: ${JSON.stringify(record)}\n\n`)) await Promise.race([once(raw, 'drain'), closed]);
    }
  } catch {
    // The broker is away for longer than reads ride out: who listens connects again, as browsers do by themselves.
  } finally {
    clearInterval(beat);
    raw.end();
  }
}
