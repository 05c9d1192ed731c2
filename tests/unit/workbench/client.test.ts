/** Server-sent events, and what the palette finds. */
import { expect, test } from 'vitest';
import { queryText } from '../../../workbench/src/api/address.ts';
import { eventsOf } from '../../../workbench/src/api/follow.ts';

test('events are read however they are cut', async () => {
  const text = ': beat\n\ndata: {"a":1}\n\ndata: one\r\ndata: two\r\n\r\ndata: ünfinished';
  const bytes = new TextEncoder().encode(text);
  const streamOf = (chunks: Uint8Array[]) =>
    new ReadableStream<Uint8Array>({
      pull: (controller) => {
        const chunk = chunks.shift();
        if (chunk) controller.enqueue(chunk);
        else controller.close();
      },
    });
  for (const size of [1, 7, bytes.length]) {
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
      bytes.slice(n * size, (n + 1) * size),
    );
    const found: string[] = [];
    for await (const data of eventsOf(streamOf(chunks))) found.push(data);
    expect(found).toEqual(['{"a":1}', 'one\ntwo']);
  }
});

test('what is empty is left out of a query', () => {
  expect(queryText({ a: 'x y', b: '', c: undefined, d: 0, e: false })).toBe('?a=x+y&d=0&e=false');
  expect(queryText({})).toBe('');
});
