/** Health and metrics as those who run an app see them: on the gateway's own port, at a shutdown, with all handlers blocked. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startNatsServer } from '../../../testing/nats-server.ts';
import { type RunningCli, startCli } from '../../helpers/cli.ts';
import { createProject, REPOSITORY } from '../../helpers/project.ts';
import { pythonEnvironment } from '../../helpers/python.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const APP = join(REPOSITORY, 'tests/acceptance/observability/fixtures/mixed');
const TOKEN = 'a-long-enough-token';

const SLOW = `
import { appendFileSync } from 'node:fs';
export const config = { type: 'api', name: 'Slow', method: 'POST', path: '/slow', emits: [] };
export const handler = async (_req, { logger }) => {
  logger.info('slow begins');
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  return { status: 200, body: 'done' };
};`;
const OWN_HEALTH = `
export const config = { type: 'api', name: 'OwnHealth', method: 'GET', path: '/health/live', emits: [] };
export const handler = async () => ({ status: 200, body: 'of the step' });`;
/** Blocks its thread without any work for the processor. */
const BLOCK = `
export const config = { type: 'api', name: 'Block', method: 'POST', path: '/node', emits: [] };
export const handler = async () => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 25_000);
  return { status: 200 };
};`;
const BLOCK_PYTHON = `
import time

config = {"type": "api", "name": "BlockPython", "method": "POST", "path": "/python", "emits": []}


async def handler(req, context):
    time.sleep(25)
    return {"status": 200}
`;

const opsUrl = async (cli: RunningCli) =>
  `http://127.0.0.1:${Number((await cli.waitForLog({ action: 'metrics' })).port)}`;
const statusOf = async (url: string, headers: Record<string, string> = {}) => (await fetch(url, { headers })).status;

test('motia dev tells of all its processes on its own port, to this machine only', async (context) => {
  const python = await pythonEnvironment(context);
  const project = await createProject({ copyOf: APP });
  const cli = await startCli('dev', project, { env: python });
  expect((await cli.fetch('/first/a', { method: 'POST' })).status).toBe(200);
  const roles = async () => {
    const text = await (await cli.fetch('/metrics')).text();
    return [...text.matchAll(/^motia_ready\{app="mixed",role="([a-z-]+)"} 1$/gm)].map(([, role]) => role).sort();
  };
  const all = ['gateway', 'python-worker', 'scheduler', 'worker'];
  await waitFor(async () => (await roles()).join() === all.join(), { what: 'all roles', within: 20_000, every: 100 });
  expect(cli.logs({ action: 'metrics' })).toEqual([]); // no further port
  expect(await statusOf(`${cli.url}/metrics`, { 'x-forwarded-for': '203.0.113.1' })).toBe(403);
  expect(await statusOf(`${cli.url}/health/ready`, { 'x-forwarded-for': '203.0.113.1' })).toBe(200);
});

test('a gateway shows metrics to those with the token, and is not ready from SIGTERM on while it still answers', async () => {
  const project = await createProject({ files: { 'src/slow.step.js': SLOW, 'src/health.step.js': OWN_HEALTH } });
  await using server = await startNatsServer();
  const env = { NATS_URL: server.url, MOTIA_ADMIN_TOKEN: TOKEN, MOTIA_METRICS_PORT: '0' };
  const worker = await startCli('worker', project, { env });
  const gateway = await startCli('gateway', project, { env });
  const closed = await startCli('gateway', project, { env: { NATS_URL: server.url } });

  expect(await statusOf(`${closed.url}/metrics`)).toBe(404);
  expect(await statusOf(`${gateway.url}/metrics`)).toBe(401);
  expect(await statusOf(`${gateway.url}/metrics`, { authorization: `Bearer ${TOKEN}` })).toBe(200);
  expect(await statusOf(`${closed.url}/health/ready`)).toBe(200);
  // A step's own path is the step's; on the other port it is ours.
  expect(await (await gateway.fetch('/health/live')).text()).toContain('of the step');
  const [atGateway, atWorker] = await Promise.all([opsUrl(gateway), opsUrl(worker)]);
  expect(await (await fetch(`${atGateway}/health/live`)).json()).toEqual({ status: 'alive' });

  const slow = gateway.fetch('/slow', { method: 'POST' });
  await worker.waitForLog({ msg: 'slow begins' });
  for (const [cli, url] of [
    [gateway, atGateway],
    [worker, atWorker],
  ] as const) {
    cli.kill('SIGTERM');
    await waitFor(async () => (await statusOf(`${url}/health/ready`)) === 503, { what: 'not ready', every: 5 });
    expect(await statusOf(`${url}/health/live`)).toBe(200);
  }
  const answer = await slow;
  expect([answer.status, await answer.text()]).toEqual([200, 'done']);
  expect([await gateway.exited, await worker.exited]).toEqual([0, 0]);
});

test('motia provision --keep is ready when the broker is, again too', async () => {
  const project = await createProject({ files: { 'src/health.step.js': OWN_HEALTH } });
  await using server = await startNatsServer();
  const env = { NATS_URL: server.url, MOTIA_METRICS_PORT: '0' };
  const provision = await startCli('provision', project, { args: ['--keep'], env, ready: /"action":"metrics"/ });
  const url = await opsUrl(provision);
  const ready = async () => (await fetch(`${url}/health/ready`)).status;
  expect(await statusOf(`${url}/health/live`)).toBe(200);
  await provision.waitForLog({ action: 'ready' });
  expect(await ready()).toBe(200);
  expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/^motia_ready\{app="[^"]+",role="provision"} 1$/m);
  await server.kill('SIGKILL');
  await waitFor(async () => (await ready()) === 503, { what: 'not ready' });
  expect(await statusOf(`${url}/health/live`)).toBe(200);
  await server.restart();
  await waitFor(async () => (await ready()) === 200, { what: 'ready again' });
  expect(await provision.stop()).toBe(0);
});

test('a port that was asked for has to be free, and the usual one may be taken', async () => {
  const project = await createProject({ files: { 'src/health.step.js': OWN_HEALTH } });
  await using server = await startNatsServer();
  const first = await startCli('scheduler', project, { env: { NATS_URL: server.url, MOTIA_METRICS_PORT: '0' } });
  const { port } = new URL(await opsUrl(first));
  const env = { NATS_URL: server.url, MOTIA_METRICS_PORT: port };
  const second = await startCli('scheduler', project, { env, ready: false });
  expect(await second.exited).toBe(1);
  expect(second.output()).toContain(`port ${port} for metrics and health is in use`);
  const usual = { NATS_URL: server.url, MOTIA_METRICS_PORT: undefined };
  const third = await startCli('scheduler', project, { env: usual });
  const fourth = await startCli('scheduler', project, { env: usual });
  expect(fourth.logs({ action: 'metrics_off', level: 'warn' })).toHaveLength(1);
  await Promise.all([third.stop(), fourth.stop()]);
});

test.for(['node', 'python'] as const)(
  'a %s worker whose handlers are all blocked is not ready, and alive',
  async (language, context) => {
    const python = language === 'python' ? await pythonEnvironment(context) : {};
    const files: Record<string, string> =
      language === 'python' ? { 'src/block_step.py': BLOCK_PYTHON } : { 'src/block.step.js': BLOCK };
    const project = await createProject({ files });
    await using server = await startNatsServer();
    const env = { ...python, NATS_URL: server.url, MOTIA_METRICS_PORT: '0', MOTIA_THREADS: '1' };
    if (language === 'python')
      expect(await (await startCli('provision', project, { env, ready: false })).exited).toBe(0);
    const worker = await startCli(language === 'node' ? 'worker' : 'python-worker', project, { env });
    const gateway = await startCli('gateway', project, { env: { NATS_URL: server.url } });
    const url = await opsUrl(worker);
    expect(await statusOf(`${url}/health/ready`)).toBe(200);
    // One more than there are handlers with all their spares.
    for (let n = 0; n < 8; n++) void gateway.fetch(`/${language}`, { method: 'POST' }).catch(() => {});
    const blocked = async () => {
      const text = await (await fetch(`${url}/metrics`)).text();
      return Number(/^motia_handlers\{.*state="blocked".*} ([\d.]+)$/m.exec(text)?.[1]);
    };
    await waitFor(async () => (await blocked()) === 7, { what: 'all to be blocked', within: 22_000, every: 100 });
    const response = await fetch(`${url}/health/ready`);
    expect([response.status, await response.text()]).toEqual([
      503,
      expect.stringMatching(/no handler (thread|process) answers/),
    ]);
    expect(await statusOf(`${url}/health/live`)).toBe(200);
    await Promise.all([worker.stop('SIGKILL'), gateway.stop('SIGKILL')]);
  },
);
