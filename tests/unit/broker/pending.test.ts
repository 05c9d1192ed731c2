import { expect, test } from 'vitest';
import { Pending } from '../../../shared/broker/pending.ts';

test('a place is used again, its token is not', () => {
  const pending = new Pending<string>();
  const first = pending.add((token) => `of ${token}`);
  expect(pending.get(first)).toBe(`of ${first}`);
  expect(pending.take(first)).toBe(`of ${first}`);
  const second = pending.add(() => 'another');
  expect(second.split('-')[0]).toBe(first.split('-')[0]);
  expect(pending.get(first)).toBeUndefined();
  expect(pending.take(first)).toBeUndefined();
  expect(pending.get(second)).toBe('another');
});

test('every item is found under its token, whatever goes before it', () => {
  const pending = new Pending<number>();
  const tokens = Array.from({ length: 100 }, (_, i) => pending.add(() => i));
  for (let i = 0; i < 100; i += 2) pending.take(tokens[i] as string);
  expect(pending.size).toBe(50);
  expect(new Map(pending.all())).toEqual(new Map(tokens.flatMap((token, i) => (i % 2 ? [[token, i] as const] : []))));
});

test('tokens that were never given have no item', () => {
  const pending = new Pending<number>();
  pending.add(() => 1);
  for (const token of ['', '-', '0', '0-', 'zz-1', 'A0-1', '__proto__']) expect(pending.get(token)).toBeUndefined();
});
