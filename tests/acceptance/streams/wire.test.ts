/** The wire as Motia 0.17 has it, frame for frame, and where it was mended. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { send as request } from '../../helpers/http.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { type StreamCluster, startStreamCluster } from './cluster.ts';
import { connectRaw, type Target, told } from './raw-client.ts';

let cluster: StreamCluster;
beforeAll(async () => {
  cluster = await startStreamCluster({ env: { MOTIA_STREAM_SUBSCRIPTIONS: '3', MOTIA_STREAM_MESSAGE_BYTES: '2048' } });
});
afterAll(() => cluster[Symbol.asyncDispose]());

const chat = (groupId: string, id?: string): Target => ({
  streamName: 'chat',
  groupId,
  ...(id !== undefined && { id }),
});
const at = expect.any(Number);

test('sync, create, update, delete and events, for the group and for its item', async () => {
  using group = await connectRaw(cluster.gateways[0].url);
  using item = await connectRaw(cluster.gateways[1].url);
  group.join(chat('A'));
  item.join(chat('A', '1'));
  await Promise.all([group.settled(), item.settled()]);
  await cluster.run(
    ['chat', 'set', 'A', '1', { t: 1, _createdAt: 5, __motia: { any: 1 } }],
    ['chat', 'set', 'A', '1', { t: 2 }],
    ['chat', 'send', { groupId: 'A' }, { type: 'typing', data: { u: 1 } }],
    ['chat', 'send', { groupId: 'A', id: '1' }, { type: 'seen', data: null }],
    ['chat', 'delete', 'A', 'none'],
    ['chat', 'delete', 'A', '1'],
  );
  await group.waitFor(6);
  await item.waitFor(4);
  await Promise.all([group.settled(), item.settled()]);
  const named = { streamName: 'chat', groupId: 'A' };
  const event = (type: string, data: unknown, more = {}) => ({
    ...{ timestamp: at, ...named, ...more },
    event: { type: 'event', event: { type, data } },
  });
  const changed = (type: string, t: number) => ({
    ...{ timestamp: at, ...named, id: '1' },
    event: { type, data: { t, id: '1', _createdAt: 5 } },
  });
  const byKind = (frames: typeof group.frames, kind: boolean) =>
    frames.filter(({ event }) => (event.type === 'event') === kind);
  // Items and events are stored apart from each other: each keeps its order.
  expect(byKind(group.frames, false)).toEqual([
    { timestamp: at, ...named, event: { type: 'sync', data: [] } },
    changed('create', 1),
    changed('update', 2),
    changed('delete', 2),
  ]);
  expect(byKind(group.frames, true)).toEqual([event('typing', { u: 1 }), event('seen', null, { id: '1' })]);
  expect(byKind(item.frames, false)).toEqual([changed('create', 1), changed('update', 2), changed('delete', 2)]);
  expect(byKind(item.frames, true)).toEqual([event('seen', null, { id: '1' })]);
  for (const { frames } of [group, item]) {
    for (let n = 1; n < frames.length; n++) expect(frames[n]?.timestamp).toBeGreaterThan(frames[n - 1]?.timestamp ?? 0);
  }
  const times = (frames: typeof group.frames) => byKind(frames, false).map(({ timestamp }) => timestamp);
  expect(times(item.frames)).toEqual(times(group.frames).slice(1)); // the same on every gateway
});

test('a group is sorted by age, and its items have nothing of ours', async () => {
  await cluster.run(
    ['chat', 'set', 'sorted', 'young', { _createdAt: 9 }],
    ['chat', 'set', 'sorted', 'old', { _createdAt: 1 }],
    ['chat', 'set', 'sorted', 'b', { _createdAt: 5 }],
    ['chat', 'set', 'sorted', 'a', { _createdAt: 5 }],
  );
  using client = await connectRaw(cluster.gateways[1].url);
  client.join(chat('sorted'));
  await client.waitFor(1);
  expect(told(client.frames[0] as never)).toEqual([
    'sync',
    [
      { _createdAt: 1, id: 'old' },
      { _createdAt: 5, id: 'a' },
      { _createdAt: 5, id: 'b' },
      { _createdAt: 9, id: 'young' },
    ],
  ]);
});

test('what is no message is answered, what is unknown is passed over, and both are survived', async () => {
  using client = await connectRaw(cluster.gateways[0].url);
  client.send({ type: 'ping' });
  client.send({ type: 'leave', data: { streamName: 'chat', groupId: 'x' } });
  client.join({ streamName: 'no such stream', groupId: 'x' });
  client.join({ streamName: 'secret', groupId: 'x', id: '1' });
  for (const message of ['{', '"text"', 'null', '{"type":1}', '{"type":"join"}']) client.send(message);
  client.send({ type: 'join', data: { streamName: 'chat', groupId: 1 } });
  client.send({ type: 'join', data: { streamName: 'chat', groupId: 'x', id: {} } });
  client.socket.send(Buffer.from([1, 2, 3]));
  client.join(chat('survived'));
  await client.waitFor(10);
  const codes = client.frames.map(({ event }) => event.event?.data?.code ?? event.type);
  expect(codes).toEqual(['STREAM_ACCESS_DENIED', ...Array(8).fill('STREAM_INVALID_MESSAGE'), 'sync']);
  expect(client.frames[0]).toEqual({
    timestamp: at,
    ...{ streamName: 'secret', groupId: 'x', id: '1' },
    event: {
      type: 'event',
      event: { type: 'error', data: { code: 'STREAM_ACCESS_DENIED', message: 'Access denied' } },
    },
  });
});

test('a join without a number is taken, and a leave comes after its join', async () => {
  using client = await connectRaw(cluster.gateways[0].url);
  client.send({ type: 'join', data: chat('numbers') });
  client.join(chat('other'), { subscriptionId: 'a' });
  client.leave(chat('other'), 'a');
  client.join(chat('third'));
  await client.waitFor(3);
  await cluster.run(['chat', 'set', 'other', '1', {}], ['chat', 'set', 'numbers', '1', {}]);
  await client.waitFor(4);
  await client.settled();
  expect(client.frames.map(({ groupId, event }) => `${groupId} ${event.type}`)).toEqual([
    'numbers sync',
    'other sync',
    'third sync',
    'numbers create',
  ]);
});

test('limits are told: of what one follows, and of what one sends', async () => {
  using client = await connectRaw(cluster.gateways[0].url);
  for (const group of ['1', '2', '3', '4']) client.join(chat(group));
  client.join(chat('1'), { subscriptionId: 'again' });
  await client.waitFor(5);
  expect(client.frames.map(({ event }) => event.event?.data?.code ?? event.type)).toEqual([
    ...['sync', 'sync', 'sync'],
    'STREAM_TOO_MANY_SUBSCRIPTIONS',
    'sync',
  ]);
  client.leave(chat('1'), 's1');
  client.leave(chat('1'), 'again');
  client.join(chat('4'));
  await client.waitFor(6);
  let code = 0;
  client.socket.on('close', (given) => {
    code = given;
  });
  client.send({ type: 'ping', data: 'x'.repeat(3_000) });
  await waitFor(() => code === 1009, { what: `the end of the connection, not ${code}` });
});

test('the first of the subprotocols is taken; a request that offers another protocol is served as it is', async () => {
  using client = await connectRaw(cluster.gateways[0].url, ['Authorization', 'token'], '/any?x=1');
  expect(client.socket.protocol).toBe('Authorization');
  const offers = {
    connection: 'Upgrade, HTTP2-Settings',
    upgrade: 'h2c',
    'http2-settings': 'AAMAAABkAARAAAAAAAIAAAAA',
  };
  const body = JSON.stringify([['chat', 'set', 'h2c', '1', { text: 'stored' }]]);
  const headers = { ...offers, 'content-type': 'application/json' };
  const answer = await request(`${cluster.gateways[0].url}/streams`, { method: 'POST', headers, body });
  expect(answer.json()).toMatchObject({ last: { text: 'stored' } });
});

test('a gateway that ends says so, and its clients move on', async () => {
  const gateway = await cluster.startGateway();
  using client = await connectRaw(gateway.url);
  client.join(chat('leaving'));
  await client.waitFor(1);
  const sse = await fetch(`${gateway.url}/__motia/streams/chat/leaving`);
  let code = 0;
  client.socket.on('close', (given) => {
    code = given;
  });
  expect(await gateway.stop('SIGTERM')).toBe(0);
  await waitFor(() => code === 1001, { what: `goodbye, not ${code}` });
  expect(await sse.text()).toContain('"type":"sync"');
});
