/** Parses request bodies by their content type. */
import type { UploadedFile } from '../../shared/types.ts';
import { BadRequest } from './bad-request.ts';
import { parseForm } from './form.ts';

/** The part of a request that comes from its body; see `ApiRequest`. */
export interface ParsedBody {
  body: unknown;
  rawBody: string | Buffer;
  files?: UploadedFile[];
  file?: UploadedFile;
}

const ENCODINGS: ReadonlyMap<string, BufferEncoding> = new Map([
  ['utf-8', 'utf8'],
  ['utf8', 'utf8'],
  ['us-ascii', 'utf8'],
  ['iso-8859-1', 'latin1'],
  ['latin1', 'latin1'],
]);

/** @throws BadRequest (or rejects with it), and nothing else. */
export function parseBody(contentType: string, bytes: Buffer): ParsedBody | Promise<ParsedBody> {
  if (bytes.length === 0) return { body: {}, rawBody: '' };
  const type = (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
  if (type === 'application/json' || type.endsWith('+json')) {
    const rawBody = decodeText(contentType, bytes);
    return { body: parseJson(rawBody), rawBody };
  }
  if (type === 'application/x-www-form-urlencoded') {
    const rawBody = decodeText(contentType, bytes);
    return { body: parseForm(rawBody), rawBody };
  }
  if (type.startsWith('text/')) {
    const rawBody = decodeText(contentType, bytes);
    return { body: rawBody, rawBody };
  }
  if (type === 'multipart/form-data') {
    return import('./multipart.ts').then(({ parseMultipart }) => parseMultipart(contentType, bytes));
  }
  return { body: bytes, rawBody: bytes };
}

function decodeText(contentType: string, bytes: Buffer): string {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(contentType)?.[1]?.toLowerCase() ?? 'utf-8';
  const encoding = ENCODINGS.get(charset);
  if (!encoding) throw new BadRequest(415, `Charset ${charset} is not supported.`);
  const text = bytes.toString(encoding);
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

/** Objects and arrays only: handlers count on `req.body.field` not to throw. */
function parseJson(text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new BadRequest(400, `Body is not valid JSON: ${(error as SyntaxError).message}`, { cause: error });
  }
  if (typeof value !== 'object' || value === null) throw new BadRequest(400, 'Body must be a JSON object or array.');
  // Whether such a key is possible, written out or with escapes.
  if (/__proto__|\\u00[5-7]/.test(text)) removeProto(value);
  return value;
}

/** An own key `__proto__` would become the prototype of whatever a handler copies the body into. */
function removeProto(root: object): void {
  const pending = [root];
  for (let node = pending.pop(); node; node = pending.pop()) {
    Reflect.deleteProperty(node, '__proto__');
    for (const child of Array.isArray(node) ? node : Object.values(node)) {
      if (typeof child === 'object' && child !== null) pending.push(child);
    }
  }
}
