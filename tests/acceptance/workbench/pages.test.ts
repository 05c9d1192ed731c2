/** Where the Workbench is: in dev, and elsewhere only for those who have set a token. */
import { expect, test } from 'vitest';
import { startNatsServer } from '../../../testing/nats-server.ts';
import { startCli } from '../../helpers/cli.ts';
import { send } from '../../helpers/http.ts';
import { createProject } from '../../helpers/project.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const step = (path: string) => `
export const config = { type: 'api', name: 'Root', method: 'GET', path: '${path}', emits: [] };
export const handler = async () => ({ status: 200, body: 'of the step' });
`;
const files = { 'package.json': '{ "name": "pages", "type": "module" }', 'src/root.step.ts': step('/hello') };
const HTML = { headers: { accept: 'text/html' } };

test('dev tells its address and shows it at the root, until a step has that path', async () => {
  const project = await createProject({ files });
  await using cli = await startCli('dev', project);
  await waitFor(() => /Workbench at http:\/\/localhost:\d+\/__motia\/ui\//.test(cli.output()));
  expect(await send(cli.url, HTML)).toMatchObject({ status: 302, headers: { location: '/__motia/ui/' } });
  expect([200, 503]).toContain((await send(`${cli.url}/__motia/ui/`, HTML)).status);
  expect((await send(cli.url)).status).toBe(404);

  await project.write('src/root.step.ts', step('/'));
  await expect.poll(async () => (await send(cli.url, HTML)).text, { timeout: 10_000 }).toBe('of the step');
  await cli.stop();
  await using without = await startCli('dev', project, { env: { MOTIA_WORKBENCH: 'off' } });
  expect((await send(`${without.url}/__motia/ui/`, HTML)).status).toBe(404);
  expect(without.output()).not.toContain('Workbench at');
});

test('start and gateway have none, unless it is asked for, with a token', async () => {
  await using server = await startNatsServer();
  const project = await createProject({ files });
  const at = (env: Record<string, string>) => ({ env: { NATS_URL: server.url, ...env } });
  for (const command of ['start', 'gateway'] as const) {
    const open = await startCli(command, project, { ...at({ MOTIA_WORKBENCH: 'on' }), ready: false });
    expect([await open.exited, open.output()]).toEqual([1, expect.stringMatching(/^.*needs MOTIA_ADMIN_TOKEN.*\n$/)]);
  }
  const plain = await startCli('start', project, at({ MOTIA_ADMIN_TOKEN: 'secret' }));
  expect((await send(`${plain.url}/__motia/ui/`, HTML)).status).toBe(404);
  expect((await send(plain.url, HTML)).status).toBe(404);
  await plain.stop();
  const both = await startCli('start', project, at({ MOTIA_WORKBENCH: 'on', MOTIA_ADMIN_TOKEN: 'secret' }));
  expect((await send(both.url, HTML)).status).toBe(302);
  expect((await send(`${both.url}/__motia/api/v1/steps`)).status).toBe(401);
  await both.stop();
});
