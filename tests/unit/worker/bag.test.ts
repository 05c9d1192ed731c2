import { expect, test } from 'vitest';
import { Bag } from '../../../worker/bag.ts';

const item = (name: string) => ({ name, place: 0 });

test('holds what was added until it is deleted, once', () => {
  const bag = new Bag<ReturnType<typeof item>>();
  const [a, b, c] = [item('a'), item('b'), item('c')];
  for (const one of [a, b, c]) bag.add(one);
  expect(bag.delete(a)).toBe(true);
  expect(bag.delete(a)).toBe(false);
  expect(new Set(bag.all())).toEqual(new Set([b, c]));
  expect(bag.delete(b)).toBe(true);
  expect(bag.delete(c)).toBe(true);
  expect(bag.size).toBe(0);
});

test('what was never in it is not taken for what is', () => {
  const bag = new Bag<ReturnType<typeof item>>();
  bag.add(item('in'));
  expect(bag.delete(item('out'))).toBe(false);
  expect(bag.size).toBe(1);
});

test('may change while a list of it is gone through', () => {
  const bag = new Bag<ReturnType<typeof item>>();
  for (const name of 'abcdef') bag.add(item(name));
  const seen = bag.all().map((one) => {
    bag.delete(one);
    return one.name;
  });
  expect(seen).toEqual([...'abcdef']);
  expect(bag.size).toBe(0);
});
