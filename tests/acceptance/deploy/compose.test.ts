/** `deploy/docker-compose.yml`: valid, closed to other machines, and its topology serves an app. No container is run here. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { connectBroker } from '../../../shared/broker/connect.ts';
import { publishStored } from '../../../shared/broker/publish.ts';
import { createNames } from '../../../shared/protocol/subjects.ts';
import { composeLoader, loadCompose } from '../../helpers/compose-loader.ts';
import { findHaproxy } from '../../helpers/haproxy.ts';
import { send } from '../../helpers/http.ts';
import { createProject } from '../../helpers/project.ts';
import { pythonEnvironment } from '../../helpers/python.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { type Compose, DEPLOY, environmentOf, mountsOf, readCompose, startProcesses } from './compose-processes.ts';

const files = {
  'package.json': '{ "name": "composed", "type": "module" }',
  'steps/order.step.ts': `
    export const config = { type: 'api', name: 'Order', method: 'POST', path: '/orders', emits: ['order.made'] };
    export const handler = async (req: any, { emit }: any) => {
      await emit({ topic: 'order.made', data: { id: req.body.id } });
      return { status: 202, body: { id: req.body.id } };
    };`,
  'steps/read.step.ts': `
    export const config = { type: 'api', name: 'Read', method: 'GET', path: '/orders/:id', emits: [] };
    export const handler = async (req: any, { state }: any) => {
      const order = await state.get('orders', req.pathParams.id);
      return { status: order ? 200 : 404, body: order ?? {} };
    };`,
  'steps/pack_step.py': `
config = {"type": "event", "name": "Pack", "subscribes": ["order.made"], "emits": []}

async def handler(input, context):
    await context.state.set("orders", input["id"], {"id": input["id"], "packed": True})
`,
  'steps/tick.step.ts': `
    export const config = { type: 'cron', name: 'Tick', cron: '* * * * * *', emits: [] };
    export const handler = async ({ state }: any) => state.update('ticks', 'count', (n: number | null) => (n ?? 0) + 1);`,
};

test('Docker takes it', async (context) => {
  const loader = await composeLoader(context);
  const file = join(DEPLOY, 'docker-compose.yml');
  const loaded = (await loadCompose(loader, file)) as Compose;
  expect(Object.keys(loaded.services).sort()).toEqual(Object.keys(readCompose().services).sort());
  const project = await createProject({
    files: { 'wrong.yml': readFileSync(file, 'utf8').replace('read_only: true', 'read_onyl: true') },
  });
  await expect(loadCompose(loader, project.path('wrong.yml'))).rejects.toThrow('read_onyl');
}, 200_000); // it may have to be built

test('what it mounts is there', () => {
  const { services, secrets, volumes } = readCompose();
  for (const [name, service] of Object.entries(services)) {
    for (const [from] of mountsOf(service)) {
      if (from.startsWith('.')) expect(existsSync(join(DEPLOY, from)), `${name}: ${from}`).toBe(true);
      else expect(volumes, name).toHaveProperty([from]);
    }
    for (const secret of service.secrets ?? []) expect(secrets, name).toHaveProperty([String(secret)]);
  }
});

test('nothing is open to other machines, and no secret is in it', () => {
  const { services, secrets } = readCompose();
  for (const [name, service] of Object.entries(services)) {
    for (const port of service.ports ?? []) expect(port, name).toMatch(/^127\.0\.0\.1:/);
    for (const [key, value] of environmentOf(service)) {
      if (/PASSWORD|TOKEN/.test(key)) expect(value, `${name} ${key}`).toMatch(/^\/run\/secrets\//);
    }
  }
  for (const { file } of Object.values(secrets)) expect(file).toMatch(/^\.\/secrets\//);
});

test('its services as processes serve an app in both languages, and a lost gateway is not noticed', async (context) => {
  const python = await pythonEnvironment(context);
  const haproxy = await findHaproxy();
  context.skip(typeof haproxy === 'string', String(haproxy));
  if (typeof haproxy === 'string') return;
  const { url, secret, roles } = await startProcesses(files, haproxy, python);
  expect(Object.fromEntries(Object.entries(roles).map(([role, list]) => [role, list.length]))).toEqual({
    ...{ gateway: 2, worker: 1, 'python-worker': 1, scheduler: 2 },
  });

  const headers = { 'content-type': 'application/json' };
  const order = (id: string) => send(`${url}/orders`, { method: 'POST', headers, body: JSON.stringify({ id }) });
  const read = async (id: string) => (await send(`${url}/orders/${id}`)).status;
  expect((await order('1')).status).toBe(202);
  await waitFor(async () => (await read('1')) === 200, { what: 'the order that Python packs' });

  const admin = (path: string, token?: string) =>
    send(`${url}/__motia/api/v1${path}`, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
  expect((await admin('/steps')).status).toBe(401);
  const token = secret('admin_token');
  expect((await admin('/steps', token)).status).toBe(200);
  await waitFor(async () => (await admin('/state/groups/ticks/items', token)).body.toString().includes('count'), {
    what: 'ticks of the scheduler that leads',
  });

  const lost = roles.gateway[0];
  const statuses: number[] = [];
  let stopped = false;
  const calling = (async () => {
    for (let n = 0; !stopped; n++) statuses.push((await send(`${url}/orders/1?n=${n}`)).status);
  })();
  await waitFor(() => statuses.length > 50, { what: 'calls' });
  await lost?.stop('SIGKILL');
  const before = statuses.length;
  await waitFor(() => statuses.length > before + 200, { what: 'calls of the other gateway', within: 20_000 });
  stopped = true;
  await calling;
  // What it was answering when it was killed is lost with it: one call at a time is made here.
  expect(statuses.filter((status) => status !== 200).length).toBeLessThanOrEqual(1);
});

test('with a key for each role the app does the same, and no key does the work of another', async (context) => {
  const loader = await composeLoader(context);
  const python = await pythonEnvironment(context);
  const haproxy = await findHaproxy();
  context.skip(typeof haproxy === 'string', String(haproxy));
  if (typeof haproxy === 'string') return;
  const layers = ['docker-compose.yml', 'docker-compose.access.yml'].map((file) => join(DEPLOY, file));
  const compose = (await loadCompose(loader, ...layers)) as Compose;
  for (const [name, service] of Object.entries(compose.services)) {
    if (name !== 'grafana') expect(JSON.stringify(service), name).not.toMatch(/password/i);
    expect(service.healthcheck?.disable, name).not.toBe(true);
  }
  const { url, broker, secret, secretPath, roles } = await startProcesses(files, haproxy, python, compose, 'access');

  const headers = { 'content-type': 'application/json' };
  const order = await send(`${url}/orders`, { method: 'POST', headers, body: '{"id":"1"}' });
  expect(order.status).toBe(202);
  await waitFor(async () => (await send(`${url}/orders/1`)).status === 200, { what: 'the order that Python packs' });
  const ticks = async () => {
    const authorization = `Bearer ${secret('admin_token')}`;
    const { body } = await send(`${url}/__motia/api/v1/state/groups/ticks/items`, { headers: { authorization } });
    return body.toString().includes('count');
  };
  await waitFor(ticks, { what: 'ticks of the scheduler that leads' });
  for (const cli of Object.values(roles).flat()) expect(cli.output()).not.toContain('Permissions Violation');

  const emit = async (user: string) => {
    const nkeyFile = secretPath(`nats/${user}.nk`);
    const client = await connectBroker(
      { servers: `nats://127.0.0.1:${broker}`, nkeyFile, locked: true },
      { name: user },
    );
    const event = createNames('app').event('order.made');
    await publishStored(client, event, '{}', { 'Nats-Msg-Id': user }).finally(() => client.close());
  };
  await emit('worker');
  for (const user of ['python-worker', 'scheduler'])
    await expect(emit(user), user).rejects.toMatchObject({ code: 'BROKER_REFUSED' });
}, 200_000);
