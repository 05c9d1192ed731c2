/** State as handlers see it, and as other clients of the broker do. */
import { expect } from 'vitest';
import { StateStore } from '../../../../shared/broker/state.ts';
import { waitFor } from '../../../helpers/wait-for.ts';
import type { Case } from '../cases.ts';
import { LARGEST_MESSAGE } from '../world.ts';

const MB = 1024 * 1024;
type Operation = [operation: string, ...args: unknown[]];

/** Any text is a group and a key. */
const NAMES = [
  ...['', ' ', '.', '..', 'a.b', 'a..b', '.a', 'a.', 'a:b', 'a/b', 'a\\b', '*', '>', 'a*', 'a>', 'a b', '\t', 'a\nb'],
  ...['\u0000', '=', 'a=2E', 'a=', '%2E', '$KV', '_', '-', 'A', 'a', '__proto__', 'constructor', 'é', 'e\u0301'],
  ...['日本語', '👩‍👩‍👧', 'x'.repeat(5_000), `${'x'.repeat(5_000)}y`, '.'.repeat(300), '0', '1e3', 'null', 'undefined'],
];
const VALUES: unknown[] = [
  ...[0, false, '', null, [], {}, -0.5, 1e21, 'text', '\u0000 \u2028 \\ " é 👩‍👩‍👧', [null, [0]]],
  { '': 1, a: { b: null }, data: { data: 1 }, constructor: 'x' },
];

export const stateCases: Case[] = [
  {
    name: 'state: what each operation gives back',
    async run({ state, newId }) {
      const g = newId();
      const results = await state(
        ['get', g, 'a'],
        ['set', g, 'a', { n: 1 }],
        ['get', g, 'a'],
        ['set', g, 'a', { n: 2 }],
        ['getGroup', g],
        ['delete', g, 'a'],
        ['delete', g, 'a'],
        ['get', g, 'a'],
        ['getGroup', g],
        ['clear', g],
      );
      expect(results).toEqual([null, { n: 1 }, { n: 1 }, { n: 2 }, [{ n: 2 }], { n: 2 }, null, null, [], null]);
    },
  },
  {
    name: 'state: a step that names its groups may touch no other, and not list them',
    async run({ post, state }) {
      const own = async (...operation: unknown[]) => (await post('/own-state', operation)).json();
      for (const group of ['own', 'own: too']) {
        expect(await own('set', group, 'k', 1)).toEqual({ result: 1 });
        expect(await own('getGroup', group)).toEqual({ result: [1] });
      }
      await state(['set', 'others', 'k', 'theirs']);
      const onOthers = [
        ...['get', 'getEntry', 'delete'].map((operation) => [operation, 'others', 'k']),
        ['set', 'others', 'k', 2],
        ['update', 'others', 'k', []],
        ...['getGroup', 'getGroupPage', 'clear'].map((operation) => [operation, 'others']),
      ];
      const inFile = expect.stringMatching(/in steps\/own.state.step\.(ts|py)$/);
      for (const operation of onOthers) {
        const { code, message } = await own(...operation);
        expect([operation, code, message]).toEqual([operation, 'STATE_GROUP_NOT_DECLARED', inFile]);
        expect(message).toContain('OwnState may not touch the group of state "others": add that to its stateGroups in');
      }
      const { code, message } = await own('listGroups');
      expect([code, message]).toEqual(['STATE_GROUP_NOT_DECLARED', inFile]);
      expect(message).toContain('OwnState may not touch all groups of state: remove its stateGroups in');
      expect(await state(['get', 'others', 'k'])).toEqual(['theirs']);
    },
  },
  {
    name: 'state: a value is changed by operations and by functions, and the new one is given back',
    async run({ state, newId }) {
      const g = newId();
      const results = await state(
        ['update', g, 'n', { function: 'increment' }],
        ['update', g, 'n', { function: 'incrementLater' }],
        ['update', g, 'n', [{ type: 'increment', by: 2.5 }, { type: 'decrement' }]],
        ['update', g, 'n', []],
        [
          'update',
          g,
          'o',
          [
            { type: 'set', path: 'a.b', value: [] },
            { type: 'merge', value: { c: 0 } },
          ],
        ],
        ['update', g, 'o', [{ type: 'remove', path: 'a' }]],
        ['update', g, 'null', { function: 'returnNull' }],
        ['get', g, 'n'],
        ['get', g, 'o'],
      );
      expect(results).toEqual([1, 2, 3.5, 3.5, { a: { b: [] }, c: 0 }, { c: 0 }, null, 3.5, { c: 0 }]);
    },
  },
  {
    name: 'state: a change that cannot be made is refused, and changes nothing',
    async run({ state, newId }) {
      const g = newId();
      const [, ...results] = await state(
        ['set', g, 'k', { n: 'text' }],
        [
          'update',
          g,
          'k',
          [
            { type: 'set', path: 'm', value: 1 },
            { type: 'increment', path: 'n' },
          ],
        ],
        ['update', g, 'k', [{ type: 'set', path: 'n.m', value: 1 }]],
        ['update', g, 'k', [{ type: 'push', path: 'n', value: 1 }]],
        ['update', g, 'k', { type: 'increment' }],
        ['update', g, 'k', null],
        ['update', g, null, []],
        ['update', g, 'k', { function: 'spoil' }],
        ['get', g, 'k'],
      );
      const invalid = { error: 'INVALID_VALUE' };
      expect(results).toEqual([
        invalid,
        invalid,
        invalid,
        invalid,
        invalid,
        invalid,
        { error: 'SPOILT' },
        { n: 'text' },
      ]);
    },
  },
  {
    name: 'state: a function that returns nothing is a mistake',
    skip: { python: 'a function without a return gives None, which is a value' },
    async run({ state, newId }) {
      const g = newId();
      const results = await state(
        ['set', g, 'k', 1],
        ['update', g, 'k', { function: 'returnNothing' }],
        ['get', g, 'k'],
      );
      expect(results).toEqual([1, { error: 'INVALID_VALUE' }, 1]);
    },
  },
  {
    name: 'state: changes of several calls at a time are all made, and none spoils another',
    async run({ post, state, newId }) {
      const g = newId();
      await state(['set', g, 'k', { n: 0 }]);
      const change = (name: string): Operation => ['update', g, 'k', { function: name }];
      const operations = Array.from({ length: 50 }, () => [change('addOne'), change('spoil')]).flat();
      const calls = await Promise.all([1, 2, 3, 4].map(() => post('/state', { operations, together: true })));
      const answers = calls.flatMap(({ json }) => json() as { result?: { n: number }; error?: string }[]);
      const made = answers.flatMap(({ result }) => (result ? [result.n] : [])).sort((a, b) => a - b);
      expect(made).toEqual(Array.from({ length: 200 }, (_, n) => n + 1));
      expect(answers.filter(({ error }) => error === 'SPOILT')).toHaveLength(200);
      expect(await state(['get', g, 'k'])).toEqual([{ n: 200 }]);
    },
  },
  {
    name: 'state: values of more than a message are changed, too',
    async run({ state, newId }) {
      const g = newId();
      const large = 'é'.repeat(LARGEST_MESSAGE / 2 + 1);
      await state(['update', g, 'k', [{ type: 'set', path: 'text', value: large }]]);
      await state(['update', g, 'k', { function: 'addOne' }]);
      expect(await state(['get', g, 'k'])).toEqual([{ text: large, n: 1 }]);
      expect(await state(['update', g, 'k', [{ type: 'remove', path: 'text' }]], ['get', g, 'k'])).toEqual([
        { n: 1 },
        { n: 1 },
      ]);
    },
  },
  {
    name: 'state: falsy and odd values survive',
    async run({ state, newId }) {
      const g = newId();
      const operations = VALUES.flatMap((value): Operation[] => [
        ['set', g, 'key', value],
        ['get', g, 'key'],
        ['getGroup', g],
      ]);
      const results = await state(...operations);
      expect(results).toEqual(VALUES.flatMap((value) => [value, value, [value]]));
    },
  },
  {
    name: 'state: any text is a key, each of them its own',
    async run({ state, newId }) {
      const g = newId();
      await state(...NAMES.map((name): Operation => ['set', g, name, name]));
      expect(await state(...NAMES.map((name): Operation => ['get', g, name]))).toEqual(NAMES);
      const [all] = (await state(['getGroup', g])) as [string[]];
      expect(all.sort()).toEqual([...NAMES].sort());
    },
  },
  {
    name: 'state: any text is a group, and clearing one leaves the others alone',
    async run({ state }) {
      const cleared = ['*', '>', 'a', 'a*', '', '.'];
      await state(...NAMES.map((group): Operation => ['set', group, 'odd groups', { group }]));
      expect(await state(...NAMES.map((group): Operation => ['getGroup', group]))).toEqual(
        NAMES.map((group) => [{ group }]),
      );
      await state(...cleared.map((group): Operation => ['clear', group]));
      expect(await state(...NAMES.map((group): Operation => ['get', group, 'odd groups']))).toEqual(
        NAMES.map((group) => (cleared.includes(group) ? null : { group })),
      );
    },
  },
  {
    name: 'state: groups whose names begin alike, or meet their keys, are apart; numbers are taken as texts',
    async run({ state, newId }) {
      const g = newId();
      await state(
        ['set', g, '1', 'order'],
        ['set', `${g}s`, '1', 'orders'],
        ['set', `${g}.1`, '2', 'order.1'],
        ['set', g, '1.2', 'dotted key'],
        ['set', g, 42, 'a number'],
      );
      const [own, ...others] = (await state(
        ['getGroup', g],
        ['getGroup', `${g}s`],
        ['getGroup', `${g}.1`],
      )) as string[][];
      expect(own?.sort()).toEqual(['a number', 'dotted key', 'order']);
      expect(others).toEqual([['orders'], ['order.1']]);
      expect(await state(['get', g, '42'])).toEqual(['a number']);
    },
  },
  {
    name: 'state: an object or null is no group and no key',
    async run({ state }) {
      const results = await state(['set', 'g', {}, 1], ['set', null, 'k', 1], ['get', ['g'], 'k'], ['clear', null]);
      expect(results).toEqual(results.map(() => ({ error: 'INVALID_VALUE' })));
    },
  },
  {
    name: 'state: values of 3 MB, and of more than a message of the broker holds',
    async run({ state, newId }) {
      const g = newId();
      const [a, b] = ['é'.repeat(1.5 * MB), 'b'.repeat(LARGEST_MESSAGE + 1)];
      await state(['set', g, 'a', a]);
      await state(['set', g, 'b', b]);
      const lengths = async () => ((await state(['getGroup', g])) as string[][])[0]?.map((text) => text.length).sort();
      expect(await lengths()).toEqual([a.length, b.length].sort());
      expect((await state(['get', g, 'b'])) as unknown[]).toEqual([b]);
      expect(((await state(['delete', g, 'b'])) as string[])[0]?.length).toBe(b.length);
      await state(['set', g, 'a', 'small now']);
      expect(await state(['getGroup', g])).toEqual([['small now']]);
    },
  },
  {
    name: 'state: a group of 1,200 values comes whole',
    async run({ state, newId }) {
      const g = newId();
      await state(...Array.from({ length: 1_200 }, (_, n): Operation => ['set', g, `key ${n}`, { n }]));
      const [all, , rest] = (await state(['getGroup', g], ['clear', g], ['getGroup', g])) as { n: number }[][];
      expect(all?.map(({ n }) => n).sort((x, y) => x - y)).toEqual(Array.from({ length: 1_200 }, (_, n) => n));
      expect(rest).toEqual([]);
    },
  },
  {
    name: 'state: what a worker of another language has stored is read, and the other way round',
    async run({ state, newId, broker, names }) {
      const store = new StateStore(broker, names);
      const g = `${newId()} of an.other`;
      const large = { text: 'é'.repeat(LARGEST_MESSAGE / 2) };
      const values = [...VALUES, large];
      for (const [n, value] of values.entries()) await store.set(g, `theirs.${n}`, value);
      expect(await state(...values.map((_, n): Operation => ['get', g, `theirs.${n}`]))).toEqual(values);
      expect((await state(['getGroup', g]))[0]).toHaveLength(values.length);
      await state(...values.map((value, n): Operation => ['set', g, `ours/${n}`, value]));
      for (const [n, value] of values.entries()) expect(await store.get(g, `ours/${n}`)).toEqual(value);
      await state(['clear', g]);
      expect(await store.getGroup(g)).toEqual([]);
    },
  },
  {
    name: 'state: an entry tells the revision, and a value is stored at that one only',
    async run({ state, newId }) {
      const g = newId();
      const [none, , first] = (await state(['getEntry', g, 'k'], ['set', g, 'k', null], ['getEntry', g, 'k'])) as [
        null,
        null,
        { revision: number },
      ];
      expect([none, first]).toEqual([null, { value: null, revision: expect.any(Number) }]);
      const results = await state(
        ['set', g, 'k', 'new', { ifRevision: first.revision }],
        ['set', g, 'k', 'late', { ifRevision: first.revision }],
        ['set', g, 'k', 'late', { ifRevision: 0 }],
        ['set', g, 'other', 'late', { ifRevision: first.revision }],
        ['set', g, 'other', 'first', { ifRevision: 0 }],
        ['getEntry', g, 'k'],
        ['get', g, 'other'],
      );
      const { revision } = results[5] as { revision: number };
      expect(revision).toBeGreaterThan(first.revision);
      const conflict = (present: number) => ({ error: 'REVISION_CONFLICT', revision: present });
      expect(results).toEqual([
        'new',
        conflict(revision),
        conflict(revision),
        conflict(0),
        'first',
        { value: 'new', revision },
        'first',
      ]);
    },
  },
  {
    name: 'state: of many that want the same revision one gets it',
    async run({ post, state, newId }) {
      const g = newId();
      const operations = Array.from({ length: 20 }, (_, n): Operation => ['set', g, 'k', n, { ifRevision: 0 }]);
      const calls = await Promise.all([1, 2, 3].map(() => post('/state', { operations, together: true })));
      const answers = calls.flatMap(({ json }) => json() as { result?: number; error?: string }[]);
      const winners = answers.filter(({ error }) => error === undefined);
      expect(winners).toHaveLength(1);
      expect(answers.filter(({ error }) => error === 'REVISION_CONFLICT')).toHaveLength(59);
      expect(await state(['get', g, 'k'])).toEqual([winners[0]?.result]);
    },
  },
  {
    name: 'state: a value with a ttl goes by itself, which an update leaves so and a set ends',
    async run({ state, newId }) {
      const g = newId();
      await state(
        ['set', g, 'short', 1, { ttl: 1 }],
        ['set', g, 'ended', 1, { ttl: 1 }],
        ['set', g, 'ended', 2],
        ['set', g, 'updated', 1, { ttl: 2 }],
      );
      const results = await state(
        ['getEntry', g, 'updated'],
        ['update', g, 'updated', [{ type: 'increment' }]],
        ['update', g, 'updated', { function: 'increment' }],
        ['getEntry', g, 'updated'],
      );
      const { expiresAt } = results[0] as { expiresAt: number };
      expect(Math.abs(expiresAt - Date.now())).toBeLessThan(10_000);
      expect(results[3]).toEqual({ value: 3, revision: expect.any(Number), expiresAt });
      await waitFor(async () => ((await state(['getGroup', g]))[0] as unknown[]).length === 1, { every: 100 });
      const over = await state(
        ['get', g, 'short'],
        ['getEntry', g, 'updated'],
        ['get', g, 'ended'],
        ['update', g, 'short', { function: 'increment' }],
      );
      expect(over).toEqual([null, null, 2, 1]);
    },
  },
  {
    name: 'state: options that make no sense are refused',
    async run({ state, newId }) {
      const g = newId();
      const results = await state(
        ...[0, -1, 1.5, '60', true, 315_360_001].map((ttl): Operation => ['set', g, 'k', 1, { ttl }]),
        ...[-1, 0.5, '1'].map((ifRevision): Operation => ['set', g, 'k', 1, { ifRevision }]),
        ...[0, 1_001, 1.5, '1'].map((limit): Operation => ['getGroupPage', g, { limit }]),
        ['getGroupPage', g, { after: 'x' }],
        ['listGroups', { limit: 0 }],
        ['getEntry', g, null],
      );
      expect(results).toEqual(results.map(() => ({ error: 'INVALID_VALUE' })));
      expect(await state(['get', g, 'k'])).toEqual([null]);
    },
  },
  {
    name: 'state: a group comes in pages, with keys of any name, the same for every language',
    async run({ state, newId, broker, names }) {
      const g = `${newId()}${' of a long name'.repeat(20)}`;
      await state(...NAMES.map((name): Operation => ['set', g, name, { name }, { ttl: 3_600 }]));
      await state(['update', g, 'x'.repeat(5_000), [{ type: 'merge', value: { n: 1 } }]]);
      const items: { key: string; value: { name: string; n?: number } }[] = [];
      let after: string | undefined;
      do {
        const [page] = (await state(['getGroupPage', g, { limit: 10, ...(after !== undefined && { after }) }])) as [
          { items: typeof items; next?: string },
        ];
        expect(page.items.length).toBeLessThanOrEqual(10);
        items.push(...page.items);
        after = page.next;
      } while (after !== undefined);
      expect(items.map(({ key }) => key).sort()).toEqual([...NAMES].sort());
      for (const { key, value } of items) expect(key).toBe(value.name);
      expect(items.at(-1)?.value.n).toBe(1); // what was changed last
      const store = new StateStore(broker, names);
      const [page] = (await state(['getGroupPage', g])) as [object];
      expect(page).toEqual(await store.getGroupPage(g));
      expect(page).toMatchObject({ items });
      const { items: groups } = await store.listGroups({ limit: 1_000 });
      expect(groups).toContainEqual({ group: g, keys: NAMES.length });
      const listed = await listAll(state);
      expect(listed).toContainEqual({ group: g, keys: NAMES.length });
    },
  },
];

/** All groups, in pages of seven. */
async function listAll(state: (...operations: Operation[]) => Promise<unknown[]>): Promise<object[]> {
  const all: object[] = [];
  let after: string | undefined;
  do {
    const options = { limit: 7, ...(after !== undefined && { after }) };
    const [page] = (await state(['listGroups', options])) as [{ items: object[]; next?: string }];
    all.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return all;
}
