/** What counts as a body that is streamed, and how each kind is read and closed. */
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { type ChunkSource, toChunkSource } from '../../../../worker/http/chunk-source.ts';

async function readAll(source: ChunkSource | undefined): Promise<unknown[]> {
  const pieces: unknown[] = [];
  for (;;) {
    const next = await source?.next();
    if (!next || next.done) return pieces;
    pieces.push(next.value);
  }
}

const asyncIterable = { [Symbol.asyncIterator]: () => toIterator(['a', 'b']) };
function toIterator(pieces: string[]): AsyncIterator<string> {
  return { next: async () => ({ done: pieces.length === 0, value: pieces.shift() as string }) };
}

test.each<[what: string, make: () => unknown]>([
  ['a ReadableStream', () => ReadableStream.from(['a', 'b'])],
  ['the body of a fetch', () => new Response('ab').body?.pipeThrough(new TextDecoderStream()).pipeThrough(split())],
  ['a Readable', () => Readable.from(['a', 'b'])],
  ['an async iterable', () => asyncIterable],
  [
    'an async generator',
    () =>
      (async function* () {
        yield* ['a', 'b'];
      })(),
  ],
  [
    'a generator',
    () =>
      (function* () {
        yield* ['a', 'b'];
      })(),
  ],
  ['an iterator', () => ['a', 'b'].values()],
])('%s is streamed', async (_, make) => {
  expect(await readAll(toChunkSource(make()))).toEqual(['a', 'b']);
});

const split = () =>
  new TransformStream<string, string>({
    transform: (text, controller) => {
      for (const character of text) controller.enqueue(character);
    },
  });

test.each([
  ['a list', ['a']],
  ['text', 'a'],
  ['nothing', null],
  ['an object', { next: 1 }],
  ['a linked list', { value: 1, next: () => null }],
  ['a map', new Map()],
])('%s is not', (_, body) => {
  expect(toChunkSource(body)).toBeUndefined();
});

test('a Readable that waits for its source, or was never read, is destroyed', async () => {
  for (const read of [true, false]) {
    const readable = new Readable({ read: () => {} });
    const source = toChunkSource(readable) as ChunkSource;
    if (read) void Promise.resolve(source.next()).catch(() => {});
    await source.close();
    expect(readable.destroyed).toBe(true);
  }
});

test('a ReadableStream that waits for its source, or was never read, is cancelled', async () => {
  for (const read of [true, false]) {
    let cancelled = false;
    const source = toChunkSource(
      new ReadableStream({
        cancel: () => {
          cancelled = true;
        },
      }),
    ) as ChunkSource;
    if (read) void source.next();
    await source.close();
    expect(cancelled).toBe(true);
  }
});
