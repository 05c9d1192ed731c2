/** Names in paths of the Workbench: the admin API reads them as they are meant. */
import { expect, test } from 'vitest';
import { toName } from '../../../gateway/admin/path-name.ts';
import { fromPart, toPart } from '../../../workbench/src/lib/path-part.ts';

test.each(['orders', 'order.shipped', 'a-b_c~d:e@f', '', '.', '..', 'a/b ü', '100 %', '=x', '?#&', '日本', ' '])(
  '%j is read as it was written, here and by the gateway',
  (name) => {
    const part = toPart(name);
    expect(part).toMatch(/^[\w.:@~=-]+$/);
    expect(['.', '..']).not.toContain(part);
    expect(fromPart(part)).toBe(name);
    expect(toName(part)).toBe(name);
  },
);

test('plain names stay readable', () => {
  expect(toPart('order.shipped')).toBe('order.shipped');
});
