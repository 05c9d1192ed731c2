/** An API run: from the request's bytes to the bytes of the reply, whatever the handler does. */
import type { BlobStore } from '../../shared/broker/blobs.ts';
import { toErrorRecord } from '../../shared/errors.ts';
import { encodeFrame, type RequestMeta } from '../../shared/protocol/frames.ts';
import { RecordedSpan } from '../../shared/recorded-span.ts';
import type { ProjectSettings } from '../../shared/steps/project-settings.ts';
import { newSpanId } from '../../shared/trace-ids.ts';
import type { ApiRequest, ApiResponse, FlowContext } from '../../shared/types.ts';
import { composeMiddleware } from '../compose.ts';
import { BadRequest } from '../http/bad-request.ts';
import type { ChunkSource } from '../http/chunk-source.ts';
import { parseRequest } from '../http/request.ts';
import { BODILESS_STATUS, type EncodedResponse, encodeResponse } from '../http/response.ts';
import type { ActiveRun } from './active-run.ts';
import { BodyStream } from './body-stream.ts';
import { createContext, type Services } from './context.ts';
import { traceHandler, traceMiddleware } from './layer-spans.ts';

export interface ApiServices extends Services {
  settings: ProjectSettings;
  bodies: () => BlobStore | Promise<BlobStore>;
  /** Sends a reply frame before the last one. */
  sendFrame: (run: ActiveRun, frame: Uint8Array) => void;
}

const GONE = 'Nobody waits for the answer any more';
const INTERNAL = 'Internal server error';
const MOST_BYTES_PER_CHARACTER = 3;
/** Less than any broker refuses. */
const SURELY_SENT = 256 * 1024;

/** The body of an answer to HEAD. */
const NOTHING: ChunkSource = { next: () => ({ done: true, value: undefined }), close: () => {} };

type ApiCall = (req: ApiRequest, ctx: FlowContext) => Promise<unknown>;

/** Handler and middleware of each step, composed once. */
const calls = new WeakMap<object, ApiCall>();
/** The same with a span around each, for runs that are recorded. */
const tracedCalls = new WeakMap<object, ApiCall>();

/** Has the run and gives the last reply frame. Never rejects. */
export async function runApi(
  run: ActiveRun,
  meta: RequestMeta,
  bytes: Buffer,
  services: ApiServices,
): Promise<Uint8Array> {
  try {
    const { bodyLimit, validation } = services.settings;
    const body = meta.blob === undefined ? bytes : await (await services.bodies()).get(meta.blob);
    const parsed = parseRequest(meta, body, { bodyLimit });
    const req = parsed instanceof Promise ? await parsed : parsed;
    if (run.step.validate && validation !== 'ignore') {
      const refusal = validate(run, req, services);
      if (refusal) return reply(400, refusal);
    }
    const returned = await callOf(run, services)(req, createContext(run, services));
    if (run.hasOpenEmits) await run.settleEmits();
    return await encodeReply(returned, run, meta.method, services);
  } catch (error) {
    if (error instanceof BadRequest) return reply(error.status, { error: error.message });
    if (run.stream && error === run.signal.reason) return encodeFrame({ t: 'error', status: 503, message: GONE });
    return refuse(run, error, services);
  }
}

/** An answer that tells the client nothing but where to find the reason in the log; the end of one that has begun. */
export function refuse(run: ActiveRun, error: unknown, { log }: Services): Uint8Array {
  const errorId = newSpanId();
  const record = toErrorRecord(error);
  run.span.fail(record.message);
  log.write(
    'error',
    { action: 'request_failed', errorId, ...run.identity, err: record },
    `${run.step.entry.name} failed: ${record.message}`,
  );
  if (run.stream) return encodeFrame({ t: 'error', status: 500, message: INTERNAL, id: errorId });
  return reply(500, { error: INTERNAL, errorId });
}

function callOf({ step, span }: ActiveRun, { tracing }: Services): ApiCall {
  const { middleware = [] } = step.config as { middleware?: readonly ApiCall[] };
  const isTraced = middleware.length > 0 && span instanceof RecordedSpan && span.sampled;
  const composed = isTraced ? tracedCalls : calls;
  let call = composed.get(step);
  if (!call) {
    const handler = step.handler as ApiCall;
    call = isTraced
      ? composeMiddleware(traceMiddleware(middleware, tracing), traceHandler(handler, tracing))
      : composeMiddleware(middleware, handler);
    composed.set(step, call);
  }
  return call;
}

function validate(run: ActiveRun, req: ApiRequest, { settings, log }: ApiServices): object | undefined {
  const result = run.step.validate?.(req.body);
  if (!result || result.ok) return undefined;
  if (settings.validation === 'enforce') return { error: 'The request body is not valid', issues: result.issues };
  log.write(
    'warn',
    { action: 'body_invalid', ...run.identity, issues: result.issues },
    `The body of ${run.step.entry.method} ${run.step.entry.path} does not fit its bodySchema`,
  );
  return undefined;
}

function encodeReply(
  returned: unknown,
  run: ActiveRun,
  method: string,
  services: ApiServices,
): Uint8Array | Promise<Uint8Array> {
  const { status, headers, body } = encodeResponse(returned as ApiResponse);
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) {
    return stream({ status, headers, body }, run, method, services);
  }
  // Only a body that may be too large for a message needs the broker here.
  const size = typeof body === 'string' ? body.length * MOST_BYTES_PER_CHARACTER : body.byteLength;
  if (size > SURELY_SENT) return encodeLarge({ status, headers, body }, size, services);
  return encodeFrame({ t: 'end', status, headers }, body);
}

type Answer<Body> = EncodedResponse & { body: Body };

/** @returns the last frame. */
async function stream(
  { status, headers, body: source }: Answer<ChunkSource>,
  run: ActiveRun,
  method: string,
  services: ApiServices,
): Promise<Uint8Array> {
  if (BODILESS_STATUS.has(status)) {
    await source.close();
    return encodeFrame({ t: 'end', status, headers });
  }
  const passed = new BodyStream(run, (frame) => services.sendFrame(run, frame));
  run.stream = passed;
  const settle = () => run.settleEmits();
  if (method !== 'HEAD') return passed.pass({ t: 'head', status, headers }, source, settle);
  await source.close();
  return passed.pass({ t: 'head', status, headers }, NOTHING, settle);
}

async function encodeLarge(
  { status, headers, body }: Answer<Uint8Array | string>,
  size: number,
  services: ApiServices,
) {
  const bodies = await services.bodies();
  if (!bodies.needed(size)) return encodeFrame({ t: 'end', status, headers }, body);
  const blob = await bodies.put(typeof body === 'string' ? Buffer.from(body) : body);
  return encodeFrame({ t: 'end', status, headers, blob });
}

/** A reply frame with a JSON body. */
export function reply(status: number, body: object): Uint8Array {
  return encodeFrame(
    { t: 'end', status, headers: [['content-type', 'application/json; charset=utf-8']] },
    JSON.stringify(body),
  );
}
