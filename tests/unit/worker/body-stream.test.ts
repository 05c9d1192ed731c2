/** How the pieces of a body become chunks: joined, split, and held back. */
import { expect, test, vi } from 'vitest';
import { decodeFrame, LARGEST_CHUNK, type ReplyMeta, STREAM_WINDOW } from '../../../shared/protocol/frames.ts';
import type { ActiveRun } from '../../../worker/handler/active-run.ts';
import { BodyStream } from '../../../worker/handler/body-stream.ts';
import { type ChunkSource, toChunkSource } from '../../../worker/http/chunk-source.ts';
import { waitFor } from '../../helpers/wait-for.ts';

function start(body: unknown) {
  const abort = new AbortController();
  const run = { signal: abort.signal, enter: () => {} } as unknown as ActiveRun;
  const frames: { meta: ReplyMeta; body: Buffer }[] = [];
  const stream = new BodyStream(run, (frame) => frames.push(decodeFrame<ReplyMeta>(frame)));
  const passed = stream.pass(
    { t: 'head', status: 200, headers: [] },
    toChunkSource(body) as ChunkSource,
    async () => {},
  );
  const last = passed.then((frame) => decodeFrame<ReplyMeta>(frame).meta);
  last.catch(() => {});
  return { abort, stream, frames, last, sent: () => Buffer.concat(frames.map((frame) => frame.body)) };
}

test('what is given in one turn is one chunk, and chunks are numbered', async () => {
  using _ = vi.spyOn(performance, 'now').mockReturnValue(0); // however slow this machine is, the turn is not too long
  const { frames, last, sent } = start(['a', 'b', Buffer.from('c')].values());
  expect(await last).toEqual({ t: 'end', n: 2 });
  expect(frames.map(({ meta }) => meta)).toEqual([
    { t: 'head', status: 200, headers: [] },
    { t: 'chunk', n: 1 },
  ]);
  expect(sent().toString()).toBe('abc');
});

test('the halves of a character may come in two texts; one that stays alone is replaced', async () => {
  const { last, sent } = start(['\ud83d', '\ude00 ', 'x\ud83d', Buffer.from('y'), '\ud83d'].values());
  await last;
  expect(sent().toString()).toBe('😀 x\ufffdy\ufffd');
});

test('a piece that its maker changes afterwards has left as it was', async () => {
  const piece = Buffer.from('a');
  const { last, sent } = start(
    (function* () {
      yield piece;
      piece.fill('b');
      yield piece;
    })(),
  );
  await last;
  expect(sent().toString()).toBe('ab');
});

test('a large piece leaves in chunks, and no more of it than the window holds until the caller has taken something', async () => {
  const size = 3 * STREAM_WINDOW + 1;
  const { stream, frames, last, sent } = start([Buffer.alloc(size, 'x')].values());
  await waitFor(() => sent().length === STREAM_WINDOW);
  expect(Math.max(...frames.map(({ body }) => body.length))).toBe(LARGEST_CHUNK);
  for (let taken = 0; taken < size; ) {
    const more = sent().length;
    expect(more - taken).toBeLessThanOrEqual(STREAM_WINDOW);
    taken = more;
    stream.credit(taken);
    if (taken < size) await waitFor(() => sent().length > taken);
  }
  await last;
  expect(sent().length).toBe(size);
});

test('when nobody waits any more, the source is closed and nothing more is sent', async () => {
  let closed = false;
  const { abort, frames, last } = start(
    (function* () {
      try {
        for (;;) yield Buffer.alloc(LARGEST_CHUNK);
      } finally {
        closed = true;
      }
    })(),
  );
  await waitFor(() => frames.length > 1);
  const reason = new Error('gone');
  abort.abort(reason);
  await expect(last).rejects.toBe(reason);
  const sent = frames.length;
  await new Promise((resolve) => setImmediate(resolve));
  expect([closed, frames.length]).toEqual([true, sent]);
});

test('a piece that is neither text nor bytes: the source is closed, and what came before is sent', async () => {
  const { last, sent } = start(['a', 1].values());
  await expect(last).rejects.toThrow('consists of text and bytes. Found: number.');
  expect(sent().toString()).toBe('a');
});
