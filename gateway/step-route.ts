/** Answers HTTP requests with the API steps of the manifest. */
import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type pino from 'pino';
import type { Manifest, StepEntry } from '../shared/steps/manifest.ts';
import type { Span, Tracing } from '../shared/tracing.ts';
import { RESERVED } from './admin/admin.ts';
import { CallFailed } from './call-failed.ts';
import { corsHeaders, preflightHeaders } from './cors.ts';
import { readBody } from './read-body.ts';
import { createRouter, type Router } from './router.ts';
import type { StepCalls, StepResponse } from './step-calls.ts';

type ApiStep = StepEntry & { method: string; path: string };

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
  tracing: Tracing;
  log: pino.Logger;
  /** Whether the server is to end: then connections end with the answers that they wait for. */
  closing: () => boolean;
}

const JSON_TYPE = 'application/json; charset=utf-8';
const RETRY_AFTER_SECONDS = 1;
const SHORT_BODY = 8 * 1024;
const BODILESS: ReadonlySet<number> = new Set([204, 304]);

/** The handler of every request that no other route has. */
export function createStepRoute({ served, calls, tracing, log, closing }: StepRouteOptions) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const now = served();
    if (!now) return refuse(reply, 503, { error: 'No steps are served yet' });
    const { settings } = now.manifest;
    const { origin } = request.headers;
    reply.headers(corsHeaders(settings.corsOrigins, origin));

    const { method, url } = request;
    const query = url.indexOf('?');
    const path = query < 0 ? url : url.slice(0, query);
    const match = now.router.match(method, path);
    if (match === undefined) return refuse(reply, 404, { error: 'Not found', path });
    if (match === 'bad-encoding') return refuse(reply, 400, { error: 'The path is not valid percent-encoded UTF-8' });
    if ('allow' in match)
      return method === 'OPTIONS' ? preflight(request, reply, now, match.allow) : notAllowed(reply, match.allow);

    const body = await readBody(request.raw, settings.bodyLimit);
    if (body === 'gone') {
      reply.hijack(); // nobody is left to answer
      return;
    }
    if (body === 'too large') {
      reply.header('connection', 'close'); // there may be more of the body than was worth reading
      return refuse(reply, 413, { error: `The body is larger than ${settings.bodyLimit} bytes` });
    }

    const { route, params } = match;
    const span = startSpan(tracing, request, route);
    try {
      const response = await calls.call(
        {
          stepId: route.id,
          method,
          url,
          params,
          headers: joinRepeated(request.headers),
          body,
          traceparent: span.traceparent,
          timeoutMs: settings.timeoutMs,
        },
        (cancel) => reply.raw.once('close', cancel), // after the answer it has nothing to cancel any more
      );
      if (closing()) reply.header('connection', 'close');
      answer(reply, span, response);
    } catch (error) {
      if (closing()) reply.header('connection', 'close');
      fail(reply, span, error, route, log);
    } finally {
      span.end();
    }
  };
}

function answer(reply: FastifyReply, span: Span, { status, headers, body }: StepResponse): void {
  span.set({ 'http.response.status_code': status });
  reply.code(status);
  // A handler's header replaces ours, but for `vary`, which has to name what either of us looked at.
  const vary = reply.getHeader('vary');
  reply.headers(groupRepeated(vary === undefined ? headers : [['vary', String(vary)], ...headers]));
  if (body.length <= SHORT_BODY) sendShort(reply, body);
  else reply.send(body);
}

/** Head and body as one piece of text, a character for each byte: one short write to the socket instead of a gathered one. */
function sendShort(reply: FastifyReply, body: Uint8Array): void {
  reply.hijack();
  const { raw } = reply;
  if (!BODILESS.has(reply.statusCode)) reply.header('content-length', body.length);
  raw.writeHead(reply.statusCode, reply.getHeaders() as OutgoingHttpHeaders);
  raw.end(Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1'), 'latin1');
}

/** One entry for each name, with a list where a header comes several times. */
function groupRepeated(headers: StepResponse['headers']): Record<string, string | string[]> {
  const grouped: Record<string, string | string[]> = Object.create(null);
  for (const [name, value] of headers) {
    const earlier = grouped[name];
    grouped[name] = earlier === undefined ? value : [earlier, value].flat();
  }
  return grouped;
}

function fail(reply: FastifyReply, span: Span, error: unknown, step: ApiStep, log: pino.Logger): void {
  const failed = error instanceof CallFailed ? error : new CallFailed(500, 'Internal server error');
  span.set({ 'http.response.status_code': failed.status });
  span.fail(error);
  log.warn(
    { action: 'call_failed', step: step.name, traceId: span.traceId, status: failed.status, err: error },
    `${step.method} ${step.path}: ${failed.message}`,
  );
  refuse(reply, failed.status, {
    error: failed.message,
    ...(failed.errorId !== undefined && { errorId: failed.errorId }),
  });
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
  const { headers } = request;
  const asked = {
    origin: headers.origin,
    headers: headers['access-control-request-headers'],
    privateNetwork: headers['access-control-request-private-network'] as string | undefined,
  };
  reply.headers(preflightHeaders(manifest.settings.corsOrigins, asked, allow));
  reply.header('allow', allow.join(', ')).code(204).send();
}

/** Node joins most repeated headers by itself; where it gives a list, only cookies to set stay one. */
function joinRepeated(headers: FastifyRequest['headers']): Record<string, string | string[]> {
  const joined: Record<string, string | string[]> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) joined[name] = Array.isArray(value) && name !== 'set-cookie' ? value.join(', ') : value;
  }
  return joined;
}

function startSpan(tracing: Tracing, request: FastifyRequest, step: ApiStep): Span {
  // The trace is always ours to begin, since projects use its id as a key: a caller's own becomes a link.
  const incoming = request.headers.traceparent;
  if (!tracing.recording) return tracing.startSpan('');
  return tracing.startSpan(`${step.method} ${step.path}`, {
    kind: 'server',
    ...(typeof incoming === 'string' && { links: [incoming] }),
    attributes: {
      'http.request.method': request.method,
      'http.route': step.path,
      'url.path': request.url.split('?', 1)[0] as string,
      'motia.step.name': step.name,
    },
  });
}
