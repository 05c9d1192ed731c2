/** Frames, messages and positions as the golden file has them. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Frame, type FrameEvent, readMessage } from '../../../../gateway/streams/frames.ts';
import { type Position, readPosition, writePosition } from '../../../../gateway/streams/position.ts';
import { toTime } from '../../../../shared/broker/store-time.ts';

interface GoldenFrame {
  what: string;
  text: string;
  position?: Position;
  frame: {
    timestamp: number;
    streamName: string;
    groupId: string;
    id?: string;
    event: { type: string; data?: unknown; event?: unknown };
  };
}

const { frames, messages }: { frames: GoldenFrame[]; messages: { text: string; read: unknown }[] } = JSON.parse(
  readFileSync(new URL('../../../../shared/protocol/golden/stream-frames.json', import.meta.url), 'utf8'),
);

test.each(frames)('frame: $what', ({ text, position, frame }) => {
  const { timestamp, event, ...target } = frame;
  const json = JSON.stringify(event.data ?? event.event);
  const written = new Frame({
    timestamp,
    target,
    event: { ...event, json } as FrameEvent,
    ...(position && { position }),
  });
  expect(written.bytes(position !== undefined).toString()).toBe(text);
  expect(JSON.parse(text)).toEqual({ ...frame, ...(position && { position: writePosition(position) }) });
  expect(JSON.parse(written.bytes(false).toString())).toEqual(frame);
});

test.each(messages)('message: $text', ({ text, read }) => {
  expect(readMessage(text) ?? null).toEqual(read);
});

test('a position is read as it was written, and nothing else is one', () => {
  const position = { store: 'abc_-fgh', items: 12, sentStore: 'ABCDEFGH', sent: 0, time: 1795395280283 };
  expect(readPosition(writePosition({ ...position, time: 1795395280283.9 }))).toEqual(position);
  for (const text of ['', 'x', `${writePosition(position)}.`, 'abcdefgh.-1.abcdefgh.1.1', 'abcdefgh.1.abcdefgh.1']) {
    expect(readPosition(text)).toBeUndefined();
  }
});

test('the time of a message has its fraction, however the broker shortens it', () => {
  expect(toTime('2026-11-26T00:33:13.123456789Z')).toBe(Date.parse('2026-11-26T00:33:13.123Z') + 0.456789);
  expect(toTime('2026-11-26T00:33:13.5Z')).toBe(Date.parse('2026-11-26T00:33:13.500Z'));
  expect(toTime('2026-11-26T00:33:13Z')).toBe(Date.parse('2026-11-26T00:33:13Z'));
});
