/** Realtime streams as server-sent events: one group or item for each request, with the frames of the WebSocket as data. */
import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { RESERVED } from '../admin/refusals.ts';
import { type AllowedOrigins, corsHeaders, preflightHeaders, toPreflight } from '../cors.ts';
import { admit } from './admission.ts';
import { Client } from './client.ts';
import type { Connected } from './connected.ts';
import type { Frame, Target } from './frames.ts';
import type { SocketServerOptions } from './socket-server.ts';

export interface SseOptions extends SocketServerOptions {
  corsOrigins: () => AllowedOrigins;
}

type StreamRequest = FastifyRequest<{ Params: { stream: string; group: string; id?: string } }>;

const METHODS = ['GET', 'OPTIONS'];
/** After this a client comes back. */
const RETRY_MS = 2_000;
/** An id of an event is a position; what is longer is none. */
const LONGEST_ID = 256;

/** Serves `GET /__motia/streams/<stream>/<group>` and `…/<group>/<id>`. */
export function serveSse(app: FastifyInstance, options: SseOptions): void {
  for (const path of [':stream/:group', ':stream/:group/:id']) {
    const url = `${RESERVED}streams/${path}`;
    app.get(url, { exposeHeadRoute: false }, (request: StreamRequest, reply) => answer(request, reply, options));
    app.options(url, ({ headers }, reply) =>
      reply
        .headers(preflightHeaders(options.corsOrigins(), toPreflight(headers), METHODS))
        .code(204)
        .send(),
    );
  }
}

async function answer(request: StreamRequest, reply: FastifyReply, options: SseOptions): Promise<FastifyReply> {
  const { hub, access, limits, isKnown, clients, log } = options;
  const { stream, group, id } = request.params;
  const target: Target = { streamName: stream, groupId: group, ...(id !== undefined && { id }) };
  const cors = corsHeaders(options.corsOrigins(), request.headers.origin);
  const refuse = (status: number, error: string) => reply.headers(cors).code(status).send({ error });
  const admission = await admit(request.raw, reply.raw, options);
  if ('refused' in admission) return refuse(admission.refused.status, admission.refused.text);
  if (!isKnown(stream)) return refuse(404, 'There is no such stream');
  const wanted = { groupId: group, ...(id !== undefined && { id }) };
  if (!(await access.canAccess(stream, wanted, admission.authContext))) return refuse(403, 'Access denied');
  reply.hijack();
  if (reply.raw.destroyed) return reply;
  reply.raw.writeHead(200, {
    ...cors,
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  reply.raw.write(`retry: ${RETRY_MS}\n\n`);
  const client = new SseClient(reply.raw, limits.bufferedBytes);
  clients.add(client);
  const { 'last-event-id': lastEventId } = request.headers;
  const resume = typeof lastEventId === 'string' && lastEventId.length <= LONGEST_ID ? lastEventId : '';
  const following = hub.follow(client, target, resume);
  client.onGone(() => {
    clients.remove(client);
    following.then((channel) => channel?.leave(client)).catch(() => {});
  });
  try {
    await following;
  } catch (error) {
    log.error({ action: 'stream_failed', err: error }, 'A client of realtime streams is cut off');
    client.cutOff();
  }
  return reply;
}

class SseClient extends Client implements Connected {
  readonly #response: ServerResponse;
  #bufferedBefore = 0;

  constructor(response: ServerResponse, maxBuffered: number) {
    super(maxBuffered);
    this.#response = response;
    response.on('drain', () => this.drained());
    response.on('error', () => {});
  }

  onGone(gone: () => void): void {
    const end = () => {
      this.end();
      gone();
    };
    if (this.#response.destroyed) end();
    else this.#response.once('close', end);
  }

  onManifest(): void {}

  /** Nothing comes from such a client: it lives if it takes what it is sent. */
  checkLife(): void {
    const buffered = this.buffered();
    if (buffered > 0 && buffered >= this.#bufferedBefore && this.#bufferedBefore > 0) this.cutOff();
    else if (!this.congested) this.#response.write(':\n\n');
    this.#bufferedBefore = this.buffered();
  }

  goAway(): void {
    this.#response.end();
  }

  cutOff(): void {
    this.#response.destroy();
  }

  protected write(frame: Frame): void {
    const { position } = frame;
    this.#response.cork();
    this.#response.write(position === undefined ? 'data: ' : `id: ${position}\ndata: `);
    this.#response.write(frame.bytes(true));
    this.#response.write('\n\n');
    this.#response.uncork();
  }

  protected buffered(): number {
    return this.#response.writableLength;
  }
}
