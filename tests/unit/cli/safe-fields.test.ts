/** Whatever user code logs becomes plain JSON, and nothing it does can break the log call. */
import { describe, expect, test } from 'vitest';
import { safeFields } from '../../../shared/safe-fields.ts';

const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};
const throwing = () => {
  throw new Error('no');
};

describe('safeFields', () => {
  test('keeps plain data as it is', () => {
    const data = { a: 1, b: 'x', c: null, d: [true, { e: 0 }], f: '' };
    expect(safeFields(data)).toEqual(data);
  });

  test.each([
    ['text', 'text'],
    [0, 0],
    [false, false],
    [
      [1, 2],
      [1, 2],
    ],
    [10n, '10'],
    [Number.NaN, 'NaN'],
    [Symbol('s'), 'Symbol(s)'],
    [() => 1, '[function]'],
    [Buffer.from('abc'), '[3 bytes]'],
    [new Date(0), '1970-01-01T00:00:00.000Z'],
    [new Date(Number.NaN), null],
  ])('puts what is not an object under `value`: %#', (value, expected) => {
    expect(safeFields(value)).toEqual({ value: expected });
  });

  test('survives proxies that refuse everything', () => {
    const hostile = new Proxy({}, { ownKeys: throwing, get: throwing, has: throwing, getPrototypeOf: throwing });
    expect([safeFields(revoked()), safeFields(hostile)]).toEqual([
      { value: '[unreadable]' },
      { value: '[unreadable]' },
    ]);
  });

  test('has no fields for nothing', () => {
    expect([safeFields(undefined), safeFields(null)]).toEqual([{}, {}]);
  });

  test('survives getters and toJSON that throw, and keeps the rest', () => {
    const value = { good: 1, bad: { toJSON: throwing } };
    Object.defineProperty(value, 'worse', { enumerable: true, get: throwing });
    expect(safeFields(value)).toEqual({ good: 1, bad: '[unreadable]', worse: '[unreadable]' });
  });

  test('marks cycles, and shows what merely occurs twice', () => {
    const shared = { x: 1 };
    const value: Record<string, unknown> = { first: shared, second: shared };
    value.self = value;
    expect(safeFields(value)).toEqual({ first: { x: 1 }, second: { x: 1 }, self: '[circular]' });
  });

  test('describes errors with their causes and own fields', () => {
    const error = Object.assign(new TypeError('outer', { cause: new Error('inner') }), { code: 'E1' });
    expect(safeFields({ err: error })).toMatchObject({
      err: { name: 'TypeError', message: 'outer', code: 'E1', stack: expect.any(String), cause: { message: 'inner' } },
    });
  });

  test('shows maps and sets', () => {
    expect(safeFields({ m: new Map([['k', 1n]]), s: new Set([1]) })).toEqual({ m: { k: '1' }, s: [1] });
  });

  test('does not let fields hide what the logger writes', () => {
    expect(safeFields({ level: 'x', time: 1, msg: 'm', step: 's' })).toEqual({
      _level: 'x',
      _time: 1,
      _msg: 'm',
      step: 's',
    });
  });

  test('does not touch prototypes', () => {
    const fields = safeFields(JSON.parse('{"__proto__":{"polluted":true}}'));
    expect(Object.keys(fields)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(fields)).toBe(Object.prototype);
  });

  test('is bounded in depth and size', () => {
    let deep: unknown = 'end';
    for (let level = 0; level < 50_000; level++) deep = { deep };
    expect(JSON.stringify(safeFields({ deep }))).toContain('[cut off]');
    const wide = Array.from({ length: 200_000 }, (_, index) => index);
    const { value } = safeFields(wide) as { value: unknown[] };
    expect(value.length).toBeLessThan(10_000);
    expect(value.at(-1)).toBe('[cut off]');
  });

  test('is bounded for structures that are small and endless', () => {
    const endless = (): object => ({
      get a() {
        return endless();
      },
      get b() {
        return endless();
      },
    });
    expect(JSON.stringify(safeFields(endless())).length).toBeLessThan(1_000_000);
  });
});
