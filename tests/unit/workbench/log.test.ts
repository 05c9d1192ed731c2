/** How records of the log get names, and how those that are told twice are known. */
import { expect, test } from 'vitest';
import {
  errorOf,
  fieldsOf,
  keyOf,
  readKey,
  toEntries,
  withoutKnown,
} from '../../../workbench/src/screens/logs/log-entry.ts';

const record = (msg: string) => ({ level: 'info', time: '2026-01-31T13:05:09.120Z', msg });

test('records have keys that are unique, fit into a path, and lead back to the record', () => {
  const taken = new Set<string>();
  const entries = toEntries([record('a'), record('b'), record('a')], taken);
  const keys = entries.map(({ key }) => key);
  expect(new Set(keys).size).toBe(3);
  expect(keys.every((key) => /^[\w.:~-]+$/.test(key))).toBe(true);
  expect(readKey(keys[2] as string)).toEqual({ time: record('a').time, first: keyOf(record('a')) });
  expect(toEntries([record('a')], taken)[0]?.key).not.toBe(keys[0]);
});

test('of what is told again, each record is passed over as often as it is known', () => {
  const known = new Map([[keyOf(record('a')), 2]]);
  const told = [record('a'), record('b'), record('a'), record('a')];
  expect(withoutKnown(told, known)).toEqual([record('b'), record('a')]);
});

test('fields are what has no place of its own', () => {
  const full = { ...record('a'), step: 'S', traceId: 't', orderId: 7, err: { message: 'no' } };
  expect(fieldsOf(full)).toEqual([['orderId', 7]]);
  expect(errorOf(full)).toEqual({ message: 'no' });
  expect(errorOf({ ...full, err: 'no' })).toBeUndefined();
});
