/** Changes of values that are data, by the golden file that Python's tests read, too. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { UpdateOperation } from '../../shared/types.ts';
import { applyOperations } from '../../shared/update-operations.ts';

const { updates } = JSON.parse(
  readFileSync(new URL('../../shared/protocol/golden/updates.json', import.meta.url), 'utf8'),
) as {
  updates: { what: string; value: unknown; operations: UpdateOperation[]; is?: unknown; error?: string }[];
};

test.each(updates)('$what', ({ value, operations, error, ...wanted }) => {
  const before = JSON.stringify(value);
  if (error === undefined) expect(JSON.stringify(applyOperations(value, operations))).toBe(JSON.stringify(wanted.is));
  else expect(() => applyOperations(value, operations)).toThrow(expect.objectContaining({ code: error }));
  expect(JSON.stringify(value)).toBe(before);
});

test.each([
  [{ a: 'x' }, { type: 'increment', path: 'a' }, 'increment "a": there is a text, not a number'],
  [{ a: 1 }, { type: 'set', path: 'a.b', value: 1 }, 'set "a.b": there is a number where an object has to be'],
  [null, { type: 'push' }, 'there is no operation of type "push"'],
])('what is wrong is named: %j %j', (value, operation, message) => {
  expect(() => applyOperations(value, [operation as UpdateOperation])).toThrow(message);
});
