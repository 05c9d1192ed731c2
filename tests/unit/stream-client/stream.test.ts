import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { BaseStream } from '../../../stream-client/src/stream.ts';
import { sockets, TestSocket } from './test-socket.ts';

type Item = { id: string; n: number };

let streams: BaseStream[] = [];

function open(address: string | string[] = 'ws://one', options = {}) {
  const stream = new BaseStream(address, options, TestSocket);
  streams.push(stream);
  return stream;
}

const item = (id: string, n: number): Item => ({ id, n });
const settled = () => vi.advanceTimersByTimeAsync(0);

/** The socket that was made last, when it is open. */
async function connected(): Promise<TestSocket> {
  await settled();
  const socket = sockets.at(-1) as TestSocket;
  socket.onopen?.();
  await settled();
  return socket;
}

beforeEach(() => {
  vi.useFakeTimers();
  sockets.length = 0;
});
afterEach(() => {
  for (const stream of streams) stream.close();
  streams = [];
  vi.useRealTimers();
});

test('subscriptions of the same share one join, which is left with the last of them', async () => {
  const stream = open();
  const [one, other] = [1, 2].map(() => stream.subscribeGroup<Item>('s', 'g'));
  const socket = await connected();
  expect(socket.sent()).toEqual(['join s/g ""']);
  socket.says('s', 'g', undefined, { type: 'sync', data: [item('a', 1)] });
  expect(one?.getState()).toEqual([item('a', 1)]);
  expect(other?.getState()).toEqual([item('a', 1)]);

  one?.close();
  await settled();
  expect(socket.sent()).toEqual([]);
  socket.says('s', 'g', 'a', { type: 'update', data: item('a', 2) });
  expect(one?.getState()).toEqual([item('a', 1)]);
  expect(other?.getState()).toEqual([item('a', 2)]);
  other?.close();
  await settled();
  expect(socket.sent()).toEqual(['leave s/g']);
});

test('a subscription that comes later is told what is known, after its listeners could be added', async () => {
  const stream = open();
  stream.subscribeGroup<Item>('s', 'g');
  const socket = await connected();
  socket.says('s', 'g', undefined, { type: 'sync', data: [item('a', 1)] });
  const late = stream.subscribeGroup<Item>('s', 'g');
  const states: Item[][] = [];
  late.addChangeListener((state) => states.push(state));
  expect(late.getState()).toEqual([]);
  await settled();
  expect(states).toEqual([[item('a', 1)]]);
  expect(socket.sent()).toEqual(['join s/g ""']);
});

test('what closes and opens in one task says nothing to the server', async () => {
  const stream = open();
  const first = stream.subscribeItem<Item>('s', 'g', 'a');
  const socket = await connected();
  expect(socket.sent()).toEqual(['join s/g/a ""']);
  first.close();
  stream.subscribeItem<Item>('s', 'g', 'a');
  await settled();
  expect(socket.sent()).toEqual([]);
});

test('an item of a group that is followed needs no join, and hears everything once', async () => {
  const stream = open();
  const group = stream.subscribeGroup<Item>('s', 'g');
  const one = stream.subscribeItem<Item>('s', 'g', 'a');
  const socket = await connected();
  expect(socket.sent()).toEqual(['join s/g ""']);
  const heard: string[] = [];
  group.onEvent('typing', (data) => heard.push(`group ${data}`));
  one.onEvent('typing', (data) => heard.push(`item ${data}`));
  socket.says('s', 'g', undefined, { type: 'sync', data: [item('a', 1), item('b', 1)] });
  expect(one.getState()).toEqual(item('a', 1));
  socket.says('s', 'g', 'a', { type: 'event', event: { type: 'typing', data: 1 } });
  socket.says('s', 'g', 'b', { type: 'event', event: { type: 'typing', data: 2 } });
  socket.says('s', 'g', undefined, { type: 'event', event: { type: 'typing', data: 3 } });
  socket.says('s', 'other', 'a', { type: 'event', event: { type: 'typing', data: 4 } });
  expect(heard).toEqual(['group 1', 'item 1', 'group 2', 'group 3']);
});

test('an item that was followed first goes over to its group when that is there, without a gap', async () => {
  const stream = open();
  const one = stream.subscribeItem<Item>('s', 'g', 'a');
  const socket = await connected();
  socket.says('s', 'g', 'a', { type: 'sync', data: item('a', 1) });
  stream.subscribeGroup<Item>('s', 'g');
  await settled();
  expect(socket.sent()).toEqual(['join s/g/a ""', 'join s/g ""']);
  socket.says('s', 'g', 'a', { type: 'update', data: item('a', 2) });
  expect(one.getState()).toEqual(item('a', 2));
  socket.says('s', 'g', undefined, { type: 'sync', data: [item('a', 2), item('b', 1)] });
  expect(socket.sent()).toEqual(['leave s/g/a']);
  socket.says('s', 'g', 'a', { type: 'delete', data: item('a', 2) });
  expect(one.getState()).toBeNull();
});

test('a refused group leaves its items to joins of theirs; who asks again is answered again', async () => {
  const stream = open();
  const one = stream.subscribeItem<Item>('s', 'g', 'a');
  const errors: string[] = [];
  stream.subscribeGroup<Item>('s', 'g').onEvent('error', ({ code }) => errors.push(code));
  const socket = await connected();
  expect(socket.sent()).toEqual(['join s/g ""']);
  socket.says('s', 'g', undefined, denied);
  expect(errors).toEqual(['STREAM_ACCESS_DENIED']);
  expect(socket.sent()).toEqual(['join s/g/a ""']);
  socket.says('s', 'g', 'a', { type: 'sync', data: item('a', 1) });
  expect(one.getState()).toEqual(item('a', 1));
  stream.subscribeGroup<Item>('s', 'g');
  await settled();
  expect(socket.sent()).toEqual(['leave s/g', 'join s/g ""']);
});

test('a lost connection continues at the next address, from the last position', async () => {
  const stream = open(['ws://one', 'ws://two']);
  const states: string[] = [];
  stream.addConnectionListener((state) => states.push(state));
  const group = stream.subscribeGroup<Item>('s', 'g');
  const events: unknown[] = [];
  group.onEvent('typing', (data) => events.push(data));
  const first = await connected();
  first.says('s', 'g', undefined, { type: 'sync', data: [item('a', 1)] }, 'p1');
  first.says('s', 'g', 'a', { type: 'update', data: item('a', 2) }, 'p2');
  first.onclose?.();
  expect(group.getState()).toEqual([item('a', 2)]);
  await vi.advanceTimersByTimeAsync(250);
  const second = await connected();
  expect(second.address).toBe('ws://two/');
  expect(second.sent()).toEqual(['join s/g "p2"']);
  second.says('s', 'g', undefined, { type: 'resumed' }, 'p2');
  second.says('s', 'g', 'b', { type: 'update', data: item('b', 1) }, 'p3');
  second.says('s', 'g', undefined, { type: 'event', event: { type: 'typing', data: 1 } }, 'p4');
  expect(group.getState()).toEqual([item('a', 2), item('b', 1)]);
  expect(events).toEqual([1]);
  expect(states).toEqual(['open', 'connecting', 'open']);

  second.onclose?.();
  await vi.advanceTimersByTimeAsync(500);
  const third = await connected();
  expect([third.address, ...third.sent()]).toEqual(['ws://one/', 'join s/g "p4"']);
});

test('an item that was followed through its group continues where the group was', async () => {
  const stream = open();
  const group = stream.subscribeGroup<Item>('s', 'g');
  const one = stream.subscribeItem<Item>('s', 'g', 'a');
  const first = await connected();
  first.says('s', 'g', undefined, { type: 'sync', data: [item('a', 1), item('b', 1)] }, 'p1');
  group.close();
  await settled();
  expect(first.sent()).toEqual(['join s/g ""']);
  first.says('s', 'g', 'b', { type: 'update', data: item('b', 2) }, 'p2');
  first.onclose?.();
  await vi.advanceTimersByTimeAsync(250);
  const second = await connected();
  expect(second.sent()).toEqual(['join s/g/a "p2"']);
  second.says('s', 'g', 'a', { type: 'resumed' }, 'p2');
  second.says('s', 'g', 'a', { type: 'delete', data: item('a', 1) }, 'p3');
  expect(one.getState()).toBeNull();
});

test('a server that cannot resume is asked for everything, and its answer replaces what there was', async () => {
  const stream = open();
  const group = stream.subscribeGroup<Item>('s', 'g');
  const first = await connected();
  first.says('s', 'g', undefined, { type: 'sync', data: [item('a', 1), item('b', 1)] });
  first.onclose?.();
  await vi.advanceTimersByTimeAsync(250);
  const second = await connected();
  expect(second.sent()).toEqual(['join s/g ""']);
  second.says('s', 'g', undefined, { type: 'sync', data: [item('b', 2)] });
  expect(group.getState()).toEqual([item('b', 2)]);
});

test('what comes before the first answer is nothing to continue from', async () => {
  const group = open().subscribeGroup<Item>('s', 'g');
  const events: unknown[] = [];
  group.onEvent('typing', (data) => events.push(data));
  const first = await connected();
  first.says('s', 'g', undefined, { type: 'event', event: { type: 'typing', data: 1 } }, 'p1');
  expect(events).toEqual([1]);
  first.onclose?.();
  await vi.advanceTimersByTimeAsync(250);
  const second = await connected();
  expect(second.sent()).toEqual(['join s/g ""']);
});

test('a subscription that is made while there is no connection is told of what has not changed meanwhile', async () => {
  const stream = open();
  stream.subscribeGroup<Item>('s', 'g');
  const first = await connected();
  first.says('s', 'g', undefined, { type: 'sync', data: [item('a', 1)] }, 'p1');
  first.onclose?.();
  const late = stream.subscribeGroup<Item>('s', 'g');
  await vi.advanceTimersByTimeAsync(250);
  const second = await connected();
  second.says('s', 'g', undefined, { type: 'resumed' }, 'p1');
  expect(late.getState()).toEqual([item('a', 1)]);
});

test('attempts that fail come ever later; a connection that is lost at once counts as one', async () => {
  open('ws://one', { backoff: { first: 1_000, most: 4_000 } });
  await settled();
  for (const wait of [1_000, 2_000, 4_000, 4_000]) {
    const count = sockets.length;
    sockets.at(-1)?.onopen?.();
    sockets.at(-1)?.onclose?.();
    await vi.advanceTimersByTimeAsync(wait / 2 - 1);
    expect(sockets).toHaveLength(count);
    await vi.advanceTimersByTimeAsync(wait / 2 + 1);
    expect(sockets).toHaveLength(count + 1);
  }
  const stable = await connected();
  await vi.advanceTimersByTimeAsync(5_000);
  stable.onclose?.();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(sockets).toHaveLength(6);
});

test('an attempt that nobody answers is given up', async () => {
  open(['ws://one', 'ws://two']);
  await vi.advanceTimersByTimeAsync(10_250);
  expect(sockets.map(({ address, isClosed }) => [address, isClosed])).toEqual([
    ['ws://one/', true],
    ['ws://two/', false],
  ]);
});

test('a token goes before the other protocols, or into the address when a protocol cannot have it', async () => {
  open('ws://one/x?y=1', { authToken: 'abc.def', protocols: 'chat' });
  await settled();
  expect([sockets[0]?.address, sockets[0]?.protocols]).toEqual([
    'ws://one/x?y=1',
    ['Authorization', 'abc.def', 'chat'],
  ]);
  open('https://one', { authToken: 'a/b=' });
  await settled();
  expect([sockets[1]?.address, sockets[1]?.protocols]).toEqual(['wss://one/?authToken=a%2Fb%3D', undefined]);
});

test('a token that is made is made for each attempt; one that cannot be had is tried again', async () => {
  const tokens = [Promise.reject(new Error('no session')), Promise.resolve('second')];
  open('ws://one', { authToken: () => tokens.shift() });
  await settled();
  expect(sockets).toHaveLength(0);
  await vi.advanceTimersByTimeAsync(250);
  expect(sockets.map(({ protocols }) => protocols)).toEqual([['Authorization', 'second']]);
});

test('a token that does not come is given up', async () => {
  const tokens = [new Promise<string>(() => {}), Promise.resolve('second')];
  open('ws://one', { authToken: () => tokens.shift() });
  await vi.advanceTimersByTimeAsync(10_250);
  expect(sockets.map(({ protocols }) => protocols)).toEqual([['Authorization', 'second']]);
});

test('what is no address or no protocol is told at once', () => {
  expect(() => open('ftp://one')).toThrow('"ftp://one" is no address of a WebSocket');
  expect(() => open('one')).toThrow(TypeError);
  expect(() => open([])).toThrow('there is no address to connect to');
  expect(() => open('ws://one', { protocols: ['a b'] })).toThrow('"a b" may not be a subprotocol');
});

test('close ends the subscriptions and tells them; nothing is heard or sent after it', async () => {
  const stream = open();
  const group = stream.subscribeGroup<Item>('s', 'g');
  const heard: string[] = [];
  group.onClose(() => heard.push('closed'));
  group.addChangeListener(() => heard.push('changed'));
  const socket = await connected();
  stream.close();
  stream.close();
  socket.says('s', 'g', undefined, { type: 'sync', data: [item('a', 1)] });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(heard).toEqual(['closed']);
  expect([sockets.length, socket.isClosed, stream.getConnectionState()]).toEqual([1, true, 'closed']);
});

test('a stream that is closed in the task that made it connects to nothing', async () => {
  open().close();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(sockets).toHaveLength(0);
});

test('what is no frame changes nothing', async () => {
  const group = open().subscribeGroup<Item>('s', 'g');
  const socket = await connected();
  for (const data of ['{', 'null', '1', '{}', '{"streamName":"s","groupId":"g"}', new ArrayBuffer(1)])
    socket.onmessage?.({ data });
  expect(group.getState()).toEqual([]);
});

test('a listener that throws keeps nothing from the others', async () => {
  const group = open().subscribeGroup<Item>('s', 'g');
  const socket = await connected();
  const thrown: unknown[] = [];
  vi.stubGlobal('queueMicrotask', (task: () => void) => {
    try {
      task();
    } catch (error) {
      thrown.push(error);
    }
  });
  const states: Item[][] = [];
  const error = new Error('of a listener');
  group.addChangeListener(() => {
    throw error;
  });
  group.addChangeListener((state) => states.push(state));
  socket.says('s', 'g', undefined, { type: 'sync', data: [item('a', 1)] });
  vi.unstubAllGlobals();
  expect(states).toHaveLength(1);
  expect(thrown).toEqual([error]);
});

const denied = {
  type: 'event' as const,
  event: { type: 'error', data: { code: 'STREAM_ACCESS_DENIED', message: 'Access denied' } },
};
