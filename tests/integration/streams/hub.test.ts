/** What a gateway does for those who follow streams when things go wrong: a broker that restarts, clients that do not read, or are gone. */
import { once } from 'node:events';
import { type ClientRequest, get, type IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { AccessRefused } from '../../../gateway/streams/access.ts';
import { ensureTopology } from '../../../shared/broker/topology.ts';
import { connectRaw, type Frame, type Target, told } from '../../acceptance/streams/raw-client.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { useNatsServer } from '../broker/harness.ts';
import { startStreamGateway } from './gateway.ts';

const harness = useNatsServer({ maxPayload: 256 * 1024 });

const chat = (groupId: string, id?: string): Target => ({
  streamName: 'chat',
  groupId,
  ...(id !== undefined && { id }),
});
const kinds = (frames: Frame[]) => frames.map(({ id, event }) => [event.type, id].filter(Boolean).join(' '));

test('the broker restarts: what was changed and sent after that is told, and only that', async () => {
  await using gateway = await startStreamGateway(harness);
  const { store } = gateway;
  await store.set('chat', 'g', '1', { n: 1 });
  using client = await connectRaw(gateway.url);
  client.join(chat('g'), { resume: '' });
  client.join(chat('g', '1'));
  await client.waitFor(2);
  await harness.crash(50);
  await store.set('chat', 'g', '1', { n: 2 });
  await store.set('chat', 'g', '2', { n: 3 });
  await store.delete('chat', 'g', '1');
  await store.send('chat', 'g', undefined, { type: 'hello', data: 1 });
  // What is stored while the feed is made again comes as the last of it.
  await waitFor(() => kinds(client.frames).includes('delete 1') && kinds(client.frames).includes('event'), {
    within: 20_000,
    what: 'the changes',
  });
  const all = kinds(client.frames.slice(2)).filter((kind) => kind !== 'update 1');
  expect([...all].sort()).toEqual(['create 2', 'delete 1', 'event']);
  using late = await connectRaw(gateway.url);
  late.join(chat('g'), { resume: client.frames.filter(({ position }) => position).at(-1)?.position as string });
  await late.waitFor(1);
  await late.settled();
  expect(kinds(late.frames)).toEqual(['resumed']);
});

test('cut off from the broker, which forgets it while others go on: nothing of it is missed, and of each item the last is told', async () => {
  await using gateway = await startStreamGateway(harness);
  const { store, broker, names } = gateway;
  await store.set('chat', 'g', '1', { n: 1 });
  await store.set('chat', 'g', 'gone', { n: 1 });
  using client = await connectRaw(gateway.url);
  client.join(chat('g'));
  await client.waitFor(1);
  const mend = gateway.cutOff();
  for (const stream of [`KV_${names.buckets.streams}`, names.streams.sent]) {
    for await (const { name } of broker.jsm.consumers.list(stream)) await broker.jsm.consumers.delete(stream, name);
  }
  for (let n = 2; n < 6; n++) await store.set('chat', 'g', '1', { n });
  await store.delete('chat', 'g', 'gone');
  await store.set('chat', 'g', 'new', { n: 6 });
  await store.set('chat', 'g', 'new', { n: 7 });
  await store.send('chat', 'g', undefined, { type: 'hello', data: 1 });
  mend();
  await client.waitFor(5);
  await client.settled();
  expect(
    client.frames
      .slice(1)
      .map(({ id, event }) => `${event.type} ${id} ${event.data?.n}`)
      .sort(),
  ).toEqual(['create new 7', 'delete gone 1', 'event undefined undefined', 'update 1 5']);
});

test('the items are lost with their store: everyone is told what is there now', async () => {
  await using gateway = await startStreamGateway(harness);
  const { store, broker, names } = gateway;
  await store.set('chat', 'g', '1', { n: 1 });
  using client = await connectRaw(gateway.url);
  client.join(chat('g'), { resume: '' });
  client.join(chat('g', '1'));
  await client.waitFor(2);
  const position = client.frames[0]?.position as string;
  const mend = gateway.cutOff();
  await broker.jsm.streams.delete(`KV_${names.buckets.streams}`);
  await ensureTopology(broker, names);
  for (let n = 1; n < 6; n++) await store.set('chat', 'g', '2', { n }); // so that its end is no sign
  mend();
  await client.waitFor(4);
  const after = client.frames.slice(2);
  expect(after.find(({ id }) => id === undefined)?.event).toMatchObject({ type: 'sync', data: [{ id: '2', n: 5 }] });
  expect(after.find(({ id }) => id === '1')?.event).toMatchObject({ type: 'delete', data: { n: 1, id: '1' } });
  await store.set('chat', 'g', '2', { n: 6 });
  await waitFor(() => kinds(client.frames).at(-1) === 'update 2', { what: 'the next change in the new store' });
  using late = await connectRaw(gateway.url);
  late.join(chat('g'), { resume: position });
  await late.waitFor(1);
  expect(late.frames[0]?.event).toMatchObject({ type: 'sync', data: [{ id: '2' }] });
});

test('a consumer lives as long as somebody follows its stream, however many follow', async () => {
  await using gateway = await startStreamGateway(harness);
  using first = await connectRaw(gateway.url);
  expect(await gateway.consumers()).toBe(0);
  for (const group of ['a', 'b', 'c']) first.join(chat(group));
  using second = await connectRaw(gateway.url);
  second.join(chat('a', '1'), { resume: '' });
  await Promise.all([first.waitFor(3), second.waitFor(1)]);
  expect(await gateway.consumers()).toBe(2);
  for (const group of ['a', 'b', 'c']) first.leave(chat(group), 's1');
  await first.settled();
  expect(await gateway.consumers()).toBe(2);
  second.socket.terminate();
  await waitFor(async () => (await gateway.consumers()) === 0, { what: 'the end of the consumers' });
});

test('a client that does not read costs little: what waits is bounded, and then it is told the state', async () => {
  const bufferedBytes = 256 * 1024;
  await using gateway = await startStreamGateway(harness, { limits: { bufferedBytes } });
  const { store } = gateway;
  using slow = await connectRaw(gateway.url);
  using quick = await connectRaw(gateway.url);
  await store.set('chat', 'big', 'gone', { n: 0 });
  for (const client of [slow, quick]) {
    client.join(chat('big'));
    client.join(chat('big', '1'));
    client.join(chat('big', 'gone'));
  }
  await Promise.all([slow.waitFor(2), quick.waitFor(2)]);
  slow.socket.pause();
  const text = 'x'.repeat(128 * 1024);
  const rounds = 80;
  for (let n = 1; n <= rounds; n++) await store.set('chat', 'big', '1', { n, text });
  await store.delete('chat', 'big', 'gone');
  await store.set('chat', 'big', '2', { n: 0 });
  await quick.waitFor(2 + rounds + 2);
  slow.socket.resume();
  await waitFor(() => slow.frames.some(({ event, id }) => id === 'gone' && event.type === 'delete'), {
    what: 'the end',
  });
  await slow.settled();
  const last = slow.frames.findLast(({ event, id }) => id === undefined && event.type === 'sync');
  expect(last?.event.data.map(({ id, n }: { id: string; n: number }) => [id, n])).toEqual([
    ['1', rounds],
    ['2', 0],
  ]);
  expect(slow.frames.findLast(({ id }) => id === '1')?.event.data.n).toBe(rounds);
  expect(slow.frames.length).toBeLessThan(quick.frames.length);
  await store.set('chat', 'big', '2', { n: 1 });
  await waitFor(() => slow.frames.at(-1)?.event.data?.n === 1, { what: 'what comes next' });
});

test('a client that is gone without a word is cut off, and one that answers is not', async () => {
  await using gateway = await startStreamGateway(harness, { limits: { pingMs: 100 } });
  using dead = await connectRaw(gateway.url);
  using alive = await connectRaw(gateway.url);
  dead.join(chat('g'));
  alive.join(chat('h'));
  await Promise.all([dead.waitFor(1), alive.waitFor(1)]);
  dead.socket.pause(); // neither reads the ping nor answers it
  alive.leave(chat('h'), 's1');
  await waitFor(async () => (await gateway.consumers()) === 0, { what: 'the end of what the dead one followed' });
  expect(alive.socket.readyState).toBe(WebSocket.OPEN);
});

test('large items are fetched, in their place in the order', async () => {
  await using gateway = await startStreamGateway(harness);
  const { store } = gateway;
  const text = 'ü'.repeat(200_000);
  await store.set('chat', 'g', 'before', { n: 0, text });
  using client = await connectRaw(gateway.url);
  client.join(chat('g'), { resume: '' });
  await client.waitFor(1);
  expect(client.frames[0]?.event.data[0].text).toBe(text);
  await store.set('chat', 'g', 'large', { n: 1, text });
  await store.set('chat', 'g', 'small', { n: 2 });
  await store.delete('chat', 'g', 'large');
  await client.waitFor(4);
  expect(kinds(client.frames.slice(1))).toEqual(['create large', 'create small', 'delete large']);
  expect(client.frames[3]?.event.data).toMatchObject({ id: 'large', n: 1, text });
  using late = await connectRaw(gateway.url);
  late.join(chat('g'), { resume: client.frames[0]?.position as string });
  await late.waitFor(3);
  expect(kinds(late.frames)).toEqual(['resumed', 'create small', 'delete large']);
  expect(late.frames[2]?.event.data).toMatchObject({ id: 'large', n: 1, text });
});

test('a stream that comes to the app later is followed by who has asked for it', async () => {
  await using gateway = await startStreamGateway(harness);
  using client = await connectRaw(gateway.url);
  client.join({ streamName: 'later', groupId: 'g' });
  client.join({ streamName: 'later', groupId: 'left' });
  client.leave({ streamName: 'later', groupId: 'left' }, 's1');
  await client.settled();
  expect(client.frames).toEqual([]);
  gateway.serve('chat', 'later');
  await client.waitFor(1);
  await client.settled();
  expect(client.frames).toMatchObject([{ streamName: 'later', groupId: 'g', event: { type: 'sync', data: [] } }]);
});

test('who may not connect is told so with 401, and who is one too many with 503', async () => {
  const access = {
    async authenticate({ url }: { url: string }) {
      if (url.includes('bad')) throw new AccessRefused('no');
      if (url.includes('broken')) throw new Error('secret');
      return { user: url };
    },
    canAccess: async (_stream: string, { groupId }: { groupId: string }, context: unknown) =>
      (context as { user: string }).user.endsWith(groupId),
  };
  await using gateway = await startStreamGateway(harness, { access, limits: { clients: 3, clientsPerAddress: 2 } });
  const answers = await Promise.all(['/bad', '/broken'].map((path) => refusal(gateway.url + path)));
  expect(answers).toEqual([
    { status: 401, type: 'text/html', text: 'Authentication failed' },
    { status: 503, type: 'text/html', text: 'Authentication is not available' },
  ]);
  using client = await connectRaw(gateway.url, undefined, '/?authToken=a');
  client.join(chat('a'));
  client.join(chat('b'));
  await client.waitFor(2);
  expect(client.frames.map(({ event }) => event.event?.data.code ?? event.type)).toEqual([
    'sync',
    'STREAM_ACCESS_DENIED',
  ]);
  for (const [path, status] of Object.entries({ 'a/1?authToken=bad': 401, 'a?x=b': 403, 'b?x=b': 200 })) {
    const answer = await fetch(`${gateway.url}/__motia/streams/chat/${path}`);
    expect([path, answer.status]).toEqual([path, status]);
    await answer.body?.cancel();
  }
  using second = await connectRaw(gateway.url).catch(async () => connectRaw(gateway.url)); // the last place may not be free yet
  expect(second.socket.readyState).toBe(WebSocket.OPEN);
  expect(await refusal(`${gateway.url}/third`)).toMatchObject({ status: 503, text: 'Too many clients' });
});

test('a group that is too large is refused, its items are not', async () => {
  await using gateway = await startStreamGateway(harness, { limits: { groupSize: 1_000 } });
  await gateway.store.set('chat', 'g', '1', { text: 'x'.repeat(1_200) });
  using client = await connectRaw(gateway.url);
  client.join(chat('g'));
  client.join(chat('g', '1'));
  await client.waitFor(2);
  expect(told(client.frames[0] as Frame)[3]).toMatchObject({ code: 'STREAM_GROUP_TOO_LARGE' });
  expect(client.frames[1]?.event.type).toBe('sync');
});

test('SSE: frames with their positions as ids, and on from the last one', async () => {
  await using gateway = await startStreamGateway(harness, { limits: { pingMs: 50 } });
  const { store } = gateway;
  await store.set('chat', 'a/b c', '1', { text: 'line\nbreak' });
  const url = `${gateway.url}/__motia/streams/chat/a%2Fb%20c`;
  using first = await openSse(url);
  const [sync] = await first.events(1);
  expect(first.response.headers).toMatchObject({
    'content-type': 'text/event-stream',
    'access-control-allow-origin': '*',
  });
  expect(sync?.frame).toMatchObject({ groupId: 'a/b c', event: { type: 'sync', data: [{ text: 'line\nbreak' }] } });
  expect(sync?.frame.position).toBe(sync?.id);
  await store.set('chat', 'a/b c', '2', { n: 2 });
  await first.events(2);
  await waitFor(() => first.text().includes('\n:\n'), { what: 'a sign of life' });
  first[Symbol.dispose]();
  await store.send('chat', 'a/b c', '1', { type: 'hello', data: 1 });
  using second = await openSse(`${url}/1`, { 'last-event-id': sync?.id ?? '' });
  expect((await second.events(2)).map(({ frame }) => frame.event)).toMatchObject([
    { type: 'resumed' },
    { type: 'event', event: { type: 'hello', data: 1 } },
  ]);
  expect((await fetch(`${gateway.url}/__motia/streams/none/g`)).status).toBe(404);
  const preflight = await fetch(url, {
    method: 'OPTIONS',
    headers: { 'access-control-request-headers': 'authorization' },
  });
  expect(preflight.headers.get('access-control-allow-headers')).toBe('authorization');
  second[Symbol.dispose]();
  await waitFor(async () => (await gateway.consumers()) === 0, { what: 'the end of what was followed' });
});

/** The refusal of an upgrade. */
async function refusal(url: string): Promise<{ status: number | undefined; type: string | undefined; text: string }> {
  const socket = new WebSocket(url.replace('http', 'ws'));
  socket.on('error', () => {});
  const [, response] = (await once(socket, 'unexpected-response')) as [ClientRequest, IncomingMessage];
  let text = '';
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode, type: response.headers['content-type'], text };
}

interface SseEvent {
  id: string;
  frame: Frame;
}

async function openSse(url: string, headers: Record<string, string> = {}) {
  const request = get(url, { headers });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let text = '';
  response.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  response.on('error', () => {});
  return {
    response,
    text: () => text,
    events: (count: number): Promise<SseEvent[]> =>
      waitFor(
        () => {
          const found = [...text.matchAll(/^id: (.*)\ndata: (.*)\n\n/gm)];
          return found.length < count
            ? undefined
            : found.map(([, id = '', data = '']) => ({ id, frame: JSON.parse(data) }));
        },
        { what: `${count} events`, within: 15_000 },
      ),
    [Symbol.dispose]: () => request.destroy(),
  };
}
