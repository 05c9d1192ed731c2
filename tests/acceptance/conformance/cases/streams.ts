/** Realtime streams as handlers see them, and as whoever watches them on the broker does. */
import { expect } from 'vitest';
import { readManifest } from '../../../../shared/broker/manifest-store.ts';
import { StreamStore } from '../../../../shared/broker/streams.ts';
import { waitFor } from '../../../helpers/wait-for.ts';
import { connectRaw, type Frame } from '../../streams/raw-client.ts';
import type { Case } from '../cases.ts';
import { LARGEST_MESSAGE, type World } from '../world.ts';

type Item = Record<string, unknown> & { id: string; _createdAt: number };
type Operation = [stream: string, operation: string, ...args: unknown[]];
type Answer = { result?: unknown; error?: string; message?: string };

/** What came of operations on the stream `chat`. */
async function chat({ streams }: World, ...operations: [operation: string, ...args: unknown[]][]): Promise<unknown[]> {
  const answers = await streams(...operations.map((one): Operation => ['chat', ...one]));
  return answers.map((one) => ('result' in one ? one.result : one));
}

const refused = (answers: Answer[]) => answers.map(({ error }) => error);

export const streamCases: Case[] = [
  {
    name: 'streams: what each operation gives back',
    async run(world) {
      const g = world.newId();
      const before = Date.now();
      const [missing, created, read, updated, all, removed, again, gone] = (await chat(
        world,
        ['get', g, 'a'],
        ['set', g, 'a', { text: 'hello', id: 'not this one' }],
        ['get', g, 'a'],
        ['set', g, 'a', { text: 'bye' }],
        ['getGroup', g],
        ['delete', g, 'a'],
        ['delete', g, 'a'],
        ['getGroup', g],
      )) as [null, Item, Item, Item, Item[], Item, null, []];
      const __motia = { type: 'state-stream', streamName: 'chat', groupId: g, id: 'a' };
      expect(created).toEqual({ text: 'hello', id: 'a', _createdAt: expect.any(Number), __motia });
      expect(created._createdAt).toBeGreaterThanOrEqual(before);
      expect(created._createdAt).toBeLessThanOrEqual(Date.now());
      expect(updated).toEqual({ ...created, text: 'bye' }); // it keeps the time of its creation
      expect([missing, read, all, removed, again, gone]).toEqual([null, created, [updated], updated, null, []]);
    },
  },
  {
    name: 'streams: a group comes in the order of creation, and then of ids',
    async run(world) {
      const g = world.newId();
      const at = (id: string, _createdAt: number) => ['set', g, id, { _createdAt }] as [string, ...unknown[]];
      await chat(world, at('z', 1), at('b', 2), at('B', 2), at('é', 2), at('a', 3), at('z', 2.5));
      const [all] = (await chat(world, ['getGroup', g])) as [Item[]];
      expect(all.map(({ id }) => id)).toEqual(['B', 'b', 'é', 'z', 'a']);
    },
  },
  {
    name: 'streams: an item is an object, and a channel and an event are what they have to be',
    async run({ streams, newId }) {
      const g = newId();
      const answers = await streams(
        ...[null, 0, '', 'text', [1], true].map((item): Operation => ['chat', 'set', g, 'a', item]),
        ['chat', 'set', {}, 'a', {}],
        ['chat', 'get', g, null],
        ['chat', 'update', g, 'a', [{ type: 'set', value: 1 }]],
        ['chat', 'update', g, 'a', 'text'],
        ['chat', 'send', g, { type: 't', data: 1 }],
        ['chat', 'send', { groupId: g }, { data: 1 }],
        ['chat', 'send', {}, { type: 't' }],
        ['chat', 'send', { groupId: g }, { type: 't', data: 'x'.repeat(LARGEST_MESSAGE) }],
      );
      expect(refused(answers)).toEqual(answers.map(() => 'INVALID_VALUE'));
      expect(await streams(['chat', 'getGroup', g])).toEqual([{ result: [] }]);
    },
  },
  {
    name: 'streams: an item is changed by operations and by a function, and keeps its id and the time of its creation',
    async run(world) {
      const g = world.newId();
      const results = (await chat(
        world,
        ['update', g, 'a', { function: 'addOne' }],
        [
          'update',
          g,
          'a',
          [
            { type: 'increment', path: 'n' },
            { type: 'set', path: 'deep.er', value: [] },
          ],
        ],
        [
          'update',
          g,
          'a',
          [
            { type: 'remove', path: '_createdAt' },
            { type: 'set', path: 'id', value: 'other' },
          ],
        ],
        ['update', g, 'a', [{ type: 'increment', path: 'deep' }]],
        ['update', g, 'a', { function: 'spoil' }],
        ['get', g, 'a'],
      )) as [Item, Item, Item, Answer, Answer, Item];
      const [first, second, third, wrong, spoilt, last] = results;
      expect(first).toMatchObject({ n: 1, id: 'a', _createdAt: expect.any(Number) });
      expect(second).toEqual({ ...first, n: 2, deep: { er: [] } });
      expect(third).toEqual(second);
      expect(wrong.error).toBe('INVALID_VALUE');
      expect(wrong.message).toContain('increment "deep"');
      expect(spoilt.error).toBe('SPOILT');
      expect(last).toEqual(second);
    },
  },
  {
    name: 'streams: any text is a group and an id, and any name that a file defines is a stream',
    async run({ streams, newId }) {
      const names = ['', ' ', 'a.b', '*', '>', 'a:b', '日本語', '.', 'x'.repeat(500), '0'];
      const stream = 'a.stream of:others';
      const g = newId();
      const answers = await streams(
        ...names.map((id): Operation => [stream, 'set', `${g}${id}`, id, { text: id }]),
        ...names.map((id): Operation => [stream, 'get', `${g}${id}`, id]),
        ...names.map((id): Operation => [stream, 'getGroup', `${g}${id}`]),
        ['chat', 'getGroup', `${g}a.b`],
        [stream, 'set', 7, 8, {}],
        [stream, 'get', '7', '8'],
      );
      const ids = answers.map(({ result }) =>
        Array.isArray(result) ? result.map(({ id }) => id) : (result as Item).id,
      );
      expect(ids).toEqual([...names, ...names, ...names.map((id) => [id]), [], '8', '8']);
    },
  },
  {
    name: 'streams: a name that no file defines is refused when an operation is called, with the names there are',
    async run({ streams }) {
      const answers = await streams(
        ['chta', 'get', 'g', 'a'],
        ['chta', 'set', 'g', 'a', {}],
        ['chta', 'send', { groupId: 'g' }, { type: 't' }],
      );
      const message = 'there is no stream "chta": the project has a.stream of:others, chat, door';
      expect(answers).toEqual(answers.map(() => ({ error: 'INVALID_VALUE', message })));
    },
  },
  {
    name: 'streams: items of more than a message',
    async run(world) {
      const g = world.newId();
      const [small, large] = [{ text: 'x' }, { text: 'é'.repeat(LARGEST_MESSAGE / 2 + 1) }];
      await chat(world, ['set', g, 'a', large]);
      expect(await chat(world, ['getGroup', g])).toMatchObject([[large]]);
      expect(await chat(world, ['set', g, 'a', small], ['get', g, 'a'])).toMatchObject([small, small]);
      await chat(world, ['set', g, 'a', large]);
      expect(await chat(world, ['delete', g, 'a'], ['get', g, 'a'])).toMatchObject([large, null]);
    },
  },
  {
    name: 'streams: what a worker of another language has stored is read, and the other way round',
    async run(world) {
      const store = new StreamStore(world.broker, world.names);
      const g = `${world.newId()} of an.other`;
      const theirs = await store.set('chat', g, 'their.s', { text: 'é', falsy: [0, '', null, false] });
      expect(await chat(world, ['get', g, 'their.s'])).toEqual([theirs]);
      const [ours] = await chat(world, ['set', g, 'our/s', { text: 'ß', falsy: [0, '', null, false] }]);
      expect(await store.get('chat', g, 'our/s')).toEqual(ours);
      const [all] = await chat(world, ['getGroup', g]);
      expect(await store.getGroup('chat', g)).toEqual(all);
    },
  },
  {
    name: 'streams: who watches the broker sees each change, and what was sent',
    async run(world) {
      const { broker, names, newId } = world;
      const g = newId();
      const seen: object[] = [];
      const watch = (subject: string) =>
        broker.nc.subscribe(subject, {
          callback: (_, msg) => {
            const headers = ['Motia-Change', 'KV-Operation', 'Nats-TTL'].map((name) => msg.headers?.get(name) ?? '');
            seen.push([msg.subject.split('.').slice(-2).join('.'), headers, msg.json()]);
          },
        });
      const watching = [watch(`$KV.${names.buckets.streams}.${names.itemGroup('chat', g)}`)];
      watching.push(watch(names.sentToGroup('chat', g)), watch(names.sentToItem('chat', g, 'a')));
      await broker.flush();
      await chat(
        world,
        ['set', g, 'a', { n: 1 }],
        ['update', g, 'a', { function: 'addOne' }],
        ['delete', g, 'a'],
        ['delete', g, 'a'],
        ['set', g, 'a', { n: 3 }],
        ['send', { groupId: g }, { type: 'typing', data: { by: 'é' } }],
        ['send', { groupId: g, id: 'a' }, { type: 'seen' }],
      );
      await waitFor(() => seen.length === 6);
      for (const one of watching) one.unsubscribe();
      const item = (n: number) => ({ n, id: 'a', _createdAt: expect.any(Number) });
      expect(seen).toEqual([
        [`${g}.a`, ['create', '', ''], item(1)],
        [`${g}.a`, ['update', '', ''], item(2)],
        [`${g}.a`, ['', 'DEL', '3600s'], item(2)],
        [`${g}.a`, ['create', '', ''], item(3)],
        [`chat.${g}`, ['', '', ''], { type: 'typing', data: { by: 'é' } }],
        [`${g}.a`, ['', '', ''], { type: 'seen', data: null }],
      ]);
    },
  },
  {
    name: 'streams: clients of the gateway are told of what handlers do, at once and when they come back',
    async run({ gateway, streams, newId }) {
      const odd = 'a.stream of:others';
      const target = { streamName: odd, groupId: `é ${newId()}` };
      await streams([odd, 'set', target.groupId, 'a', { n: 1 }]);
      using client = await connectRaw(gateway.url);
      client.join(target, { resume: '' });
      const [first] = await client.waitFor(1);
      await streams(
        [odd, 'set', target.groupId, 'ü.1', { n: 2 }],
        [odd, 'update', target.groupId, 'ü.1', [{ type: 'set', path: 'n', value: 3 }]],
        [odd, 'delete', target.groupId, 'a'],
        [odd, 'send', { groupId: target.groupId, id: 'ü.1' }, { type: 'seen', data: 'ö' }],
      );
      await client.waitFor(5);
      const told = (frames: Frame[]) =>
        frames.map(({ id, event }) => `${event.type} ${id} ${event.data?.n ?? ''}`.trim());
      const [sync, ...live] = told(client.frames);
      expect(sync).toBe('sync undefined');
      expect(live.filter((text) => !text.startsWith('event'))).toEqual(['create ü.1 2', 'update ü.1 3', 'delete a 1']);
      expect(live).toContain('event ü.1');
      using again = await connectRaw(gateway.url);
      again.join(target, { resume: first?.position ?? '' });
      await again.waitFor(4);
      await again.settled();
      expect(told(again.frames)).toEqual(['resumed undefined', 'update ü.1 3', 'delete a 1', 'event ü.1']);
    },
  },
  {
    name: 'streams: the manifest has them',
    async run({ broker, names }) {
      const manifest = await readManifest(broker, names);
      expect(manifest?.streams?.map(({ name, canAccess }) => [name, canAccess])).toEqual([
        ['chat', true],
        ['door', true],
        ['a.stream of:others', undefined],
      ]);
      const schema = { type: 'object', properties: { text: { type: 'string' } } };
      expect(manifest?.streams?.map((stream) => stream.schema)).toEqual([schema, schema, schema]);
    },
  },
];
