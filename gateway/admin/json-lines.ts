/** Lists as lines of JSON, for programs that read them one by one. */
import type { FastifyReply } from 'fastify';
import { choiceOf } from './query.ts';

/** Whether `format=jsonl` asks for them. */
export const isJsonLines = (query: Record<string, unknown>): boolean =>
  choiceOf(query, 'format', ['json', 'jsonl']) === 'jsonl';

/** @param next cursor of the next page. */
export function sendJsonLines(reply: FastifyReply, records: readonly object[], next?: string): FastifyReply {
  if (next !== undefined) reply.header('x-next-cursor', next);
  return reply
    .type('application/x-ndjson; charset=utf-8')
    .send(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
}
