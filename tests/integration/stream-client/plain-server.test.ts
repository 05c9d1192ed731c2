/** The stream client with servers that know nothing of its additions. */
import { readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { Stream } from '../../../stream-client/src/node.ts';
import { PlainStreamServer } from '../../helpers/plain-stream-server.ts';
import { waitFor } from '../../helpers/wait-for.ts';

type Item = { id: string; n: number };

const streams: Stream[] = [];
afterEach(() => {
  for (const stream of streams.splice(0)) stream.close();
});

function open(...[address, options]: ConstructorParameters<typeof Stream>): Stream {
  const stream = new Stream(address, { backoff: { first: 20 }, ...options });
  streams.push(stream);
  return stream;
}

test('an item and its group hear each event once, on one subscription of the server', async () => {
  await using server = await PlainStreamServer.start();
  server.set('s', 'g', { id: 'a', n: 1 });
  const stream = open(server.url);
  const heard: string[] = [];
  for (const name of ['one', 'two'])
    stream.subscribeGroup<Item>('s', 'g').onEvent('typing', (data) => heard.push(`${name} ${data}`));
  const item = stream.subscribeItem<Item>('s', 'g', 'a');
  item.onEvent('typing', (data) => heard.push(`item ${data}`));
  await waitFor(() => item.getState() !== null);
  server.send({ streamName: 's', groupId: 'g', id: 'a' }, 'typing', 1);
  server.send({ streamName: 's', groupId: 'g' }, 'typing', 2);
  server.set('s', 'g', { id: 'a', n: 2 });
  await waitFor(() => item.getState()?.n === 2);
  expect(heard).toEqual(['one 1', 'two 1', 'item 1', 'one 2', 'two 2']);
  expect(server.subscriptions).toBe(1);
});

test('after a lost connection everything is as the server has it', async () => {
  await using server = await PlainStreamServer.start();
  for (const id of ['a', 'b']) server.set('s', 'g', { id, n: 1 });
  const stream = open(server.url);
  const group = stream.subscribeGroup<Item>('s', 'g');
  const item = stream.subscribeItem<Item>('s', 'other', 'a');
  await waitFor(() => group.getState().length === 2);
  expect(item.getState()).toBeNull();
  server.disconnect();
  server.delete('s', 'g', 'a');
  server.set('s', 'g', { id: 'b', n: 2 });
  server.set('s', 'other', { id: 'a', n: 3 });
  await waitFor(() => item.getState()?.n === 3);
  expect(group.getState()).toEqual([{ id: 'b', n: 2 }]);
  server.delete('s', 'g', 'b');
  server.delete('s', 'g', 'b'); // such a server tells this one, too
  server.set('s', 'g', { id: 'c', n: 4 });
  await waitFor(() => group.getState()[0]?.id === 'c');
  expect(group.getState()).toHaveLength(1);
});

test('what nobody follows any more is left', async () => {
  await using server = await PlainStreamServer.start();
  const stream = open(server.url);
  const all = [stream.subscribeGroup('s', 'g'), stream.subscribeItem('s', 'h', 'a')];
  await waitFor(() => server.subscriptions === 2);
  for (const one of all) one.close();
  await waitFor(() => server.subscriptions === 0);
});

test('a server that refuses the first token gets the second', async () => {
  const isAllowed = (protocols?: string) => protocols?.replace(' ', '') === 'Authorization,good';
  await using server = await PlainStreamServer.start(({ headers }) => isAllowed(headers['sec-websocket-protocol']));
  server.set('s', 'g', { id: 'a', n: 1 });
  const tokens = ['bad', 'good'];
  const group = open(server.url, { authToken: async () => tokens.shift() }).subscribeGroup<Item>('s', 'g');
  await waitFor(() => group.getState().length === 1);
  expect(tokens).toEqual([]);
});

test('a token that no protocol can have is in the address', async () => {
  const urls: (string | undefined)[] = [];
  await using server = await PlainStreamServer.start(({ url }) => urls.push(url) > 0);
  open(`${server.url}/app?x=1`, { authToken: 'a b=' });
  await waitFor(() => urls.length > 0);
  expect(urls).toEqual(['/app?x=1&authToken=a+b%3D']);
});

test.skipIf(process.platform !== 'linux')(
  'the operating system watches over a connection on which nothing is said',
  async () => {
    await using server = await PlainStreamServer.start();
    const stream = open(server.url);
    await waitFor(() => stream.getConnectionState() === 'open');
    const port = Number(new URL(server.url).port).toString(16).toUpperCase().padStart(4, '0');
    const connection = readFileSync('/proc/net/tcp', 'utf8').match(
      new RegExp(`^ *\\d+: \\S+ 0100007F:${port} 01 \\S+ (\\d+):`, 'm'),
    );
    expect(connection?.[1], 'the timer of keep-alive').toBe('02');
  },
);

test('an address where nobody is gives way to the next one', async () => {
  const gone = await PlainStreamServer.start();
  const { url } = gone;
  await gone[Symbol.asyncDispose]();
  await using server = await PlainStreamServer.start();
  server.set('s', 'g', { id: 'a', n: 1 });
  const group = open([url, server.url]).subscribeGroup<Item>('s', 'g');
  await waitFor(() => group.getState().length === 1);
});
