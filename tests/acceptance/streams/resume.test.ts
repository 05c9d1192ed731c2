/** A client that says where it was goes on there, on whichever gateway: nothing is missing, and nothing comes twice. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type StreamCluster, startStreamCluster } from './cluster.ts';
import { connectRaw, type Frame, type Target, told } from './raw-client.ts';

let cluster: StreamCluster;
beforeAll(async () => {
  cluster = await startStreamCluster();
});
afterAll(() => cluster[Symbol.asyncDispose]());

const chat = (groupId: string, id?: string): Target => ({
  streamName: 'chat',
  groupId,
  ...(id !== undefined && { id }),
});
const lastPosition = (frames: Frame[]) => frames.at(-1)?.position as string;
/** Without what stores add. */
const texts = (frames: Frame[]) =>
  frames.map((frame) => {
    const [type, id, data] = told(frame) as [string, string, { text?: string } | undefined];
    return type === 'event' ? told(frame) : [type, id, ...(data?.text === undefined ? [] : [data.text])];
  });

test('on the other gateway: what was created, updated, removed and sent meanwhile, and then what happens', async () => {
  const group = chat('moves');
  using a = await connectRaw(cluster.gateways[0].url);
  await cluster.run(['chat', 'set', 'moves', '1', { text: 'one' }], ['chat', 'set', 'moves', '2', { text: 'two' }]);
  a.join(group, { resume: '' });
  await a.waitFor(1);
  await cluster.run(['chat', 'set', 'moves', '3', { text: 'three' }]);
  await a.waitFor(2);
  expect(a.frames.every(({ position }) => typeof position === 'string')).toBe(true);
  a.socket.terminate();
  await cluster.run(
    ['chat', 'set', 'moves', '3', { text: 'three again' }],
    ['chat', 'set', 'moves', '3', { text: 'three at last' }],
    ['chat', 'delete', 'moves', '1'],
    ['chat', 'send', { groupId: 'moves' }, { type: 'typing', data: 1 }],
    ['chat', 'send', { groupId: 'moves', id: '2' }, { type: 'seen', data: 2 }],
    ['chat', 'set', 'moves', '4', { text: 'four' }],
    ['chat', 'set', 'elsewhere', '5', { text: 'of another group' }],
  );
  using b = await connectRaw(cluster.gateways[1].url);
  b.join(group, { resume: lastPosition(a.frames) });
  await b.settled();
  await cluster.run(['chat', 'set', 'moves', '2', { text: 'two again' }]);
  await b.waitFor(7);
  await b.settled();
  expect(texts(b.frames)).toEqual([
    ['resumed', undefined],
    ['update', '3', 'three at last'],
    ['delete', '1', 'one'],
    ['create', '4', 'four'],
    ['event', undefined, 'typing', 1],
    ['event', '2', 'seen', 2],
    ['update', '2', 'two again'],
  ]);
  const times = [...a.frames, ...b.frames.slice(1)].map(({ timestamp }) => timestamp);
  expect(times).toEqual([...times].sort((x, y) => x - y));
});

test('who has all hears that it is up to date, and nothing else; a position may be used again', async () => {
  using a = await connectRaw(cluster.gateways[0].url);
  await cluster.run(['chat', 'set', 'calm', '1', { text: 'one' }]);
  a.join(chat('calm'), { resume: '' });
  await a.waitFor(1);
  for (const gateway of [...cluster.gateways, ...cluster.gateways]) {
    using b = await connectRaw(gateway.url);
    b.join(chat('calm'), { resume: lastPosition(a.frames) });
    await b.waitFor(1);
    await b.settled();
    expect(texts(b.frames)).toEqual([['resumed', undefined]]);
  }
});

test('an item is resumed alone; a missing one is told as such to who asks for positions', async () => {
  using a = await connectRaw(cluster.gateways[0].url);
  a.join(chat('items', 'x'), { resume: '' });
  await a.waitFor(1);
  expect(a.frames[0]).toMatchObject({ id: 'x', event: { type: 'sync', data: null } });
  a.socket.terminate();
  await cluster.run(['chat', 'set', 'items', 'y', { text: 'no' }], ['chat', 'set', 'items', 'x', { text: 'yes' }]);
  using b = await connectRaw(cluster.gateways[1].url);
  b.join(chat('items', 'x'), { resume: lastPosition(a.frames) });
  await b.waitFor(2);
  await b.settled();
  expect(texts(b.frames)).toEqual([
    ['resumed', undefined],
    ['create', 'x', 'yes'],
  ]);
});

test('with a position that says nothing here, the whole group is told', async () => {
  await cluster.run(['chat', 'set', 'foreign', '1', { text: 'one' }]);
  const old = `${'x'.repeat(8)}.1.${'x'.repeat(8)}.1.1`;
  for (const resume of ['nonsense', old]) {
    using a = await connectRaw(cluster.gateways[0].url);
    a.join(chat('foreign'), { resume });
    await a.waitFor(1);
    expect(a.frames[0]).toMatchObject({ position: expect.any(String), event: { type: 'sync', data: [{ id: '1' }] } });
  }
});

test('a client that was there before all this sees no positions', async () => {
  using a = await connectRaw(cluster.gateways[0].url);
  a.join(chat('plain'));
  await a.waitFor(1);
  await cluster.run(['chat', 'set', 'plain', '1', { text: 'one' }]);
  await a.waitFor(2);
  expect(a.frames.map((frame) => 'position' in frame)).toEqual([false, false]);
});

test('moved from gateway to gateway while items are changed at full speed, it misses nothing and hears nothing twice', async () => {
  const writers = Promise.all(
    [0, 1, 2, 3].map(async (writer) => {
      for (let round = 0; round < 8; round++) {
        await cluster.run(
          ...Array.from({ length: 10 }, (_, n): [string, 'set' | 'send', ...unknown[]] =>
            n % 5 === 4
              ? ['chat', 'send', { groupId: 'busy' }, { type: 'tick', data: `${writer}.${round}.${n}` }]
              : ['chat', 'set', 'busy', `${writer}.${round}.${n}`, { n }],
          ),
        );
      }
    }),
  );
  let done = false;
  void writers.finally(() => {
    done = true;
  });
  const frames: Frame[] = [];
  const kept = new Set<string>();
  let position = '';
  for (let turn = 0, isLast = false; !isLast; turn++) {
    isLast = done && turn > 1;
    using client = await connectRaw((cluster.gateways[turn % 2] ?? cluster.gateways[0]).url);
    client.join(chat('busy'), { resume: position });
    if (turn > 0 && !done) await client.waitFor(4, 1_000).catch(() => {}); // the writers may be done by then
    await client.settled();
    client.socket.terminate();
    frames.push(...client.frames);
    position = lastPosition(frames);
    for (const { event } of client.frames) if (event.type === 'sync') for (const item of event.data) kept.add(item.id);
  }
  await writers;
  expect(frames.filter(({ event }) => event.type === 'sync')).toHaveLength(1);
  const changed = frames
    .filter(({ id, event }) => id !== undefined && event.type !== 'event')
    .map(({ id }) => id as string);
  expect(new Set([...kept, ...changed]).size).toBe(4 * 8 * 8);
  expect(changed.length).toBe(new Set(changed).size); // each was stored once
  const ticks = frames.filter(({ event }) => event.type === 'event').map(({ event }) => event.event?.data as string);
  expect(ticks.length).toBe(new Set(ticks).size);
});
