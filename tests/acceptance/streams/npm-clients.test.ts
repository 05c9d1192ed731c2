/** The clients of Motia 0.17 as they are on npm, unmodified, each with two gateways: what a page of that time does and sees. */
import { Stream as BrowserStream } from '@motiadev/stream-client-browser';
import { Stream as NodeStream } from '@motiadev/stream-client-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { waitFor } from '../../helpers/wait-for.ts';
import { type Operation, type StreamCluster, startStreamCluster } from './cluster.ts';
import { startProxy } from './proxy.ts';

// What browsers have, and Node 20 has not.
Object.assign(globalThis, { WebSocket: globalThis.WebSocket ?? WebSocket });

interface Item {
  id: string;
  text?: string;
  n?: number;
}

let cluster: StreamCluster;
const opened: { close(): void }[] = [];
beforeAll(async () => {
  cluster = await startStreamCluster();
});
afterAll(async () => {
  for (const stream of opened) stream.close();
  await cluster[Symbol.asyncDispose]();
});

const clients = { node: NodeStream, browser: BrowserStream };
const wsUrl = (gateway: number) => (cluster.gateways[gateway]?.url ?? '').replace('http', 'ws');
const set = (group: string, id: string, text: string): Operation => ['chat', 'set', group, id, { text }];
const remove = (group: string, id: string): Operation => ['chat', 'delete', group, id];
const send = (groupId: string, type: string, data: unknown, id?: string): Operation => [
  ...(['chat', 'send', id === undefined ? { groupId } : { groupId, id }, { type, data }] as const),
];

describe.each(Object.keys(clients) as (keyof typeof clients)[])('%s client', (name) => {
  const open = (address: string, protocols?: string | string[]) => {
    const stream = new clients[name](address, protocols === undefined ? undefined : ({ protocols } as never));
    opened.push(stream);
    return stream;
  };
  const both = () => [open(wsUrl(0)), open(wsUrl(1))];
  const own = (group: string) => `${group} ${name}`;
  type Group = { getState(): Item[] };
  const textsOf = (group: Group) => group.getState().map(({ text }) => text);
  const shows = (group: Group, ...texts: string[]) =>
    waitFor(() => JSON.stringify(textsOf(group)) === JSON.stringify(texts), { what: `${texts}` }).catch((error) => {
      throw new Error(`${error.message}, not ${textsOf(group)}`);
    });

  test('joined before the connection is open: an empty group, and what comes into it on both gateways', async () => {
    const group = own('empty');
    const groups = both().map((stream) => stream.subscribeGroup<Item>('chat', group));
    const changes = groups.map((each) => {
      const states: number[] = [];
      each.addChangeListener((state) => states.push((state as Item[]).length));
      return states;
    });
    for (const states of changes) await waitFor(() => states.length === 1, { what: 'the first sync' });
    await cluster.run(set(group, '1', 'one'), set(group, '2', 'two'));
    for (const each of groups) await shows(each, 'one', 'two');
    expect(changes).toEqual([
      [0, 1, 2],
      [0, 1, 2],
    ]);
  });

  test('an item that is missing, and then comes, changes, goes, and comes again', async () => {
    const group = own('item');
    const items = both().map((stream) => stream.subscribeItem<Item>('chat', group, 'x'));
    const seen = items.map((item) => {
      const texts: (string | undefined)[] = [];
      item.addChangeListener((state) => texts.push((state as Item | null)?.text));
      return texts;
    });
    const marker = open(wsUrl(0)).subscribeGroup<Item>('chat', group);
    const other = open(wsUrl(1)).subscribeGroup<Item>('chat', group);
    await cluster.run(set(group, 'before', 'b'));
    await Promise.all([shows(marker, 'b'), shows(other, 'b')]); // so the items are joined as well, most likely
    await cluster.run(
      set(group, 'x', 'created'),
      set(group, 'x', 'updated'),
      remove(group, 'x'),
      set(group, 'x', 'created again'),
      set(group, 'x', 'at last'),
    );
    for (const item of items) {
      await waitFor(() => item.getState()?.text === 'at last', { what: `at last, not ${item.getState()?.text}` });
    }
    for (const texts of seen) expect(texts.at(-1)).toBe('at last');
  });

  test('changes within a ms all arrive: the last one counts', async () => {
    const group = own('rapid');
    const [first, second] = both();
    const groups = [first, second].map((stream) => stream?.subscribeGroup<Item>('chat', group) as Group);
    await cluster.run(...Array.from({ length: 20 }, (_, n) => set(group, 'x', String(n))));
    for (const each of groups) await shows(each, '19');
    await cluster.run(remove(group, 'x'), set(group, 'x', 'again'), set(group, 'x', 'and again'));
    for (const each of groups) await shows(each, 'and again');
    await cluster.run(set(group, 'x', 'gone'), remove(group, 'x'));
    for (const each of groups) await shows(each);
  });

  test('a group, the same group and one of its items over one connection: events come once to each', async () => {
    const group = own('several');
    await cluster.run(set(group, 'x', 'x'));
    const stream = open(wsUrl(1));
    const [one, two] = [0, 1].map(() => stream.subscribeGroup<Item>('chat', group));
    const item = stream.subscribeItem<Item>('chat', group, 'x');
    const heard: string[] = [];
    one?.onEvent('typing', (data: string) => heard.push(`one ${data}`));
    two?.onEvent('typing', (data: string) => heard.push(`two ${data}`));
    item.onEvent('typing', (data: string) => heard.push(`item ${data}`));
    await shows(one as Group, 'x');
    await shows(two as Group, 'x');
    await waitFor(() => item.getState()?.text === 'x', { what: 'the item' });
    await cluster.run(send(group, 'typing', 'to all'), send(group, 'typing', 'to x', 'x'), set(group, 'x', 'end'));
    await shows(one as Group, 'end');
    await shows(two as Group, 'end');
    await waitFor(() => item.getState()?.text === 'end', { what: 'the end of the item' });
    expect(heard.sort()).toEqual(['item to x', 'one to all', 'one to x', 'two to all', 'two to x']);
  });

  test('who has left hears no more, and the other subscription goes on', async () => {
    const group = own('left');
    const stream = open(wsUrl(0));
    const [stays, leaves] = [0, 1].map(() => stream.subscribeGroup<Item>('chat', group) as Group & { close(): void });
    const heard: string[] = [];
    (leaves as unknown as { onEvent(type: string, tell: (data: string) => void): void }).onEvent('ping', (data) =>
      heard.push(data),
    );
    await cluster.run(set(group, 'x', '1'));
    await shows(leaves as Group, '1');
    leaves?.close();
    await cluster.run(send(group, 'ping', 'late'), set(group, 'x', '2'));
    await shows(stays as Group, '2');
    expect(heard).toEqual([]);
    expect(textsOf(leaves as Group)).toEqual(['1']);
  });

  test('cut off and connected to the other gateway, it shows what is there now', async () => {
    const group = own('cut');
    await using proxy = await startProxy(cluster.gateways[0].url);
    await cluster.run(set(group, '1', 'stays'), set(group, '2', 'goes'));
    const stream = open(proxy.url);
    const shown = stream.subscribeGroup<Item>('chat', group);
    const item = stream.subscribeItem<Item>('chat', group, '1');
    await shows(shown, 'stays', 'goes');
    proxy.leadTo(cluster.gateways[1].url);
    proxy.drop();
    await cluster.run(remove(group, '2'), set(group, '1', 'stayed'), set(group, '3', 'new'));
    await shows(shown, 'stayed', 'new');
    await waitFor(() => item.getState()?.text === 'stayed', { what: 'the item' });
    await cluster.run(set(group, '3', 'newer'));
    await shows(shown, 'stayed', 'newer');
    stream.close();
  });

  test('a sort key of the client', async () => {
    const group = own('sorted');
    const shown = open(wsUrl(0)).subscribeGroup<Item>('chat', group, 'text' as never);
    await cluster.run(set(group, '1', 'c'), set(group, '2', 'a'), set(group, '3', 'b'));
    await shows(shown, 'a', 'b', 'c');
  });

  test('what is denied is told as an event, and the connection goes on', async () => {
    const group = own('denied');
    const stream = open(wsUrl(0));
    const errors: unknown[] = [];
    const denied = stream.subscribeGroup<Item>('secret', group);
    denied.onEvent('error', (data) => errors.push(data));
    stream.subscribeGroup<Item>('no such stream', group).onEvent('error', (data) => errors.push(data));
    const shown = stream.subscribeGroup<Item>('chat', group);
    await cluster.run(['secret', 'set', group, '1', { text: 'secret' }], set(group, '1', 'open'));
    await shows(shown, 'open');
    expect(errors).toEqual([{ code: 'STREAM_ACCESS_DENIED', message: 'Access denied' }]);
    expect(denied.getState()).toEqual([]);
  });

  test('any path and query, and subprotocols, as pages give their tokens', async () => {
    const group = own('token');
    await cluster.run(set(group, '1', 'one'));
    for (const stream of [
      open(`${wsUrl(0)}/any/path?authToken=x`),
      open(wsUrl(1), ['Authorization', 'token']),
      open(wsUrl(0), 'single'),
    ]) {
      await shows(stream.subscribeGroup<Item>('chat', group), 'one');
    }
  });

  test('names of all kinds, and an item of a megabyte', async () => {
    const stream = open(wsUrl(1));
    const text = 'ä'.repeat(512 * 1024);
    for (const odd of [own('a:b.c d/é*>%'), `${own('long')} ${'ü'.repeat(300)}`]) {
      const shown = stream.subscribeGroup<Item>('a.stream of:others', odd);
      const item = stream.subscribeItem<Item>('a.stream of:others', odd, odd);
      const heard: unknown[] = [];
      item.onEvent('hello', (data) => heard.push(data));
      await cluster.run(['a.stream of:others', 'set', odd, odd, { text }]);
      await waitFor(() => shown.getState()[0]?.text === text && item.getState()?.text === text, { what: odd });
      expect(shown.getState()[0]?.id).toBe(odd);
      await cluster.run(['a.stream of:others', 'send', { groupId: odd, id: odd }, { type: 'hello', data: 1 }]);
      await waitFor(() => heard.length === 1, { what: 'the event' });
    }
  });

  test('the same id in two groups is two items', async () => {
    const [group, other] = [own('same'), own('other')];
    const stream = open(wsUrl(0));
    const [item, elsewhere] = [group, other].map((each) => stream.subscribeItem<Item>('chat', each, 'x'));
    await cluster.run(set(group, 'x', 'here'), set(other, 'x', 'there'), set(group, 'x', 'still here'));
    await waitFor(() => item?.getState()?.text === 'still here', { what: 'the item' });
    await waitFor(() => elsewhere?.getState()?.text === 'there', { what: 'the other item' });
  });

  test('joined while items are written at full speed, it misses nothing', async () => {
    const group = own('busy');
    const writing = Promise.all(
      [0, 1, 2].map((writer) => {
        return cluster.run(
          ...Array.from({ length: 40 }, (_, n): Operation => set(group, `${writer}.${n % 30}`, String(n))),
        );
      }),
    );
    const groups: Group[] = [];
    for (let n = 0; n < 10; n++) {
      groups.push(open(wsUrl(n % 2)).subscribeGroup<Item>('chat', group));
      await new Promise((resolve) => setTimeout(resolve, 5)); // spread over the time that the writers take
    }
    await writing;
    const expected = [0, 1, 2].flatMap((writer) =>
      Array.from({ length: 30 }, (_, n) => `${writer}.${n}=${n < 10 ? n + 30 : n}`),
    );
    for (const each of groups) {
      const state = () => each.getState().map(({ id, text }) => `${id}=${text}`);
      await waitFor(() => state().sort().join() === [...expected].sort().join(), { what: 'all items' });
    }
  });
});
