/** Answers HTTP requests with the API steps of the manifest. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type pino from 'pino';
import type { Payloads } from '../shared/payloads.ts';
import { isSafeMethod } from '../shared/protocol/safe-methods.ts';
import type { Manifest, StepEntry } from '../shared/steps/manifest.ts';
import type { Span, SpanOptions, Tracing } from '../shared/tracing.ts';
import { RESERVED } from './admin/refusals.ts';
import type { AnswerStream } from './answer-stream.ts';
import { CallFailed } from './call-failed.ts';
import { corsHeaders, preflightHeaders, toPreflight } from './cors.ts';
import { DEFAULT_WINDOW_MS, type KeyedCalls } from './keyed-calls.ts';
import { readBody } from './read-body.ts';
import type { RequestMetrics } from './request-metrics.ts';
import type { RequestReplays } from './request-replays.ts';
import { createRouter, type Router } from './router.ts';
import type { StepCalls, StepRequest, StepResponse } from './step-calls.ts';

export type ApiStep = StepEntry & { method: string; path: string };

/** What is served at the moment; replaced as a whole by every new manifest. */
export interface Served {
  manifest: Manifest;
  router: Router<ApiStep>;
}

/** Prepares a manifest for serving. A step whose path is no valid pattern is left out, with a line in the log. */
export function toServed(manifest: Manifest, log: pino.Logger): Served {
  const routes = manifest.steps.filter((step): step is ApiStep => {
    if (step.type !== 'api' || step.method === undefined || step.path === undefined) return false;
    if (step.path.toLowerCase().startsWith(RESERVED)) {
      log.error(
        { action: 'route_reserved', step: step.name, file: step.file },
        `${step.file}: paths below ${RESERVED} are reserved; the step is not served`,
      );
      return false;
    }
    try {
      createRouter([{ method: step.method, path: step.path }]);
      return true;
    } catch (error) {
      log.error(
        { action: 'route_invalid', step: step.name, file: step.file, err: error },
        `${step.file}: the path "${step.path}" is not a valid pattern; the step is not served`,
      );
      return false;
    }
  });
  return { manifest, router: createRouter(routes) };
}

export interface StepRouteOptions {
  served: () => Served | undefined;
  calls: StepCalls;
  keyedCalls: KeyedCalls;
  tracing: Tracing;
  /** `undefined` where they are not kept. */
  payloads: () => Payloads | undefined;
  log: pino.Logger;
  /** Whether the server is to end: then connections end with the answers that they wait for. */
  closing: () => boolean;
  /** A client that takes nothing for this long of an answer that is streamed to it is cut off. Default 60 s. */
  stalledAfterMs?: number | undefined;
  /** Our own answer where no step has that path. */
  ownRoute: (method: string, path: string, request: FastifyRequest) => OwnRoute | undefined;
  requests: RequestMetrics;
  replays: RequestReplays;
}

export type OwnRoute = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

const JSON_TYPE = 'application/json; charset=utf-8';
const RETRY_AFTER_SECONDS = 1;
const SHORT_BODY = 8 * 1024;
const STALLED_AFTER_MS = 60_000;
const SERVER: SpanOptions = { kind: 'server' };
const BODILESS: ReadonlySet<number> = new Set([204, 304]);

/** The handler of every request that no other route has. */
export function createStepRoute(options: StepRouteOptions) {
  const { served, calls, keyedCalls, tracing, payloads, log, closing, ownRoute, requests, replays } = options;
  const { stalledAfterMs = STALLED_AFTER_MS } = options;
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const began = performance.now();
    const now = served();
    const { method, url } = request;
    const query = url.indexOf('?');
    const path = query < 0 ? url : url.slice(0, query);
    const match = now?.router.match(method, path);
    const own = match === undefined ? ownRoute(method, path, request) : undefined;
    if (own) return own(request, reply);
    if (!now) return refuse(reply, 503, { error: 'No steps are served yet' });
    const { settings } = now.manifest;
    const cors = corsHeaders(settings.corsOrigins, request.headers.origin);
    if (typeof match !== 'object' || 'allow' in match) {
      reply.raw.once('finish', () => requests.unmatched(method, reply.statusCode, began));
      reply.headers(cors);
      if (match === undefined) return refuse(reply, 404, { error: 'Not found', path });
      if (match === 'bad-encoding') return refuse(reply, 400, { error: 'The path is not valid percent-encoded UTF-8' });
      return method === 'OPTIONS' ? preflight(request, reply, now, match.allow) : notAllowed(reply, match.allow);
    }

    const body = await readBody(request.raw, settings.bodyLimit);
    if (body === 'gone') {
      reply.hijack(); // nobody is left to answer
      return;
    }
    if (body === 'too large') {
      requests.ended(match.route, 413, began);
      reply.headers(cors);
      reply.header('connection', 'close'); // there may be more of the body than was worth reading
      return refuse(reply, 413, { error: `The body is larger than ${settings.bodyLimit} bytes` });
    }

    const { route, params } = match;
    const replayed = replays.take(request.headers);
    const span = startSpan(tracing, request, route, !replayed && settings.telemetry?.trustIncoming);
    replayed?.(span.traceId);
    const { traceparent } = span;
    const kept = span.recorded ? payloads() : undefined;
    if (kept) span.attach('payload', kept.request({ method, url, headers: Object.entries(request.headers), body }));
    let status = 500;
    try {
      const call: StepRequest = {
        stepId: route.id,
        method,
        url,
        params,
        headers: request.headers as StepRequest['headers'], // Node has joined those that came several times
        body,
        traceparent,
        timeoutMs: settings.timeoutMs,
      };
      const key = call.headers['idempotency-key'];
      let response: StepResponse;
      let ours = cors;
      if (typeof key === 'string' && !isSafeMethod(method)) {
        const windowMs = settings.idempotencyWindowMs ?? DEFAULT_WINDOW_MS;
        const keyed = await keyedCalls.call({ ...call, key, windowMs });
        if (keyed.replayed) ours = { ...cors, 'idempotency-replayed': 'true' };
        response = keyed;
      } else {
        // After the answer there is nothing to cancel any more.
        response = await calls.call(call, (cancel) => reply.raw.once('close', cancel));
      }
      status = response.status;
      if (kept)
        span.attach('response', kept.response({ ...response, body: response.stream ? undefined : response.body }));
      if (status >= 500) span.fail(`answered with ${status}`);
      if (closing()) ours = { ...ours, connection: 'close' };
      if (response.stream === undefined) {
        answer(reply, response, ours);
      } else {
        await passOn(reply, response, response.stream, ours, stalledAfterMs);
        if (closing()) endAfterAnswer(request, reply);
      }
    } catch (error) {
      if (reply.raw.headersSent) {
        cutOff(request, reply, span, error, route, log);
      } else {
        reply.headers(cors);
        if (closing()) reply.header('connection', 'close');
        status = fail(reply, span, error, route, log);
      }
    } finally {
      span.set({
        'http.request.method': method,
        'http.route': route.path,
        'url.path': path,
        'motia.step.name': route.name,
        'http.response.status_code': status,
      });
      span.end();
      requests.ended(route, status, began, traceparent);
    }
  };
}

function answer(reply: FastifyReply, { status, headers, body }: StepResponse, ours: Record<string, string>): void {
  const all = allHeaders(headers, ours);
  if (!BODILESS.has(status)) all.push('content-length', String(body.length));
  reply.raw.writeHead(status, all);
  reply.hijack();
  // Head and a short body as one piece of text, a character for each byte: one short write to the socket, not a gathered one.
  if (body.length <= SHORT_BODY) reply.raw.end(asBuffer(body).toString('latin1'), 'latin1');
  else reply.raw.end(body);
}

/** `ours` gives way to the handler's headers, but for `vary`, which has to name what either of us looked at. */
function allHeaders(headers: StepResponse['headers'], ours: Record<string, string>): string[] {
  const all: string[] = [];
  for (const name in ours) {
    if (name === 'vary' || !headers.some(([other]) => other === name)) all.push(name, ours[name] as string);
  }
  for (const [name, value] of headers) all.push(name, value);
  return all;
}

/**
 * Answers with what comes bit by bit.
 * @throws {CallFailed} when the rest does not come, or nobody takes it.
 */
async function passOn(
  reply: FastifyReply,
  { status, headers }: StepResponse,
  stream: AnswerStream,
  ours: Record<string, string>,
  stalledAfterMs: number,
): Promise<void> {
  const client = reply.raw;
  client.once('close', stream.cancel);
  client.writeHead(status, allHeaders(headers, ours));
  reply.hijack();
  client.flushHeaders();
  // Node counts as life what the socket gets rid of; silence is the client's fault only while there is something for it.
  client.setTimeout(stalledAfterMs, () => {
    if (client.writableLength > 0) client.destroy();
  });
  await stream.sendTo(client);
  client.end();
}

/** The connection was to be kept when the answer began. */
function endAfterAnswer({ raw: { socket } }: FastifyRequest, { raw }: FastifyReply): void {
  if (raw.writableFinished) socket.end();
  else raw.once('finish', () => socket.end());
}

/** Ends an answer that has begun in such a way that nobody takes it for a complete one. */
function cutOff(
  { raw: { socket, httpVersion } }: FastifyRequest,
  { raw }: FastifyReply,
  span: Span,
  error: unknown,
  step: ApiStep,
  log: pino.Logger,
): void {
  if (raw.destroyed) return; // it was the client that left
  // Without chunks, only a reset tells an end from another.
  if (httpVersion === '1.0') socket.resetAndDestroy();
  else raw.destroy();
  span.fail(error);
  const { message, errorId } = error as Partial<CallFailed>;
  log.warn(
    { action: 'answer_cut_off', step: step.name, traceId: span.traceId, errorId, err: error },
    `${step.method} ${step.path}: the answer was cut off: ${message}`,
  );
}

const asBuffer = ({ buffer, byteOffset, length }: Uint8Array): Buffer => Buffer.from(buffer, byteOffset, length);

/** @returns the status that the client is told. */
function fail(reply: FastifyReply, span: Span, error: unknown, step: ApiStep, log: pino.Logger): number {
  const failed = error instanceof CallFailed ? error : new CallFailed(500, 'Internal server error');
  span.fail(error);
  log.warn(
    { action: 'call_failed', step: step.name, traceId: span.traceId, status: failed.status, err: error },
    `${step.method} ${step.path}: ${failed.message}`,
  );
  refuse(reply, failed.status, {
    error: failed.message,
    ...(failed.errorId !== undefined && { errorId: failed.errorId }),
  });
  return failed.status;
}

function refuse(reply: FastifyReply, status: number, body: object): void {
  if (status === 503) reply.header('retry-after', RETRY_AFTER_SECONDS);
  reply.code(status).type(JSON_TYPE).send(JSON.stringify(body));
}

function notAllowed(reply: FastifyReply, allow: string[]): void {
  reply.header('allow', allow.join(', '));
  refuse(reply, 405, { error: 'Method not allowed' });
}

function preflight(request: FastifyRequest, reply: FastifyReply, { manifest }: Served, allow: string[]): void {
  const asked = toPreflight(request.headers);
  reply.headers(preflightHeaders(manifest.settings.corsOrigins, asked, allow));
  reply.header('allow', allow.join(', ')).code(204).send();
}

/** The trace is ours to begin, since projects use its id as a key: a caller's own becomes a link, unless callers are trusted. */
function startSpan(
  tracing: Tracing,
  { headers: { traceparent: given } }: FastifyRequest,
  step: ApiStep,
  trustIncoming = false,
): Span {
  const traceparent = typeof given === 'string' ? given : undefined;
  const parent = trustIncoming ? traceparent : undefined;
  if (!tracing.recording) return tracing.startSpan('', { parent });
  const name = `${step.method} ${step.path}`;
  if (traceparent === undefined) return tracing.startSpan(name, SERVER);
  return tracing.startSpan(name, { kind: 'server', ...(parent === undefined ? { links: [traceparent] } : { parent }) });
}
