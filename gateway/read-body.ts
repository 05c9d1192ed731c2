/** Reads a request's body as bytes, up to a limit. It is parsed where the handler runs. */
import type { IncomingMessage } from 'node:http';

const EMPTY = Buffer.alloc(0);
const DISCARD_MS = 5_000;

/** The body; or why there is none: it is larger than `limit` bytes, or the client is gone. */
export type Body = Buffer | 'too large' | 'gone';

/** Never rejects. */
export function readBody(request: IncomingMessage, limit: number): Promise<Body> | Body {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if (encoding === undefined && (length === undefined || length === '0')) return EMPTY;
  if (Number(length) > limit) return discardRest(request);
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) {
        chunks.push(chunk);
        return;
      }
      request.off('data', onData);
      resolve(discardRest(request));
    };
    request.on('data', onData);
    request.on('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size)));
    request.on('error', () => resolve('gone'));
    request.on('close', () => resolve('gone'));
  });
}

/** Reads on for a while, keeping nothing: a client whose connection is reset while it still sends may never see the answer. */
function discardRest(request: IncomingMessage): Promise<Body> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(late);
      resolve('too large');
    };
    const late = setTimeout(end, DISCARD_MS);
    request.once('end', end).once('close', end).resume();
  });
}
