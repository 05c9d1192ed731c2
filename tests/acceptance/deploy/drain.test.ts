/** A gateway behind a load balancer: from SIGTERM on it is not ready, and goes on serving until that has been noticed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startNatsServer } from '../../../testing/nats-server.ts';
import { startCli } from '../../helpers/cli.ts';
import { send } from '../../helpers/http.ts';
import { createProject } from '../../helpers/project.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const DELAY_MS = 3_000;

const FILES = {
  'package.json': '{ "name": "drained", "type": "module" }',
  'src/slow.step.js': `
    export const config = { type: 'api', name: 'Slow', method: 'POST', path: '/slow/:ms', emits: [] };
    export const handler = async ({ pathParams: { ms } }) => {
      await new Promise((resolve) => setTimeout(resolve, Number(ms)));
      return { status: 200, body: 'done' };
    };`,
};

test('SIGTERM: not ready at once, serves for MOTIA_DRAIN_DELAY, finishes what runs, and is gone', async () => {
  await using server = await startNatsServer();
  await using project = await createProject({ files: FILES });
  const env = { NATS_URL: server.url };
  await using _worker = await startCli('worker', project, { env });
  const gateway = await startCli('gateway', project, { env: { ...env, MOTIA_DRAIN_DELAY: String(DELAY_MS / 1_000) } });
  const call = (ms: number) =>
    send(`${gateway.url}/slow/${ms}`, { method: 'POST', headers: { connection: 'keep-alive' } });
  const ready = async () => (await send(`${gateway.url}/health/ready`)).status;
  expect(await ready()).toBe(200);
  expect((await call(0)).headers.connection).toBe('keep-alive');

  const startedAt = performance.now();
  const ended = gateway.stop('SIGTERM');
  await waitFor(async () => (await ready()) === 503, { what: 'a gateway that is not ready', within: DELAY_MS - 500 });
  const passed = () => performance.now() - startedAt;
  const answers = [];
  for (; passed() < DELAY_MS - 700; await sleep(50)) answers.push(await call(0));
  expect(answers.length).toBeGreaterThan(3);
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  expect(answers[0]?.headers.connection, 'who keeps connections goes elsewhere').toBe('close');
  const last = await call(1_500); // beyond the delay
  expect(last.status).toBe(200);
  expect(passed()).toBeGreaterThan(DELAY_MS);
  expect(await ended).toBe(0);
  await expect(call(0)).rejects.toThrow('ECONNREFUSED');
});
