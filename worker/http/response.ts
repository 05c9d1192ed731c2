/** Turns what a handler returns into an HTTP response. */
import { toErrorRecord } from '../../shared/errors.ts';
import { type ChunkSource, toChunkSource } from './chunk-source.ts';

export interface EncodedResponse {
  /** 200 to 599 */
  status: number;
  /** Lower-cased names; a header with several values appears several times. */
  headers: [name: string, value: string][];
  body: Uint8Array | string | ChunkSource;
}

/** A handler returned something that is not a response. The message is for the log, not for the client. */
export class InvalidResponse extends Error {
  override readonly name = 'InvalidResponse';
}

/** They describe the connection between client and gateway, which a handler does not see. */
const CONNECTION_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const CONTENT_TYPE = 'content-type';
const TEXT = 'text/html; charset=utf-8';
const PLAIN_TEXT = 'text/plain; charset=utf-8';
const JSON_TEXT = 'application/json; charset=utf-8';
/** Answers of these statuses have no body. */
export const BODILESS_STATUS: ReadonlySet<number> = new Set([204, 205, 304]);

const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

type Headers = EncodedResponse['headers'];

/**
 * Bytes and text are sent as they are, what can be streamed is, any other body is sent as JSON, `undefined` as an empty one. Headers of the connection,
 * such as `content-length`, are dropped.
 *
 * @throws InvalidResponse, and nothing else.
 */
export function encodeResponse(value: unknown): EncodedResponse {
  try {
    return encode(value);
  } catch (error) {
    if (error instanceof InvalidResponse) throw error;
    // A getter or a proxy of the handler's threw.
    throw new InvalidResponse(`The response cannot be read: ${toErrorRecord(error).message}`, { cause: error });
  }
}

function encode(value: unknown): EncodedResponse {
  if (typeof value !== 'object' || value === null) {
    throw new InvalidResponse(`The handler returned ${value === null ? 'null' : typeof value}, not a response object.`);
  }
  const response = value as { status?: unknown; headers?: unknown; body?: unknown };
  const status = checkStatus(response.status);
  const headers = checkHeaders(response.headers);
  if (!BODILESS_STATUS.has(status)) return { status, headers, body: encodeBody(response.body, headers) };
  const body = toChunkSource(response.body) ?? ''; // to be closed
  return { status, headers: headers.filter(([name]) => name !== CONTENT_TYPE), body };
}

function checkStatus(status: unknown): number {
  if (typeof status === 'number' && Number.isInteger(status) && status >= 200 && status <= 599) return status;
  const found = typeof status === 'number' ? status : typeof status;
  throw new InvalidResponse(`The response needs a status, an integer from 200 to 599. Found: ${found}.`);
}

function checkHeaders(input: unknown): Headers {
  const headers: Headers = [];
  if (input === undefined || input === null) return headers;
  if (typeof input !== 'object' || Symbol.iterator in input) {
    throw new InvalidResponse('The headers of a response must be a plain object.');
  }
  for (const [key, value] of Object.entries(input)) {
    const name = key.toLowerCase();
    if (!HEADER_NAME.test(name)) throw new InvalidResponse(`Invalid header name: ${JSON.stringify(key)}.`);
    if (value === undefined || CONNECTION_HEADERS.has(name)) continue;
    // Spelt in two ways, the later one counts.
    for (let i = headers.length - 1; i >= 0; i--) if (headers[i]?.[0] === name) headers.splice(i, 1);
    for (const one of Array.isArray(value) ? value : [value]) headers.push([name, checkHeaderValue(name, one)]);
  }
  return headers;
}

function checkHeaderValue(name: string, value: unknown): string {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
    throw new InvalidResponse(`Header ${name} must be a string. Found: ${value === null ? 'null' : typeof value}.`);
  }
  const text = String(value);
  if (!HEADER_VALUE.test(text)) throw new InvalidResponse(`Header ${name} holds characters that HTTP does not allow.`);
  return text;
}

/** Also fills in the content type. */
function encodeBody(body: unknown, headers: Headers): EncodedResponse['body'] {
  if (body === undefined) return '';
  const bytes = toBytes(body);
  const isText = typeof body === 'string';
  const type = headers.find(([name]) => name === CONTENT_TYPE);
  const chunks = bytes ? undefined : toChunkSource(body);
  if (chunks) {
    if (!type) headers.push([CONTENT_TYPE, PLAIN_TEXT]);
    return chunks;
  }
  if (!type) {
    headers.push([CONTENT_TYPE, bytes ? 'application/octet-stream' : isText ? TEXT : JSON_TEXT]);
  } else if (!bytes) {
    // Whatever the handler named: text leaves as UTF-8.
    type[1] = `${type[1].replace(/;\s*charset\s*=[^;]*/i, '')}; charset=utf-8`;
  }
  return bytes ?? (isText ? body : toJson(body));
}

/** A buffer that has been through JSON, as state and events are, counts as a buffer. */
function toBytes(body: unknown): Uint8Array | undefined {
  if (body instanceof Uint8Array) return body;
  if (typeof body !== 'object' || body === null) return undefined;
  const { type, data } = body as { type?: unknown; data?: unknown };
  const isBuffer = type === 'Buffer' && Array.isArray(data) && data.every((byte) => byte === (byte & 0xff));
  return isBuffer ? Buffer.from(data) : undefined;
}

function toJson(body: unknown): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(body);
  } catch (error) {
    throw new InvalidResponse(`The body cannot be written as JSON: ${toErrorRecord(error).message}`, { cause: error });
  }
  if (json === undefined) throw new InvalidResponse(`The body cannot be written as JSON: it is a ${typeof body}.`);
  return json;
}
