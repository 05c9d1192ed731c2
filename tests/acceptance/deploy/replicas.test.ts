/** An app as it runs in production on a cluster of three broker servers: MOTIA_REPLICAS=3, in both languages. */
import { expect, test } from 'vitest';
import { startCli } from '../../helpers/cli.ts';
import { startNatsCluster } from '../../helpers/nats-cluster.ts';
import { createProject } from '../../helpers/project.ts';
import { pythonEnvironment } from '../../helpers/python.ts';
import { eventually } from '../../helpers/wait-for.ts';

const FILES = {
  'package.json': '{"name":"replicated","type":"module"}',
  'src/order.step.ts': `
export const config = { type: 'api', name: 'Order', method: 'POST', path: '/orders/:id', emits: ['ordered'] };
export const handler = async ({ pathParams: { id } }, { state, emit }) => {
  await state.set('orders', id, { by: 'node' });
  await emit({ topic: 'ordered', data: { id } });
  return { status: 200, body: await state.get('orders', id) };
};
`,
  'src/look.step.ts': `
export const config = { type: 'api', name: 'Look', method: 'GET', path: '/orders/:id', emits: [] };
export const handler = async ({ pathParams: { id } }, { state }) => ({ status: 200, body: await state.get('orders', id) });
`,
  'src/pack_step.py': `
config = {"name": "Pack", "type": "event", "subscribes": ["ordered"], "emits": []}
async def handler(input, context):
    order = await context.state.get("orders", input["id"])
    await context.state.set("orders", input["id"], {**order, "packed": "python"})
`,
};

test('goes on when a server is killed, and loses nothing', async (context) => {
  const python = await pythonEnvironment(context);
  await using cluster = await startNatsCluster();
  await using project = await createProject({ files: FILES });
  const env = { ...python, NATS_URL: cluster.url, MOTIA_REPLICAS: '3', MOTIA_METRICS_PORT: '0' };
  const provision = await startCli('provision', project, { env, ready: false });
  expect(await provision.exited, provision.output()).toBe(0);
  const roles = await Promise.all(
    (['gateway', 'worker', 'python-worker'] as const).map((role) => startCli(role, project, { env })),
  );
  const [gateway] = roles;
  const call = async (id: string, method = 'GET') => {
    const answer = (await gateway?.fetch(`/orders/${id}`, { method })) as Response;
    return { status: answer.status, body: (await answer.json()) as { by?: string; packed?: string } };
  };
  const made = (id: string) =>
    eventually(async () => {
      const { status, body } = await call(id, 'POST');
      return status === 200 && body.by === 'node';
    }, `order ${id}`);
  const packed = (id: string) =>
    eventually(async () => (await call(id)).body.packed === 'python', `order ${id} packed`);

  await made('1');
  await packed('1');
  await cluster.servers[0]?.kill('SIGKILL');
  await made('2');
  await packed('2');
  await packed('1');
  await Promise.all(roles.map((role) => role.stop()));
});
