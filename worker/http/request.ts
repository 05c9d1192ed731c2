/** Turns a request as the gateway forwards it into what a handler receives. */
import type { ApiRequest } from '../../shared/types.ts';
import { BadRequest } from './bad-request.ts';
import { type ParsedBody, parseBody } from './body.ts';
import { parseForm } from './form.ts';

/** A request without its body. */
export interface RequestHead {
  method: string;
  /** Path and query as sent. */
  url: string;
  /** Decoded path parameters. */
  params: Record<string, string>;
  /** Lower-cased names; repeated ones are joined. */
  headers: Record<string, string | string[]>;
}

export interface RequestLimits {
  /** Bytes, before and after decompression. */
  bodyLimit: number;
}

/**
 * Only compressed and multipart bodies need a promise.
 *
 * @throws BadRequest (or rejects with it), and nothing else.
 */
export function parseRequest(head: RequestHead, body: Buffer, limits: RequestLimits): ApiRequest | Promise<ApiRequest> {
  if (body.length > limits.bodyLimit) throw new BadRequest(413, `Body is larger than ${limits.bodyLimit} bytes.`);
  // First, so that a query that cannot be parsed does not leave the promise of the body alone.
  const query = parseQuery(head.url);
  const contentType = single(head.headers['content-type']);
  const encoding = single(head.headers['content-encoding']).trim().toLowerCase();
  const parsed =
    body.length === 0 || encoding === '' || encoding === 'identity'
      ? parseBody(contentType, body)
      : decompressAndParse(contentType, encoding, body, limits);
  return parsed instanceof Promise ? parsed.then((done) => assemble(head, query, done)) : assemble(head, query, parsed);
}

function assemble(head: RequestHead, queryParams: ApiRequest['queryParams'], parsed: ParsedBody): ApiRequest {
  const request: ApiRequest = {
    body: parsed.body,
    rawBody: parsed.rawBody,
    headers: head.headers,
    pathParams: head.params,
    queryParams,
    method: head.method,
    url: head.url,
  };
  if (parsed.files) request.files = parsed.files;
  if (parsed.file) request.file = parsed.file;
  return request;
}

async function decompressAndParse(
  contentType: string,
  encoding: string,
  body: Buffer,
  limits: RequestLimits,
): Promise<ParsedBody> {
  const { decompress } = await import('./decompress.ts');
  return parseBody(contentType, await decompress(encoding, body, limits.bodyLimit));
}

function parseQuery(url: string): ApiRequest['queryParams'] {
  const start = url.indexOf('?');
  // Nested objects, which bracket syntax allows, are left out of the public type for the common case's sake.
  return start < 0 ? {} : (parseForm(url.slice(start + 1)) as ApiRequest['queryParams']);
}

function single(header: string | string[] | undefined): string {
  return (Array.isArray(header) ? header[0] : header) ?? '';
}
