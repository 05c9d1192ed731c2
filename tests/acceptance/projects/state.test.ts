/** State as handlers see it, compared with what Motia 0.17 returned where projects rely on that. */
import { beforeAll, describe, expect, test } from 'vitest';
import { type RunningCli, startCli } from '../../helpers/cli.ts';
import { send } from '../../helpers/http.ts';
import { createProject, fixtureApp } from '../../helpers/project.ts';

let cli: RunningCli;
beforeAll(async () => {
  cli = await startCli('dev', await createProject({ copyOf: fixtureApp('state') }));
});

const MB = 1024 * 1024;

async function run(
  operation: string,
  args: unknown[],
  large?: number,
): Promise<{ type: string; result: unknown; error?: string }> {
  const body = JSON.stringify({ arguments: args, large });
  const { status, json } = await send(`${cli.url}/state/${operation}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  expect(status).toBe(200);
  return json();
}
const value = async (operation: string, ...args: unknown[]) => (await run(operation, args)).result;

test('return values', async () => {
  expect(await value('get', 'returns', 'a')).toBe(null);
  expect(await value('set', 'returns', 'a', { n: 1 })).toEqual({ n: 1 });
  expect(await value('get', 'returns', 'a')).toEqual({ n: 1 });
  expect(await value('set', 'returns', 'a', { n: 2 })).toEqual({ n: 2 });
  expect(await value('delete', 'returns', 'a')).toEqual({ n: 2 });
  expect(await value('delete', 'returns', 'a')).toBe(null);
  expect(await value('get', 'returns', 'a')).toBe(null);
  expect(await value('getGroup', 'returns')).toEqual([]);
  expect((await run('clear', ['returns'])).type).toBe('undefined');
});

test.each([
  0,
  false,
  '',
  null,
  [],
  {},
  -0.5,
  'text',
  '\u0000 \u2028 \\ "',
  [null, [0]],
  { __proto__: 1, a: { b: null } },
])('%j survives', async (stored) => {
  expect(await value('set', 'values', 'key', stored)).toEqual(stored);
  expect(await value('get', 'values', 'key')).toEqual(stored);
  expect(await value('getGroup', 'values')).toEqual([stored]);
});

describe('any text is a group and a key', () => {
  const names = [
    '',
    ' ',
    '.',
    '..',
    'a.b',
    'a..b',
    '.a',
    'a.',
    'a:b',
    'a/b',
    'a\\b',
    '*',
    '>',
    'a*',
    'a>',
    'a b',
    '\t',
    'a\nb',
    '\u0000',
    '=',
    'a=2E',
    'a=',
    '%2E',
    '$KV',
    '_',
    '-',
    'A',
    'a',
    '__proto__',
    'constructor',
    'é',
    'e\u0301',
    '日本語',
    '👩‍👩‍👧',
    'x'.repeat(5_000),
    `${'x'.repeat(5_000)}y`,
    '.'.repeat(300),
    '0',
    '1e3',
    'null',
    'undefined',
  ];
  const shown = names.map(
    (name) => [name.length > 30 ? `${name.slice(0, 3)}… (${name.length})` : JSON.stringify(name), name] as const,
  );

  test.each(shown)('group %s', async (_shown, group) => {
    await value('set', group, 'key', { group });
    expect(await value('get', group, 'key')).toEqual({ group });
    expect(await value('getGroup', group)).toEqual([{ group }]);
  });

  test('all keys in one group, each its own', async () => {
    for (const name of names) await value('set', 'names', name, name);
    for (const name of names) expect(await value('get', 'names', name)).toBe(name);
    expect(((await value('getGroup', 'names')) as string[]).sort()).toEqual([...names].sort());
  });

  test('clearing one group leaves the others alone', async () => {
    for (const group of ['*', '>', 'a', 'a*', '']) await value('clear', group);
    for (const [, group] of shown) {
      const cleared = ['*', '>', 'a', 'a*', ''].includes(group);
      expect(await value('get', group, 'key')).toEqual(cleared ? null : { group });
    }
  });
});

test('groups whose names begin alike, or meet their keys, are apart', async () => {
  await value('set', 'order', '1', 'order');
  await value('set', 'orders', '1', 'orders');
  await value('set', 'order.1', '2', 'order.1');
  await value('set', 'order', '1.2', 'dotted key');
  expect(((await value('getGroup', 'order')) as string[]).sort()).toEqual(['dotted key', 'order']);
  expect(await value('getGroup', 'orders')).toEqual(['orders']);
  expect(await value('getGroup', 'order.1')).toEqual(['order.1']);
});

test('numbers are taken as texts', async () => {
  await value('set', 7, 42, 'n');
  expect(await value('get', '7', '42')).toBe('n');
});

test.each<[what: string, args: unknown[]]>([
  ['no value', ['g', 'k']],
  ['no key', ['g']],
  ['an object as a key', ['g', {}, 1]],
  ['null as a group', [null, 'k', 1]],
])('%s is refused', async (_what, args) => {
  expect(await run('set', args)).toEqual({ error: 'INVALID_VALUE' });
});

test('values of several megabytes', async () => {
  await run('set', ['large', 'a'], 9 * MB);
  await run('set', ['large', 'b'], 2 * MB);
  const sizes = async () =>
    ((await value('getGroup', 'large')) as string[]).map((text) => Buffer.byteLength(text)).sort();
  expect(await sizes()).toEqual([2 * MB, 9 * MB]);
  expect(await value('get', 'large', 'a')).toBe('é'.repeat((9 * MB) / 2));
  await value('delete', 'large', 'a');
  expect(await sizes()).toEqual([2 * MB]);
  await value('set', 'large', 'b', 'small now');
  expect(await value('getGroup', 'large')).toEqual(['small now']);
});

test('a group of 1,500 values comes whole', async () => {
  const values = Array.from({ length: 1_500 }, (_, n) => ({ n }));
  const { status, json } = await send(`${cli.url}/pass-on`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(values),
  });
  expect(status).toBe(200);
  const { traceId } = json();
  expect(((await value('getGroup', traceId)) as { n: number }[]).map(({ n }) => n).sort((a, b) => a - b)).toEqual(
    values.map(({ n }) => n),
  );
});

test('what one step stored under the trace id, the next one reads', async () => {
  const { json } = await send(`${cli.url}/pass-on`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '["a", 0]',
  });
  const { values, own } = await cli.waitForLog({ msg: 'checked', traceId: json().traceId });
  expect({ values: (values as unknown[]).map(String).sort(), own }).toEqual({ values: ['0', 'a'], own: true });
});
