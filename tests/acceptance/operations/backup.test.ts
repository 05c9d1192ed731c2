/** `motia backup` and `motia restore`, around the loss of all that the broker has. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BlobStore } from '../../../shared/broker/blobs.ts';
import { type Broker, connectBroker } from '../../../shared/broker/connect.ts';
import { DeadLetterAdmin } from '../../../shared/broker/dead-letter-admin.ts';
import { EventStore } from '../../../shared/broker/events.ts';
import { readEntry, writeEntry } from '../../../shared/broker/key-value.ts';
import { StateStore } from '../../../shared/broker/state.ts';
import { StreamStore } from '../../../shared/broker/streams.ts';
import { ensureTopology } from '../../../shared/broker/topology.ts';
import { createNames } from '../../../shared/protocol/subjects.ts';
import { type NatsServer, startNatsServer } from '../../../testing/nats-server.ts';
import { startCli } from '../../helpers/cli.ts';
import { createProject, type Project } from '../../helpers/project.ts';

const names = createNames('kept');
const MESSAGE_LIMIT = 1024 ** 2;
const LARGE = 'ä'.repeat(MESSAGE_LIMIT);
const LONG = 'a name that no key has room for, '.repeat(20);
const PRECISE = '{"id":12345678901234567890}';

let server: NatsServer;
let broker: Broker;
let project: Project;
beforeAll(async () => {
  server = await startNatsServer({ maxPayload: MESSAGE_LIMIT });
  project = await createProject({ files: { 'package.json': '{ "name": "kept", "type": "module" }' } });
  broker = await connectBroker({ servers: server.url }, { name: 'test' });
  await ensureTopology(broker, names);
});
afterAll(async () => {
  await broker?.close();
  await server?.stop();
});

async function motia(command: 'backup' | 'restore', ...args: string[]) {
  const ran = await startCli(command, project, { args, env: { NATS_URL: server.url }, ready: false });
  return { code: await ran.exited, output: ran.output() };
}

/** The broker comes back with nothing, as after the loss of its disk. */
async function loseEverything() {
  await broker.close();
  await server.kill('SIGKILL');
  await rm(server.storeDir, { recursive: true });
  await server.restart();
  broker = await connectBroker({ servers: server.url }, { name: 'test' });
}

/** What people would miss. */
async function contents() {
  const [state, streams, letters] = [
    new StateStore(broker, names),
    new StreamStore(broker, names),
    new DeadLetterAdmin(broker, names),
  ];
  const { items: groups } = await state.listGroups();
  const pages = await Promise.all(groups.map(async ({ group }) => (await state.getGroupPage(group)).items));
  const entries = pages.flatMap((items, at) =>
    items.map(({ revision: _, ...entry }) => ({ group: groups[at]?.group, ...entry })),
  );
  const { deadLetters } = await letters.list();
  const shown = await Promise.all(deadLetters.map(({ id }) => letters.show(id)));
  return {
    state: entries.sort((a, b) => `${a.group} ${a.key}`.localeCompare(`${b.group} ${b.key}`)),
    items: [...(await streams.getGroup('chat', 'room: 1')), ...(await streams.getGroup('chat', LONG))],
    letters: shown.map(({ id: _, ...letter }) => letter),
  };
}

test('what is lost comes back as it was: odd names, falsy and large values, times, items, dead letters', async () => {
  const state = new StateStore(broker, names);
  for (const [key, value] of Object.entries({ zero: 0, no: false, empty: '', nothing: null, list: [1, { a: 'ü' }] })) {
    await state.set('falsy', key, value);
  }
  await state.set('a.b:c *>', '', 'odd');
  await state.set(LONG, LONG, 'long');
  await state.set('large', 'one', LARGE);
  await state.set('limited', 'session', 'soon gone', { ttl: 600 });
  await state.set('limited', 'second', 'gone before', { ttl: 1 });
  await writeEntry(broker, names.buckets.state, names.stateKey('python', 'precise'), PRECISE);
  const streams = new StreamStore(broker, names);
  for (const id of ['1', '2', '3']) await streams.set('chat', 'room: 1', id, { text: `number ${id}` });
  await streams.update('chat', 'room: 1', '1', (item) => ({ ...(item as object), text: 'edited' }));
  await streams.set('chat', LONG, '1', { text: LARGE });
  await streams.delete('chat', 'room: 1', '3');
  const events = new EventStore(broker, names);
  const event = { topic: 'order made', attempt: 4, emittedAt: 1_767_225_600_000, traceparent: '', group: 'g' };
  const reason = { step: 'Ship it', durable: 'x=_y', error: '{"name":"Error","message":"größer"}' };
  await events.bury({ ...event, id: 'small' }, Buffer.from('{"n":1}'), reason);
  const blob = await new BlobStore(broker, names.buckets.payloads).put(Buffer.from(JSON.stringify(LARGE)));
  await events.bury({ ...event, id: 'large', blob }, Buffer.alloc(0), reason);

  const saved = await motia('backup', 'saved.gz');
  expect(saved).toEqual({ code: 0, output: expect.stringMatching(/saved\.gz has 1[01] values of state, 3 items/) });
  expect(saved.output).toContain('and 2 dead letters');
  expect(statSync(join(project.root, 'saved.gz')).mode & 0o077, 'others may not read it').toBe(0);
  await expect.poll(() => state.get('limited', 'second'), { timeout: 10_000 }).toBeNull();
  const before = await contents();
  expect(before.state.length).toBe(10);

  await loseEverything();
  const back = await motia('restore', 'saved.gz');
  expect(back.output).toMatch(/Restored 10 values of state, 3 items of streams and 2 dead letters/);
  expect(back.code).toBe(0);
  expect(await contents()).toEqual(before);
  const precise = await readEntry(broker, names.buckets.state, names.stateKey('python', 'precise'));
  expect(Buffer.from(precise?.data ?? []).toString()).toBe(PRECISE);
  const again = await motia('backup', 'again.gz', '--json');
  expect(JSON.parse(again.output).counts).toEqual({ state: 10, item: 3, 'dead-letter': 2 });
});

test('what is there stays, unless it is to be replaced; a second time changes nothing', async () => {
  const state = new StateStore(broker, names);
  await state.set('falsy', 'zero', 'newer');
  const kept = await motia('restore', 'again.gz');
  expect(kept.output).toMatch(/Restored 0 values/);
  expect(kept.output).toMatch(/Left alone 10 values of state, 3 items of streams and 2 dead letters/);
  expect(await state.get('falsy', 'zero')).toBe('newer');
  const replaced = await motia('restore', 'again.gz', '--replace', '--json');
  expect(JSON.parse(replaced.output)).toMatchObject({
    app: 'kept',
    restored: { state: 10, item: 3, 'dead-letter': 0 },
  });
  expect(await state.get('falsy', 'zero')).toBe(0);
});

test('a file that is not whole is refused before anything is touched, and a backup that fails leaves none', async () => {
  const path = join(project.root, 'again.gz');
  await writeFile(join(project.root, 'cut.gz'), (await readFile(path)).subarray(0, -100));
  await new StateStore(broker, names).set('falsy', 'zero', 'untouched');
  const refusals = [
    ['cut.gz', 'cut.gz cannot be restored'],
    ['package.json', 'package.json cannot be restored'],
    ['missing.gz', 'there is no such file'],
  ] as const;
  for (const [file, message] of refusals) {
    const refused = await motia('restore', file, '--replace');
    expect(refused.code, file).toBe(1);
    expect(refused.output, file).toContain(message);
  }
  expect(await new StateStore(broker, names).get('falsy', 'zero')).toBe('untouched');

  const failed = await motia('backup', 'no/such/folder.gz');
  expect(failed.code).toBe(1);
  expect(existsSync(join(project.root, 'no'))).toBe(false);
  expect(readdirSync(project.root).filter((name) => name.endsWith('.partial'))).toEqual([]);
});
