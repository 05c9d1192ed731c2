/** What API handlers and middleware get, and what they may answer. */
import type { FlowContext } from './context.ts';

/** What an API handler and its middleware receive. Middleware may add properties. */
export interface ApiRequest<Body = unknown> {
  /** Parsed JSON, form fields or text; a `Buffer` for any other content type; `{}` without a body. */
  body: Body;
  /** The body as it came: text for textual content types, a `Buffer` for all others, `''` without a body. */
  rawBody: string | Buffer;
  /** Lower-cased names; repeated ones joined by `, `. */
  headers: Record<string, string | string[] | undefined>;
  pathParams: Record<string, string>;
  queryParams: Record<string, string | string[]>;
  method: string;
  /** Path and query as the client sent them. */
  url: string;
  /** Files of a `multipart/form-data` body; its other fields are in `body`. */
  files?: UploadedFile[];
  /** The only file, when there is exactly one. */
  file?: UploadedFile;
}

export interface UploadedFile {
  fieldname: string;
  originalname: string;
  mimetype: string;
  size: number;
  buffer: Buffer;
}

/**
 * A body that is sent bit by bit, as it is made: a `ReadableStream`, a Node `Readable`, any other async iterable such as an async
 * generator, or a generator, of text and bytes. It is read no faster than the client takes it, and closed (a generator's `finally` runs)
 * when the client leaves. What it throws breaks the connection off, since the status has been sent by then.
 */
export type StreamedBody =
  | ReadableStream<string | Uint8Array>
  | AsyncIterable<string | Uint8Array>
  | IterableIterator<string | Uint8Array>;

/**
 * What an API handler returns. `Buffer` and string bodies are sent as they are, a {@link StreamedBody} bit by bit, anything else as
 * JSON.
 */
export interface ApiResponse<Status extends number = number, Body = unknown> {
  status: Status;
  headers?: Record<string, string | string[]>;
  body?: Body;
}

/** Runs around the handler; the first in the list is the outermost. (Written as a method: parameters may be narrower.) */
export type ApiMiddleware<Body = unknown, EmitType = unknown, Response = unknown> = {
  handle(
    req: ApiRequest<Body>,
    ctx: FlowContext<EmitType>,
    next: () => Promise<ApiResponse<number, Response>>,
  ): Promise<ApiResponse<number, Response>> | ApiResponse<number, Response>;
}['handle'];

export type ApiRouteHandler<Body = unknown, Response = ApiResponse, EmitType = never> = (
  req: ApiRequest<Body>,
  ctx: FlowContext<EmitType>,
) => Promise<Response> | Response;
