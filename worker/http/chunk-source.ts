/** What a handler may return as a body that is streamed, read in one way, whichever kind it is. */

/** Gives one piece of a body after the other. */
export interface ChunkSource {
  next(): Promise<IteratorResult<unknown>> | IteratorResult<unknown>;
  /** Nobody wants the rest: what it holds open is closed, also while a `next` is under way. */
  close(): Promise<unknown> | unknown;
}

/**
 * A `ReadableStream`, a Node `Readable`, any other async iterable, or a generator; `undefined` for what is none of these.
 * Nothing is read from it yet.
 */
export function toChunkSource(body: unknown): ChunkSource | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { getReader, next } = body as Partial<ReadableStream & Iterator<unknown>>;
  if (typeof getReader === 'function') return ofStream(body as ReadableStream);
  if (isAsyncIterable(body)) return ofIterable(body);
  // Lists can be iterated over as well, and are JSON: so only what is an iterator itself counts.
  return typeof next === 'function' && isIterable(body) ? ofIterator(body as Iterator<unknown>) : undefined;
}

const isAsyncIterable = (body: object): body is AsyncIterable<unknown> =>
  typeof (body as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator] === 'function';

const isIterable = (body: object): boolean => Symbol.iterator in body;

/** By a reader: an iterator would not be cancelled before its next piece is there. */
function ofStream(stream: ReadableStream): ChunkSource {
  let reader: ReadableStreamDefaultReader | undefined;
  return {
    next: () => {
      reader ??= stream.getReader();
      return reader.read() as Promise<IteratorResult<unknown>>;
    },
    close: () => (reader ?? stream).cancel(),
  };
}

function ofIterable(iterable: AsyncIterable<unknown> & { destroy?: unknown }): ChunkSource {
  let iterator: AsyncIterator<unknown> | undefined;
  return {
    next: () => {
      iterator ??= iterable[Symbol.asyncIterator]();
      return iterator.next();
    },
    close: () => {
      // A Readable that nobody has begun to read, or that waits for its source, is only closed in this way.
      if (typeof iterable.destroy === 'function') iterable.destroy();
      iterator ??= iterable[Symbol.asyncIterator]();
      return iterator.return?.();
    },
  };
}

const ofIterator = (iterator: Iterator<unknown>): ChunkSource => ({
  next: () => iterator.next(),
  close: () => iterator.return?.(),
});
