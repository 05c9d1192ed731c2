/** `motia provision --wait`: what the pods of a deployment do before they start. */
import { expect, test } from 'vitest';
import { startNatsServer } from '../../../testing/nats-server.ts';
import { startCli } from '../../helpers/cli.ts';
import { createProject } from '../../helpers/project.ts';

const step = `export const config = { type: 'cron', name: 'Tick', cron: '0 0 1 1 *', emits: [] };
export const handler = async () => {};
`;

test.for<Record<string, string>>([{}, { MOTIA_REPLICAS: '3' }])(
  'waits for the first one who makes the broker ready, and no longer (%o)',
  async (extra) => {
    await using server = await startNatsServer();
    await using project = await createProject({
      files: { 'package.json': '{"name":"waiting"}', 'src/tick.step.ts': step },
    });
    const env = { NATS_URL: server.url };
    const start = (args: string[], more: Record<string, string> = {}) =>
      startCli('provision', project, { args, env: { ...env, ...more }, ready: false });

    const waiting = await start(['--wait=40'], extra);
    const provision = await start([]);
    expect(await provision.exited, provision.output()).toBe(0);
    expect(await waiting.exited, waiting.output()).toBe(0);
    expect(waiting.output()).toContain('The broker is ready for waiting');
    const another = await start(['--wait=40'], extra);
    expect(await another.exited, 'it is ready already').toBe(0);
  },
);

test('gives up, and says what to do', async () => {
  await using project = await createProject({
    files: { 'package.json': '{"name":"waiting"}', 'src/tick.step.ts': step },
  });
  const start = (url: string, wait: string) =>
    startCli('provision', project, { args: [`--wait=${wait}`], env: { NATS_URL: url }, ready: false });
  const nowhere = await start('nats://127.0.0.1:9', '1');
  expect(await nowhere.exited).toBe(1);
  expect(nowhere.output()).toContain('no broker answers');
  const wrong = await start('nats://127.0.0.1:9', 'soon');
  expect(await wrong.exited).toBe(2);
  await using server = await startNatsServer();
  const unready = await start(server.url, '1');
  expect(await unready.exited).toBe(1);
  expect(unready.output()).toContain('has not been made ready for waiting within 1 s: run motia provision');
});
