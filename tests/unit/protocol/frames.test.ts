/** The frame around requests and replies. Its bytes are in the golden file `frames.json`. */
import { describe, expect, test } from 'vitest';
import { decodeCredit, decodeFrame, encodeFrame, type ReplyMeta } from '../../../shared/protocol/frames.ts';
import { seeded } from '../worker/http/random.ts';

const end: ReplyMeta = { t: 'end', status: 200, headers: [['x-name', 'Zoë 漢']] };

describe('frames', () => {
  test('500 random bodies come back byte by byte', () => {
    const random = seeded(11);
    for (let i = 0; i < 500; i++) {
      const body = random.bytes(300);
      const read = decodeFrame(encodeFrame(end, body));
      expect(read.meta).toEqual(end);
      expect(read.body.equals(body)).toBe(true);
    }
  });

  test('a body of text is its UTF-8', () => {
    expect(decodeFrame(encodeFrame(end, 'Zoë 漢')).body.toString('utf8')).toBe('Zoë 漢');
  });

  test('no body is an empty one', () => {
    expect(decodeFrame(encodeFrame({ t: 'started' })).body.length).toBe(0);
  });

  test('is read from the middle of a larger buffer, without a copy of the body', () => {
    const frame = encodeFrame(end, Buffer.from('body'));
    const around = Buffer.concat([Buffer.from('before'), frame, Buffer.from('after')]);
    const { meta, body } = decodeFrame(new Uint8Array(around.buffer, around.byteOffset + 6, frame.length));
    expect(meta).toEqual(end);
    expect(body.toString()).toBe('body');
    expect(body.buffer).toBe(around.buffer);
  });

  test.each([
    ['nothing', ''],
    ['half a length', '0000'],
    ['a length past the end', '00000010' + '7b7d'],
    ['a length of four billion', 'ffffffff' + '7b7d'],
    ['meta that is no JSON', '00000002' + '7b7b'],
    ['meta of no length', '00000000'],
  ])('%s is refused', (_, hex) => {
    expect(() => decodeFrame(Buffer.from(hex, 'hex'))).toThrow();
  });

  test.each(['', 'null', '[]', '{}', '{"taken":"1"}', '{"gone":false}', '{"taken"'])('%j is no credit', (text) => {
    expect(decodeCredit(text)).toBeUndefined();
  });

  test('random bytes never do anything but come back or be refused', () => {
    const random = seeded(12);
    for (let i = 0; i < 2_000; i++) {
      try {
        decodeFrame(random.bytes(40));
      } catch (error) {
        expect(error instanceof RangeError || error instanceof SyntaxError).toBe(true);
      }
    }
  });
});
