/** Lists that go on, as server-sent events: for each resource so many listeners at a time. */
import { once } from 'node:events';
import type { FastifyInstance, FastifyReply } from 'fastify';

/** Each asks the broker a few times a second. */
const MOST_FOLLOWERS = 20;
/** Proxies end connections on which nothing is said. */
const BEAT_MS = 15_000;

/** Answers with what comes, until nobody listens or the gateway ends. */
export type Follow = (
  reply: FastifyReply,
  open: (signal: AbortSignal) => AsyncGenerator<object>,
) => Promise<FastifyReply>;

/** @param what is followed, for people: `the log`. */
export function createFollow(api: FastifyInstance, what: string): Follow {
  let followers = 0;
  const ending = new AbortController();
  api.addHook('preClose', async () => ending.abort());
  return async (reply, open) => {
    if (followers >= MOST_FOLLOWERS) {
      return reply.code(503).send({ error: `There are ${MOST_FOLLOWERS} listeners to ${what} already` });
    }
    followers++;
    try {
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      await tell(reply, what, open(AbortSignal.any([gone.signal, ending.signal])));
    } finally {
      followers--;
    }
    return reply;
  };
}

/** Sends records as events until there are no more, or nobody listens. A listener who is slow is waited for. */
async function tell(reply: FastifyReply, what: string, records: AsyncGenerator<object>): Promise<void> {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
  raw.write(`: ${what}\n\n`);
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
