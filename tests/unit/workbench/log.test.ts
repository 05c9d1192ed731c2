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
import { overlapOf } from '../../../workbench/src/screens/logs/overlap.ts';

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

test('what is told again begins a moment before the newest record, and never before what is loaded', () => {
  const at = (ms: number, msg = 'a') => ({ ...record(msg), time: new Date(ms).toISOString() });
  const entries = toEntries([at(10_000), at(9_000), at(9_000), at(7_000)], new Set());
  expect(overlapOf(entries, [], false)).toEqual({
    since: at(8_000).time,
    known: new Map([
      [keyOf(at(10_000)), 1],
      [keyOf(at(9_000)), 2],
    ]),
  });
  const burst = toEntries([at(10_000), at(9_999), at(9_998)], new Set());
  expect(overlapOf(burst, [at(10_001, 'b')], true)).toEqual({
    since: at(9_999).time,
    known: new Map([at(10_001, 'b'), at(10_000), at(9_999)].map((one) => [keyOf(one), 1])),
  });
});

test('fields are what has no place of its own', () => {
  const full = { ...record('a'), step: 'S', traceId: 't', orderId: 7, err: { message: 'no' } };
  expect(fieldsOf(full)).toEqual([['orderId', 7]]);
  expect(errorOf(full)).toEqual({ message: 'no' });
  expect(errorOf({ ...full, err: 'no' })).toBeUndefined();
});
