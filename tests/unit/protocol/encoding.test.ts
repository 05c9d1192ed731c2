/** Names on the broker: any string goes in, comes back, and is never mistaken for another one. */
import { describe, expect, test } from 'vitest';
import { decodeToken, encodeToken, encodeTopic } from '../../../shared/protocol/encoding.ts';
import { createNames } from '../../../shared/protocol/subjects.ts';
import { type Random, seeded } from '../worker/http/random.ts';

const ODD = [
  ...'abcXYZ019-_.=*>/\\ :;,$%&#@!?"\'`~^|()[]{}<>+',
  ...['\t', '\n', '\r', '\0', '\u007f', '\u0085', '\u00a0', '\u2028', '\ufeff', '\uffff'],
  ...[
    'ä',
    'ß',
    'é',
    'e\u0301',
    'İ',
    '漢',
    '字',
    '👩‍👩‍👧',
    '🏴',
    '𝔘',
    '\u202e',
    '..',
    '$JS.API',
    '=3A',
    '==',
    '=_',
    '=-',
    '%2F',
  ],
];
const LONGEST_TOKEN = 120;
/** What the broker takes as one token of a subject, as a KV key and as a durable name alike. */
const LEGAL = /^[A-Za-z0-9_=-]+$/;

function strings(seed: number, count: number, longest = 12): Set<string> {
  const random = seeded(seed);
  const found = new Set<string>(['', ' ', '.', '=', '=2E', '*', '>', '_', '-', 'null', 'a.b', 'a=2Eb']);
  while (found.size < count) found.add(oddText(random, longest));
  return found;
}

/** Half of the characters from the list of those that broke other systems, half from all of unicode but lone surrogates. */
function oddText(random: Random, longest: number): string {
  const anything = () => {
    const point = random.int(0x110000);
    return point >= 0xd800 && point <= 0xdfff ? 'x' : String.fromCodePoint(point);
  };
  return Array.from({ length: random.int(longest + 1) }, () => (random.int(2) ? random.pick(ODD) : anything())).join(
    '',
  );
}

describe('encodeToken', () => {
  test('what is plain stays readable', () => {
    expect(['order', 'order-2_x', 'Order9'].map(encodeToken)).toEqual(['order', 'order-2_x', 'Order9']);
    expect(encodeToken('user:created')).toBe('user=3Acreated');
    expect(encodeToken('')).toBe('=');
  });

  test('4,000 odd strings come back from legal tokens, and no two share one', () => {
    const tokens = new Map<string, string>();
    for (const name of strings(1, 4_000)) {
      const token = encodeToken(name);
      expect(token, JSON.stringify(name)).toMatch(LEGAL);
      expect(token.length).toBeLessThanOrEqual(LONGEST_TOKEN);
      expect(tokens.get(token), `${JSON.stringify(name)} has the token of another name`).toBeUndefined();
      tokens.set(token, name);
      if (!token.includes('=-')) expect(decodeToken(token)).toBe(name);
    }
    expect(tokens.size).toBe(4_000);
  });

  test('long names are shortened, told apart, and not taken for names that are not shortened', () => {
    const long = [...strings(2, 500, 120)].filter((name) => Buffer.byteLength(name) > LONGEST_TOKEN);
    expect(long.length).toBeGreaterThan(100);
    const tokens = new Set(long.map(encodeToken));
    expect(tokens.size).toBe(long.length);
    for (const token of tokens) {
      expect(token).toMatch(LEGAL);
      expect(token.length).toBeLessThanOrEqual(LONGEST_TOKEN);
      expect(decodeToken(token)).toBeUndefined();
      expect(encodeToken(token)).not.toBe(token);
    }
  });

  test.each([
    [119, false],
    [120, false],
    [121, true],
    [5_000, true],
  ])('a plain name of %d characters (shortened: %s)', (length, shortened) => {
    const token = encodeToken('n'.repeat(length));
    expect(token.length).toBe(shortened ? 80 + 2 + 16 : length);
    expect(decodeToken(token)).toBe(shortened ? undefined : 'n'.repeat(length));
  });

  test('a shortened name is never cut in the middle of an escape', () => {
    for (let plain = 70; plain < 85; plain++) {
      const kept = encodeToken(`${'n'.repeat(plain)}${'漢'.repeat(50)}`).split('=-')[0] as string;
      expect(kept).toMatch(/^n+(=[0-9A-F]{2})*$/);
    }
  });

  test('names that differ only at their end have different tokens', () => {
    expect(encodeToken(`${'n'.repeat(200)}a`)).not.toBe(encodeToken(`${'n'.repeat(200)}b`));
  });
});

describe('decodeToken', () => {
  test.each(['a.b', 'a b', 'a=', 'a=3', 'a=3g', 'a=3a', '=-', '==', 'é', ''])('%j is no token', (token) => {
    expect(decodeToken(token)).toBeUndefined();
  });
});

describe('encodeTopic', () => {
  test('dots separate tokens, empty ones included', () => {
    expect(encodeTopic('order.created')).toBe('order.created');
    expect(encodeTopic('.a..b.')).toBe('=.a.=.b.=');
    expect(encodeTopic('')).toBe('=');
  });

  test('no wildcard is left in the topic of an odd name', () => {
    for (const topic of strings(3, 1_000)) {
      for (const token of encodeTopic(topic).split('.')) expect(token).toMatch(LEGAL);
    }
  });
});

describe('names made of two parts', () => {
  const names = createNames('app');

  test.each([
    ['state key', (a: string, b: string) => names.stateKey(a, b)],
    ['subscription', (a: string, b: string) => names.subscription(a, b)],
  ])('no two pairs share a %s', (_, make) => {
    const parts = [...strings(4, 60, 3), 'a', 'a.b', 'b.c', 'c', '=_', '_', 'a=_b', '=', ''];
    const pairs = new Map<string, string>();
    for (const a of new Set(parts)) {
      for (const b of new Set(parts)) {
        const pair = JSON.stringify([a, b]);
        const name = make(a, b);
        expect(pairs.get(name) ?? pair).toBe(pair);
        pairs.set(name, pair);
      }
    }
  });

  test('a durable name stays below the 255 bytes that the broker takes', () => {
    const long = '漢'.repeat(200);
    expect(names.subscription(long, long).length).toBeLessThan(255);
    expect(names.requestConsumer(long).length).toBeLessThan(255);
  });
});
