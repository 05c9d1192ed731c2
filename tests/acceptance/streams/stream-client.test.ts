/** The stream client in Node, with gateways that come and go. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Stream } from '../../../stream-client/src/node.ts';
import type { RunningCli } from '../../helpers/cli.ts';
import { createProject } from '../../helpers/project.ts';
import { changeUntil, type StreamApp, startStreamApp } from '../../helpers/stream-app.ts';
import { eventually } from '../../helpers/wait-for.ts';
import { guardedFiles } from './guarded.ts';
import { startProxy } from './proxy.ts';

type Item = { id: string; n: number };

let app: StreamApp;
/** Stays until the end. */
let gateway: RunningCli;
beforeAll(async () => {
  app = await startStreamApp(guardedFiles({ python: false }));
  gateway = await app.startGateway();
});
afterAll(() => app[Symbol.asyncDispose]());

test('a program of its own, which imports the package by its name, sees items, groups, their order and events', async () => {
  const { store } = app;
  await store.set('board', 'g', 'a', { n: 10 });
  await store.set('board', 'g', 'b', { n: 9 });
  await using project = await createProject({
    packages: { 'motia-stream-client': '../stream-client' },
    files: { 'package.json': '{ "type": "module" }', 'follow.js': FOLLOW },
  });
  const program = spawn(process.execPath, [project.path('follow.js'), ...app.addresses(gateway)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    const lines = createInterface(program.stdout)[Symbol.asyncIterator]();
    const next = async () => JSON.parse((await lines.next()).value);
    const one = { id: 'a', n: 10 };
    const other = { id: 'b', n: 9 };
    expect([await next(), await next(), await next()]).toMatchObject([
      { group: [one, other] },
      { sorted: [other, one] },
      { item: one },
    ]);
    await store.set('board', 'g', 'a', { n: 8 });
    expect([await next(), await next(), await next()]).toMatchObject([
      { group: [{ n: 8 }, other] },
      { sorted: [{ n: 8 }, other] },
      { item: { n: 8 } },
    ]);
    await store.send('board', 'g', 'a', { type: 'typing', data: 'you' });
    expect(await next()).toEqual({ typing: 'you' });
    await store.delete('board', 'g', 'a');
    expect([await next(), await next(), await next()]).toMatchObject([
      { group: [other] },
      { sorted: [other] },
      { item: null },
    ]);
    program.stdin.end(); // its sign to close
    expect(await once(program, 'exit')).toEqual([0, null]);
  } finally {
    program.kill('SIGKILL');
  }
});

test('what may not be followed is an error event of that subscription; the others go on', async () => {
  const stream = new Stream(app.addresses(gateway));
  const codes: string[] = [];
  for (const refused of [stream.subscribeGroup('secret', 'g'), stream.subscribeItem('secret', 'h', 'a')])
    refused.onEvent('error', ({ code }) => codes.push(code));
  const group = stream.subscribeGroup<Item>('board', 'allowed');
  try {
    await app.store.set('board', 'allowed', 'a', { n: 1 });
    await eventually(() => codes.length === 2 && group.getState().length === 1);
    expect(codes).toEqual(['STREAM_ACCESS_DENIED', 'STREAM_ACCESS_DENIED']);
  } finally {
    stream.close();
  }
});

test('a group that is denied and one of its items that is not, with a token in the query or as a subprotocol', async () => {
  // The first has characters that a subprotocol may not have.
  for (const me of ['m é/=@', 'me.me']) {
    await using proxy = await startProxy(gateway.url);
    await app.store.set('room.ts', 'yours', me, { n: 1 });
    await app.store.set('room.ts', me, 'any', { n: 1 });
    const stream = new Stream(proxy.url, { authToken: me, backoff: { first: 50 } });
    const group = stream.subscribeGroup<Item>('room.ts', 'yours');
    const item = stream.subscribeItem<Item>('room.ts', 'yours', me);
    const own = stream.subscribeGroup<Item>('room.ts', me);
    const codes: unknown[] = [];
    group.onEvent('error', ({ code }) => codes.push(code));
    for (const each of [item, own]) each.onEvent('error', (data) => codes.push(data));
    const nudges: number[] = [];
    item.onEvent('nudge', (n) => nudges.push(n));
    try {
      await eventually(() => item.getState()?.n === 1 && own.getState().length === 1, 'the item');
      const late = stream.subscribeItem<Item>('room.ts', 'yours', me);
      await eventually(() => late.getState()?.n === 1, 'the same item, asked for later');
      proxy.drop();
      await eventually(() => codes.length === 2, 'the group to be denied once more');
      await app.store.set('room.ts', 'yours', me, { n: 2 });
      await app.store.send('room.ts', 'yours', me, { type: 'nudge', data: 3 });
      await eventually(() => item.getState()?.n === 2 && late.getState()?.n === 2 && nudges.length > 0, 'a change');
      expect([codes, nudges]).toEqual([['STREAM_ACCESS_DENIED', 'STREAM_ACCESS_DENIED'], [3]]);
      expect(group.getState()).toEqual([]);
    } finally {
      stream.close();
    }
  }
});

test('refused by streamAuth: it asks for a token each time, and follows when one is taken', async () => {
  const tokens = ['stranger', 'stranger é'];
  await app.store.set('room.ts', 'me', 'a', { n: 1 });
  const stream = new Stream(app.addresses(gateway), {
    authToken: () => tokens.shift() ?? 'me',
    backoff: { first: 50 },
  });
  const states: string[] = [];
  stream.addConnectionListener((state) => states.push(state));
  const group = stream.subscribeGroup<Item>('room.ts', 'me');
  try {
    await eventually(() => group.getState().length === 1, 'the group');
    expect(states).toEqual(['open']);
    const refusals = app.worker.logs(({ msg }) => msg.startsWith('streamAuth refused a client'));
    expect(refusals.map(({ msg }) => msg.includes('stranger'))).toEqual([true, true]);
    expect(gateway.logs({ level: 'error' })).toEqual([]);
  } finally {
    stream.close();
  }
});

test('gateways that are lost or ended under a stream of changes cost none, and double none', async () => {
  const { store } = app;
  const [first, second] = await Promise.all([app.startGateway(), app.startGateway()]);
  const stream = new Stream(app.addresses(first, second, gateway), { backoff: { first: 50 } });
  const group = stream.subscribeGroup<Item>('board', 'busy');
  const item = stream.subscribeItem<Item>('board', 'busy', 'i1');
  const alone = stream.subscribeItem<Item>('board', 'lone', 'i1');
  const events = { group: [] as number[], item: [] as number[], alone: [] as number[] };
  group.onEvent('nudge', (n) => events.group.push(n));
  item.onEvent('nudge', (n) => events.item.push(n));
  alone.onEvent('nudge', (n) => events.alone.push(n));
  const seen: number[] = [];
  alone.addChangeListener((state) => state && seen.push(state.n));
  let opened = 0;
  stream.addConnectionListener((state) => (opened += state === 'open' ? 1 : 0));
  try {
    await store.set('board', 'lone', 'i1', { n: 0 });
    await eventually(() => alone.getState() && opened === 1);
    const changes = changeUntil(store, ['busy', 'lone'], () => opened === 3);
    await eventually(() => events.group.length > 20);
    await first.stop('SIGKILL');
    await eventually(() => opened === 2);
    const before = events.group.length;
    await eventually(() => events.group.length > before + 20);
    await second.stop();
    const count = await changes;
    const numbers = Array.from({ length: count }, (_, n) => n);
    await eventually(() => [events.group, events.item, events.alone].every(({ length }) => length >= count));
    expect(events).toEqual({ group: numbers, item: numbers, alone: numbers });
    expect(seen).toEqual([...new Set(seen)].sort((one, other) => one - other));
    const stored = (await store.getGroup('board', 'busy')).map(({ __motia: _, ...data }) => data);
    await eventually(() => alone.getState()?.n === count);
    expect(group.getState()).toEqual(stored);
    expect(item.getState()).toEqual(stored.find(({ id }) => id === 'i1') ?? null);
  } finally {
    stream.close();
  }
});

/** What users of the clients of Motia 0.17 have written, but for the name of the package. */
const FOLLOW = `
import { Stream } from 'motia-stream-client/node';
const stream = new Stream(process.argv[2]);
const print = (name) => (value) => console.log(JSON.stringify({ [name]: value }));
stream.subscribeGroup('board', 'g').addChangeListener(print('group'));
stream.subscribeGroup('board', 'g', 'n').addChangeListener(print('sorted'));
const item = stream.subscribeItem('board', 'g', 'a');
item.addChangeListener(print('item'));
item.onEvent('typing', print('typing'));
process.stdin.on('end', () => stream.close()).resume();
`;
