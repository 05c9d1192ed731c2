/** Requests that are had again out of their trace: sent through the same server as any other, and known to it by a secret. */
import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { InjectOptions } from 'fastify';
import { MotiaError } from '../shared/errors.ts';
import type { RequestRecord } from '../shared/payloads.ts';
import { REDACTED } from '../shared/redaction.ts';

/** What a replay ended with. */
export interface RepliedRequest {
  traceId: string;
  status: number;
}

type Inject = (
  options: InjectOptions & { payloadAsStream: true },
) => Promise<{ statusCode: number; stream: () => NodeJS.ReadableStream & { destroy(): unknown } }>;

const SECRET_HEADER = 'x-motia-replay';
/** They are those of a connection, or of the first time. */
const NOT_SENT: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'transfer-encoding', 'te', 'trailer', 'upgrade', 'expect', 'content-length'],
  ...['traceparent', 'tracestate', 'idempotency-key', SECRET_HEADER],
]);
/** Nobody reads what is streamed as the answer. */
const LONGEST_STREAM_MS = 30_000;

export class RequestReplays {
  readonly #inject: Inject;
  /** By their secrets: those that have not begun. */
  readonly #begun = new Map<string, (traceId: string) => void>();

  /** @param inject hands a request to the server. */
  constructor(inject: Inject) {
    this.#inject = inject;
  }

  /** For a request that is a replay: what is to be told its trace. Its secret is taken out of the headers. */
  take(headers: IncomingHttpHeaders): ((traceId: string) => void) | undefined {
    if (this.#begun.size === 0) return undefined;
    const secret = headers[SECRET_HEADER];
    const begun = typeof secret === 'string' ? this.#begun.get(secret) : undefined;
    if (begun) delete headers[SECRET_HEADER];
    return begun;
  }

  /**
   * @param traceparent of the request that it repeats, which the new trace is linked to.
   * @param more headers in place of those that were; needed for such as are secrets.
   * @throws {MotiaError} `NOT_REPLAYABLE` if one of these is missing, or no step has that path any more.
   */
  async send(
    { method, path, query, headers: were, text }: RequestRecord & { text: string },
    traceparent: string,
    more: Record<string, string> = {},
  ): Promise<RepliedRequest> {
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries({ ...were, ...lowerCased(more) })) {
      if (NOT_SENT.has(name)) continue;
      if (value === REDACTED) {
        const what = `the header "${name}" is a secret, which is not recorded: give it with the replay`;
        throw new MotiaError('NOT_REPLAYABLE', `this cannot be had again: ${what}`);
      }
      headers[name] = value;
    }
    const secret = randomUUID();
    let traceId: string | undefined;
    this.#begun.set(secret, (id) => {
      traceId = id;
    });
    try {
      const { statusCode: status, stream } = await this.#inject({
        method: method as 'GET',
        url: query === '' ? path : `${path}?${query}`,
        headers: { ...headers, traceparent, [SECRET_HEADER]: secret },
        ...(text !== '' && { payload: text }),
        payloadAsStream: true,
      });
      const answer = stream();
      answer.resume();
      setTimeout(() => answer.destroy(), LONGEST_STREAM_MS).unref();
      if (traceId !== undefined) return { traceId, status };
    } finally {
      this.#begun.delete(secret);
    }
    throw new MotiaError('NOT_REPLAYABLE', `this cannot be had again: no step serves ${method} ${path} any more`);
  }
}

const lowerCased = (headers: Record<string, string>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
