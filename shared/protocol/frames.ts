/**
 * The frame around an HTTP request or a reply: `[u32 big-endian length of meta][meta as JSON][body bytes]`. One buffer, no
 * copy of the body on the way in, and a gateway that never parses it.
 */

/** What a worker needs of an HTTP request besides the body. */
export interface RequestMeta {
  /** Protocol major version. */
  v: number;
  /** Request id: identity of the run for deduplication and logs. */
  id: string;
  /** Subject the reply frames go to. */
  reply: string;
  /** When nobody waits for a worker to begin any more, ms since 1970. */
  startBy: number;
  /** When nobody waits for the answer any more, ms since 1970. */
  deadline: number;
  traceparent: string;
  method: string;
  /** Path and query as the client sent them. */
  url: string;
  params: Record<string, string>;
  headers: Record<string, string | string[]>;
  /** Object-store name of a body above the broker's message limit. */
  blob?: string;
}

/** A complete answer; the frame's body is the response's. */
export type AnswerMeta = { t: 'end'; status: number; headers: [string, string][]; blob?: string; n?: never };

/**
 * Reply frames, in the order they may come: `started` (a worker has the call), `beat` (it still has), then one `end` or
 * `error`. An answer that is streamed begins with its `head` instead, followed by `chunk`s with the bytes of the body, numbered
 * from 1, and an `end` (or, if it was cut off, an `error`). From the head on all of them have a subject for {@link Credit}.
 */
export type ReplyMeta =
  | { t: 'started' }
  /** `n`: the number that the next chunk will have, when the answer is streamed. */
  | { t: 'beat'; n?: number }
  | { t: 'head'; status: number; headers: [string, string][] }
  | { t: 'chunk'; n: number }
  | AnswerMeta
  /** The end of a streamed answer; it is numbered like one more chunk. */
  | { t: 'end'; n: number; status?: never }
  | { t: 'error'; status: number; message: string; id?: string };

/** What a gateway says of a streamed answer: how many bytes of its body the client has taken so far, or that nobody wants it any more. */
export type Credit = { taken: number } | { gone: true };

/** Bytes of a streamed body that may be on their way: sent, and not known to be taken. */
export const STREAM_WINDOW = 512 * 1024;
/** Bytes of the largest chunk. */
export const LARGEST_CHUNK = 64 * 1024;

/** Writes what a gateway says of a streamed answer. */
export const encodeCredit = (credit: Credit): string => JSON.stringify(credit);

/** Reads it; `undefined` for anything else. */
export function decodeCredit(text: string): Credit | undefined {
  try {
    const { taken, gone } = JSON.parse(text) as { taken?: unknown; gone?: unknown };
    if (gone === true) return { gone };
    return typeof taken === 'number' ? { taken } : undefined;
  } catch {
    return undefined;
  }
}

const EMPTY = Buffer.alloc(0);

/** Writes a frame. `body` may be text. */
export function encodeFrame(meta: RequestMeta | ReplyMeta, body: Uint8Array | string = EMPTY): Buffer {
  const json = JSON.stringify(meta);
  const metaLength = Buffer.byteLength(json);
  const bodyLength = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
  const frame = Buffer.allocUnsafe(4 + metaLength + bodyLength);
  frame.writeUInt32BE(metaLength, 0);
  frame.write(json, 4, metaLength, 'utf8');
  if (typeof body === 'string') frame.write(body, 4 + metaLength, bodyLength, 'utf8');
  else frame.set(body, 4 + metaLength);
  return frame;
}

/**
 * Reads a frame; `body` is a view on `data`.
 * @throws {RangeError | SyntaxError} if the bytes are no frame.
 */
export function decodeFrame<Meta extends RequestMeta | ReplyMeta>(data: Uint8Array): { meta: Meta; body: Buffer } {
  const buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const end = 4 + buffer.readUInt32BE(0);
  if (end > buffer.length) throw new RangeError('frame is shorter than its meta length says');
  return { meta: JSON.parse(buffer.toString('utf8', 4, end)) as Meta, body: buffer.subarray(end) };
}

const STATUS = '"status":';
/** An `end` begins with its kind and its status. */
const STATUS_WITHIN = 64;

/** The status in an `end` frame of ours, without reading the rest; 0 if it is not at the beginning. */
export function replyStatus(frame: Uint8Array): number {
  const head = Buffer.from(frame.buffer, frame.byteOffset, Math.min(frame.byteLength, STATUS_WITHIN)).toString(
    'latin1',
  );
  const at = head.indexOf(STATUS);
  return at < 0 ? 0 : Number.parseInt(head.slice(at + STATUS.length), 10) || 0;
}
