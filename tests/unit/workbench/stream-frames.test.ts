/** What frames of a stream make of a group, in the Workbench. */
import { expect, test } from 'vitest';
import { applyFrames, EMPTY, type Frame } from '../../../workbench/src/screens/streams/frames.ts';

const frame = (event: Frame['event'], timestamp = 1): Frame => ({ timestamp, streamName: 's', groupId: 'g', event });

test('items are those of the last sync with all changes since; what has happened is told the newest first', () => {
  const feed = applyFrames(EMPTY, [
    frame({ type: 'sync', data: [{ id: 'a' }, { id: 'b' }] }),
    frame({ type: 'create', data: { id: 'c', n: 1 } }, 2),
    frame({ type: 'update', data: { id: 'c', n: 2 } }, 3),
    frame({ type: 'delete', data: { id: 'a' } }, 4),
    { ...frame({ type: 'event', event: { type: 'typing', data: 'ann' } }, 5), id: 'b' },
  ]);
  expect([...feed.items.values()]).toEqual([{ id: 'b' }, { id: 'c', n: 2 }]);
  expect(feed.happenings.map(({ number, what, id }) => [number, what, id])).toEqual([
    [4, 'typing', 'b'],
    [3, 'delete', 'a'],
    [2, 'update', 'c'],
    [1, 'create', 'c'],
  ]);
  const synced = applyFrames(feed, [frame({ type: 'sync', data: [] }), frame({ type: 'sync', data: null })]);
  expect(synced.items.size).toBe(0);
  expect(synced.happenings).toHaveLength(4);
});
