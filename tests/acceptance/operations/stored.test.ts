/** `motia state`, and state and realtime streams in the admin API. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Broker, connectBroker } from '../../../shared/broker/connect.ts';
import { StateStore } from '../../../shared/broker/state.ts';
import { encodeToken } from '../../../shared/protocol/encoding.ts';
import { createNames } from '../../../shared/protocol/subjects.ts';
import { type NatsServer, startNatsServer } from '../../../testing/nats-server.ts';
import { type RunningCli, startCli } from '../../helpers/cli.ts';
import { send } from '../../helpers/http.ts';
import { createProject, type Project } from '../../helpers/project.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const files = {
  'package.json': '{ "name": "stored", "type": "module" }',
  'src/chat.stream.ts': `
    export const config = { name: 'chat', schema: { type: 'object', properties: { text: { type: 'string' } } },
      baseConfig: { storageType: 'default' }, canAccess: () => true };`,
  'src/plain.stream.ts': `
    export const config = { name: 'plain', schema: { type: 'object' }, baseConfig: { storageType: 'default' } };`,
};
const names = createNames('stored');
const ODD = ['', '.', '..', 'a/b c', '=', '=2E', '漢字 *>', 'x'.repeat(300), '%2F?#'];

let server: NatsServer;
let project: Project;
let cli: RunningCli;
let broker: Broker;
let state: StateStore;
beforeAll(async () => {
  server = await startNatsServer();
  project = await createProject({ files });
  cli = await startCli('dev', project, { env: { NATS_URL: server.url } });
  broker = await connectBroker({ servers: server.url }, { name: 'test' });
  state = new StateStore(broker, names);
});
afterAll(async () => {
  await broker?.close();
  await server.stop();
});

const command = async (args: string[], input?: string) => {
  const env = { NATS_URL: server.url };
  const ran = await startCli('state', project, { args, env, ready: false, ...(input !== undefined && { input }) });
  return { code: await ran.exited, output: ran.output() };
};
const admin = async (path: string, method = 'GET', body?: unknown) => {
  const response = await send(`${cli.url}/__motia/api/v1${path}`, {
    method,
    headers: { 'x-motia-request': '1' },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: response.status, body: response.body.length > 0 ? response.json() : undefined };
};
/** A name as a part of a path. */
const part = (name: string): string => {
  if (!/^(\.{0,2}|=.*)$/.test(name)) return encodeURIComponent(name);
  return encodeToken(name);
};

test('by command: values are set, read, listed and deleted, and refusals have exit codes', async () => {
  expect(await command(['set', 'orders 1', '007', '{"n":[1,null]}'])).toEqual({
    code: 0,
    output: expect.stringMatching(/^"orders 1" 007 is stored at revision \d+\n$/),
  });
  expect(await command(['get', 'orders 1', '007'])).toEqual({
    code: 0,
    output: `${JSON.stringify({ n: [1, null] }, null, 2)}\n`,
  });
  const set = await command(['set', 'orders 1', '', '-', '--ttl', '3600', '--json'], ' "from the input" ');
  const { revision } = JSON.parse(set.output) as { revision: number };
  const got = await command(['get', 'orders 1', '', '--json']);
  const entry = { value: 'from the input', revision, expiresAt: expect.any(Number) };
  expect(JSON.parse(got.output)).toEqual(entry);

  expect((await command(['set', 'orders 1', '--key=-x', '--value=-1'])).code).toBe(0);
  expect((await command(['get', 'orders 1', '--key=-x'])).output).toBe('-1\n');
  expect((await command(['delete', 'orders 1', '--key=-x'])).code).toBe(0);
  const stale = await command(['set', 'orders 1', '', '1', '--if-revision', String(revision - 1)]);
  expect(stale).toEqual({ code: 1, output: expect.stringContaining(`it is at revision ${revision}`) });
  expect((await command(['set', 'orders 1', '', '1', '--if-revision', String(revision)])).code).toBe(0);
  expect((await command(['set', 'orders 1', 'k', '1', '--if-revision', '0'])).code).toBe(0);

  const first = await command(['list', 'orders 1', '--limit', '1']);
  expect(first.output).toMatch(/^KEY +REVISION +EXPIRES +VALUE\n007 +\d+ +- +\{"n":\[1,null\]\}\nThere may be more: /);
  const after = /motia state list "orders 1" --after (\d+)\n$/.exec(first.output)?.[1] ?? '';
  const rest = await command(['list', 'orders 1', '--after', after, '--json']);
  expect(JSON.parse(rest.output)).toMatchObject({
    items: [
      { key: '', value: 1 },
      { key: 'k', value: 1 },
    ],
  });
  expect(await command(['delete', 'orders 1', 'k'])).toEqual({ code: 0, output: '"orders 1" k is deleted\n' });
  expect((await command(['list'])).output).toMatch(/^GROUP +KEYS\n(.*\n)?"orders 1" +2\n/);

  const missing = { code: 1, output: expect.stringContaining('state has nothing under') };
  const actions = ['get', 'delete'].map((action) => command([action, 'orders 1', 'k']));
  expect(await Promise.all(actions)).toEqual([missing, missing]);
  expect(await command(['clear', 'orders 1'])).toEqual({ code: 2, output: expect.stringContaining('--yes') });
  expect((await command(['get', 'orders 1', '007'])).code).toBe(0);
  expect(await command(['clear', 'orders 1', '--yes'])).toEqual({ code: 0, output: '"orders 1" is cleared\n' });
  expect((await command(['get', 'orders 1', '007'])).code).toBe(1);
  const gone = { code: 1, output: expect.stringContaining('state has no group "orders 1"') };
  expect(await command(['clear', 'orders 1', '--yes'])).toEqual(gone);
  const wrong = [
    ['clear', '-y'],
    ['clear', 'g', 'k', '-y'],
    ['get', 'g'],
    ['set', 'g', 'k'],
    ['set', 'g', 'k', '{'],
    ['forget'],
    ['list', '--limit'],
  ];
  expect(await Promise.all(wrong.map(async (args) => (await command(args)).code))).toEqual(wrong.map(() => 2));
  expect((await command(['set', 'g', 'k', '1', '--ttl', '0.5'])).code).toBe(1);
}, 60_000);

test('by the admin API: any group and any key, one at a time and in pages', async () => {
  for (const group of ODD) {
    for (const key of ODD) {
      const path = `/state/groups/${part(group)}/items/${part(key)}`;
      expect(await admin(path, 'PUT', { group, key }), path).toEqual({
        status: 200,
        body: { revision: expect.any(Number) },
      });
      expect((await admin(path)).body.value).toEqual({ group, key });
      expect(await state.get(group, key)).toEqual({ group, key });
    }
    const path = `/state/groups/${part(group)}/items`;
    const keys: string[] = [];
    for (let after = ''; ; ) {
      const { body } = await admin(`${path}?limit=4${after}`);
      keys.push(...body.items.map(({ key }: { key: string }) => key));
      if (body.next === undefined) break;
      after = `&after=${body.next}`;
    }
    expect(keys).toEqual(ODD);
  }
  const { body: groups } = await admin('/state/groups?limit=1000');
  for (const group of ODD) expect(groups.items).toContainEqual({ group, keys: ODD.length });
  const { body: few } = await admin('/state/groups?limit=2');
  const { body: more } = await admin(`/state/groups?limit=1000&after=${few.next}`);
  expect([...few.items, ...more.items]).toEqual(groups.items);
});

test('by the admin API: revisions, ttl, deletion, and a line in the log for each change', async () => {
  const path = '/state/groups/g/items/k';
  const { body: first } = await admin(`${path}?ifRevision=0&ttl=3600`, 'PUT', 1);
  expect(await admin(path)).toEqual({
    status: 200,
    body: { value: 1, revision: first.revision, expiresAt: expect.any(Number) },
  });
  expect(await admin(`${path}?ifRevision=0`, 'PUT', 2)).toEqual({
    status: 409,
    body: { error: expect.any(String), revision: first.revision },
  });
  expect(await admin(`${path}?ifRevision=${first.revision}`, 'PUT', null)).toMatchObject({ status: 200 });
  expect((await admin(path)).body).toEqual({ value: null, revision: expect.any(Number) });
  expect(await admin(path, 'DELETE')).toEqual({ status: 204, body: undefined });
  for (const method of ['GET', 'DELETE']) expect((await admin(path, method)).status).toBe(404);
  for (const key of ['k', 'l']) expect((await admin(`/state/groups/g.1/items/${key}`, 'PUT', 1)).status).toBe(200);
  expect((await admin('/state/groups/g.2/items/k', 'PUT', 1)).status).toBe(200);
  expect(await admin('/state/groups/g.1', 'DELETE')).toEqual({ status: 204, body: undefined });
  expect((await admin('/state/groups/g.1/items')).body).toEqual({ items: [] });
  expect((await admin('/state/groups/g.1', 'DELETE')).status).toBe(404);
  expect((await admin('/state/groups/g.2/items/k')).status).toBe(200);
  expect(await cli.waitForLog({ action: 'admin_change', method: 'DELETE' })).toMatchObject({
    path: `/__motia/api/v1${path}`,
    status: 204,
    actor: 'local',
    address: expect.stringContaining('127.0.0.1'),
  });
  const invalid = { status: 400, body: { error: expect.any(String) } };
  for (const query of ['ttl=0', 'ttl=x', 'ifRevision=-1', 'ttl=1&ttl=2']) {
    expect(await admin(`${path}?${query}`, 'PUT', 1), query).toMatchObject(invalid);
  }
  expect(await admin(path, 'PUT', '{')).toMatchObject(invalid);
  expect(await admin(path, 'PUT', '')).toMatchObject(invalid);
  for (const wrong of ['/state/groups?limit=0', '/state/groups/g/items?after=x', '/state/groups/=x/items']) {
    expect(await admin(wrong), wrong).toMatchObject(invalid);
  }
  expect((await admin(path, 'PUT', `"${'x'.repeat(11 * 1024 ** 2)}"`)).status).toBe(413);
  expect(cli.logs({ action: 'admin_change', status: 400 })).toEqual([]);
  expect(await state.get('g', 'k')).toBeNull();
});

test('realtime streams: which there are, their groups and items, and events', async () => {
  const schema = { type: 'object', properties: { text: { type: 'string' } } };
  expect(await admin('/streams')).toMatchObject({
    status: 200,
    body: [
      { name: 'chat', language: 'node', file: 'src/chat.stream.ts', guarded: true, schema },
      { name: 'plain', language: 'node', file: 'src/plain.stream.ts', guarded: false },
    ],
  });
  for (const group of ODD) {
    const path = `/streams/chat/groups/${part(group)}/items`;
    const item = { status: 200, body: { text: group, id: 'a/b', __motia: { streamName: 'chat', groupId: group } } };
    expect(await admin(`${path}/a%2Fb`, 'PUT', { text: group })).toMatchObject(item);
    expect(await admin(`${path}/a%2Fb`)).toMatchObject(item);
    await admin(`${path}/b`, 'PUT', {});
    const { body: first } = await admin(`${path}?limit=1`);
    expect(first.items.map(({ id }: { id: string }) => id)).toEqual(['a/b']);
    const { body: rest } = await admin(`${path}?after=${first.next}`);
    expect(rest.items.map(({ id }: { id: string }) => id)).toEqual(['b']);
    expect(await admin(`${path}/b`, 'DELETE')).toMatchObject({ status: 204 });
    for (const method of ['GET', 'DELETE']) expect((await admin(`${path}/b`, method)).status).toBe(404);
  }
  const { body } = await admin('/streams/chat/groups');
  expect(body.items.map(({ group }: { group: string }) => group).sort()).toEqual([...ODD].sort());
  expect(await admin('/streams/plain/groups')).toEqual({ status: 200, body: { items: [] } });

  const sent = new Map<string, unknown>();
  const subscription = broker.nc.subscribe(names.sent, {
    callback: (_, msg) => void sent.set(msg.subject, msg.json()),
  });
  await broker.nc.flush();
  const event = { type: 'typing', data: { by: 'me' } };
  expect(await admin('/streams/chat/groups/g/events', 'POST', event)).toMatchObject({ status: 202 });
  expect(await admin('/streams/chat/groups/g/items/1/events', 'POST', event)).toMatchObject({ status: 202 });
  await waitFor(() => sent.size === 2);
  expect(sent).toEqual(
    new Map([
      [names.sentToGroup('chat', 'g'), event],
      [names.sentToItem('chat', 'g', '1'), event],
    ]),
  );
  subscription.unsubscribe();

  for (const wrong of [null, [], 'x', {}, { type: 1 }]) {
    expect((await admin('/streams/chat/groups/g/events', 'POST', wrong)).status).toBe(400);
  }
  expect((await admin('/streams/chat/groups/g/items/1', 'PUT', [])).status).toBe(400);
  for (const path of ['', '/g/items', '/g/items/1']) {
    expect(await admin(`/streams/other/groups${path}`)).toMatchObject({
      status: 404,
      body: { error: 'there is no stream "other": there are chat, plain' },
    });
  }
  expect((await admin('/streams/other/groups/g/items/1', 'PUT', {})).status).toBe(404);
});
