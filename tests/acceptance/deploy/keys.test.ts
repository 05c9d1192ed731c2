/** The Helm chart with a key for each role: what its pods run, as processes, on a cluster of real servers with the configuration that it gives them. */
import { cpSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { expect, type TestContext, test } from 'vitest';
import { stringify } from 'yaml';
import { connectBroker } from '../../../shared/broker/connect.ts';
import { publishStored } from '../../../shared/broker/publish.ts';
import { createNames } from '../../../shared/protocol/subjects.ts';
import { runInBackground } from '../../helpers/background.ts';
import { type Command, startCli } from '../../helpers/cli.ts';
import { freePort } from '../../helpers/free-port.ts';
import { deployTool, find, type Resource, template, type Values } from '../../helpers/helm.ts';
import { createProject, type Project } from '../../helpers/project.ts';
import { pythonEnvironment } from '../../helpers/python.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { writeConfig } from '../access/locked-broker.ts';
import { container, environment, image } from './chart-values.ts';

const SERVERS = [0, 1, 2];
const PARTITIONS = 4;

const values: Values = {
  app: 'keyed',
  image,
  env: { MOTIA_PARTITIONS: PARTITIONS },
  workers: [{ name: 'web', flows: ['web'] }],
  pythonWorkers: [{ name: 'all' }],
  nats: { accessSecret: 'keyed-access' },
};
const emitting = (name: string, ...topics: string[]) => `
export const config = { type: 'api', name: '${name}', method: 'POST', path: '/${name}', emits: ${JSON.stringify(topics)}, flows: ['web'] };
export const handler = async (_, { emit, traceId }) => {
  await emit({ topic: '${topics[0]}', data: { traceId } });
  return { status: 200, body: { traceId } };
};
`;
const files = {
  'package.json': '{ "name": "another-name", "type": "module" }',
  'values.yaml': stringify(values),
  'src/order.step.js': emitting('Order', 'ordered'),
  'src/packed.step.js': `
export const config = { type: 'api', name: 'Packed', method: 'GET', path: '/packed/:id', emits: [], flows: ['web'] };
export const handler = async (req, { state }) => ({ status: 200, body: { packed: await state.get('packed', req.pathParams.id) } });
`,
  'src/tick.step.js': `
export const config = { type: 'cron', name: 'Tick', cron: '* * * * * *', emits: [], flows: ['web'] };
export const handler = async ({ state }) => { await state.set('packed', 'tick', true); };
`,
  'src/pack_step.py': `
config = {"type": "event", "name": "Pack", "subscribes": ["ordered"], "emits": []}

async def handler(input, context):
    await context.state.set("packed", input["traceId"], True)
`,
};

/** Starts the servers and what tells them of a new secret. @returns their addresses, and what changes the secret. */
async function startServers(resources: Resource[], project: Project): Promise<{ url: string; update: () => void }> {
  const { containers } = find(resources, 'StatefulSet', 'x-motia-nats').spec.template.spec;
  const text = find(resources, 'ConfigMap', 'x-motia-nats').data['nats.conf'] as string;
  const script = containers[1].args[0] as string;
  const binary = process.env.MOTIA_NATS_SERVER as string;
  const ports = await Promise.all(
    SERVERS.map(async () => ({ client: await freePort(), http: await freePort(), cluster: await freePort() })),
  );
  const folders = await Promise.all(SERVERS.map((n) => mkdtemp(join(tmpdir(), `motia-keys-${n}-`))));
  const update = () => {
    for (const folder of folders) cpSync(project.path('nats/access.conf'), join(folder, 'access.conf'));
  };
  update();
  for (const [n, { client, http, cluster }] of ports.entries()) {
    const folder = folders[n] as string;
    const here = (said: string) => said.replaceAll('/var/run/nats', folder).replaceAll('/etc/nats', folder);
    const config = here(text)
      .replace(/nats:\/\/x-motia-nats-(\d)\.\S+:6222/g, (_, of) => `nats://127.0.0.1:${ports[of]?.cluster}`)
      .replace('port: 4222', `listen: "127.0.0.1:${client}"`)
      .replace('http_port: 8222', `http: "127.0.0.1:${http}"`)
      .replace('port: 6222', `listen: "127.0.0.1:${cluster}"`)
      .replace('store_dir: /data', `store_dir: "${folder}/data"`);
    writeFileSync(join(folder, 'nats.conf'), config);
    runInBackground('env', [`POD_NAME=n${n}`, binary, '-c', join(folder, 'nats.conf')], folder);
    const path = [dirname(binary), process.env.PATH].join(delimiter);
    runInBackground('env', [`PATH=${path}`, 'sh', '-c', here(script)], folder);
  }
  for (const { http } of ports) {
    const healthy = async () => (await fetch(`http://127.0.0.1:${http}/healthz?js-server-only=true`)).ok;
    await waitFor(healthy, { what: 'a healthy server', within: 30_000 });
  }
  return { url: ports.map(({ client }) => `nats://127.0.0.1:${client}`).join(','), update };
}

test('every pod does its work with its own key, and what a new version may do is read by the servers', async (context: TestContext) => {
  const helm = deployTool(context, 'helm');
  const python = await pythonEnvironment(context);
  const project = await createProject({ files });
  const config = (...more: string[]) => writeConfig(project, '--values', 'values.yaml', ...more);
  expect(await config()).toContain('kubectl create secret generic <name> --from-file=nats');
  const resources = await template(helm, values);
  const { url, update } = await startServers(resources, project);

  const seed = (user: string) => project.path(`nats/${user}.nk`);
  const start = (name: string, ready?: RegExp | false) => {
    const pod = find(resources, 'Deployment', `x-motia-${name}`);
    const own = Object.entries(environment(pod)).flatMap(([key, value]) =>
      typeof value === 'string' ? [[key, value.replace('/etc/motia/access', project.path('nats'))]] : [],
    );
    const local = { ...python, NATS_URL: url, HOME: undefined, MOTIA_METRICS_PORT: 'off' };
    const env = { ...Object.fromEntries(own), ...local };
    const { initContainers } = pod.spec.template.spec;
    const [role, ...args] = (ready === false ? initContainers[0] : container(pod)).args as [Command, ...string[]];
    return startCli(role, project, { args, env, readyWithin: 60_000, ...(ready !== undefined && { ready }) });
  };
  const roles = ['gateway', 'worker-web', 'python-worker-all', 'scheduler'];
  const waiting = await Promise.all(roles.map((name) => start(name, false)));
  const provision = await start('provision', /"action":"ready"/);
  for (const pod of waiting) expect(await pod.exited, pod.output()).toBe(0);
  const pods = await Promise.all(roles.map((name) => start(name)));
  const [gateway] = pods as [(typeof pods)[0]];
  const ordered = await gateway.fetch('/Order', { method: 'POST' });
  const { traceId } = (await ordered.json()) as { traceId: string };
  const isPacked = (id: string) => async () =>
    ((await (await gateway.fetch(`/packed/${id}`)).json()) as { packed: unknown }).packed === true;
  await waitFor(isPacked(traceId), { what: 'the event of the one language, handled by the other' });
  await waitFor(isPacked('tick'), { what: 'a tick' });
  for (const pod of [provision, ...waiting, ...pods]) expect(pod.output()).not.toContain('Permissions Violation');

  const names = createNames('keyed', PARTITIONS);
  const emit = async (user: string, topic: string) => {
    const broker = await connectBroker({ servers: url, nkeyFile: seed(user), locked: true }, { name: user });
    await publishStored(broker, names.event(topic), '{}', { 'Nats-Msg-Id': 'a' }).finally(() => broker.close());
    return true;
  };
  await expect(emit('python-worker-all', 'ordered')).rejects.toMatchObject({ code: 'BROKER_REFUSED' });
  await expect(emit('worker-web', 'refunded')).rejects.toMatchObject({ code: 'BROKER_REFUSED' });
  await project.write('src/refund.step.js', emitting('Refund', 'refunded'));
  await config('--keep');
  update();
  await waitFor(() => emit('worker-web', 'refunded').catch(() => false), {
    what: 'the new permission',
    within: 30_000,
  });
}, 180_000);

test('values that cannot be read, and flags that say the same otherwise, are refused', async () => {
  const project = await createProject({
    files: { 'values.yaml': 'workers: all', 'flows.yaml': 'workers: [{ name: a, flows: [b] }]' },
  });
  const refused = (...args: string[]) => expect(writeConfig(project, ...args)).rejects;
  await refused('--values', 'values.yaml').toThrow(
    /values\.yaml cannot be read as values of the chart: .*\n.*workers/s,
  );
  await refused('--values', 'missing.yaml').toThrow('missing.yaml cannot be read');
  await refused('--values', 'values.yaml', '--values', 'flows.yaml').toThrow('values.yaml cannot be read');
  await refused('--values', 'flows.yaml').toThrow('no flow that this worker could take is named "b"');
  await refused('--values', 'flows.yaml', '--group', 'a=flows:b').toThrow('leave out --group');
});
