/** The configuration that the chart gives to its own NATS servers, in real ones. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { findNatsServer } from '../../../cli/nats-server.ts';
import { connectBroker } from '../../../shared/broker/connect.ts';
import { readEnvironment } from '../../../shared/config.ts';
import { runInBackground } from '../../helpers/background.ts';
import { freePort } from '../../helpers/free-port.ts';
import { deployTool, find, template, type Values } from '../../helpers/helm.ts';
import { removeFolder } from '../../helpers/remove-folder.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { image } from './chart-values.ts';

const LOGIN = { NATS_USER: 'motia', NATS_PASSWORD: 'p1e9k', POD_NAME: 'x-motia-nats-0' };

async function natsServer(): Promise<string> {
  const { natsServer: configured, searchPath, cacheDir } = readEnvironment();
  return (await findNatsServer({ configured, searchPath, cacheDir, progress: () => {} })).path;
}

/** The text of the configuration, with folders and ports that are free here. */
async function configOf(
  helm: string,
  nats: Values,
  folder: string,
): Promise<{ text: string; port: number; monitor: number }> {
  const made = find(await template(helm, { image, nats }), 'ConfigMap', 'x-motia-nats').data['nats.conf'] as string;
  const [port, monitor] = await Promise.all([freePort(), freePort()]);
  const text = made
    .replace('store_dir: /data', `store_dir: "${folder}/data"`)
    .replace('/var/run/nats', folder)
    .replace('\nport: 4222', `\nhost: 127.0.0.1\nport: ${port}`)
    .replace('http_port: 8222', `http_port: ${monitor}`);
  return { text, port, monitor };
}

test('is one that the server takes, and lets in only who has the login', async (context) => {
  const helm = deployTool(context, 'helm');
  const binary = await natsServer();
  const folder = await mkdtemp(join(tmpdir(), 'motia-nats-config-'));
  await mkdir(join(folder, 'data'));
  const { text, port, monitor } = await configOf(helm, { replicas: 1 }, folder);
  await writeFile(join(folder, 'nats.conf'), text);
  runInBackground(
    'env',
    [...Object.entries(LOGIN).map((pair) => pair.join('=')), binary, '-c', join(folder, 'nats.conf')],
    folder,
  );
  for (const probe of ['', '?js-enabled-only=true', '?js-server-only=true']) {
    await waitFor(async () => (await fetch(`http://127.0.0.1:${monitor}/healthz${probe}`)).ok, {
      what: `/healthz${probe}`,
    });
  }
  const servers = `nats://127.0.0.1:${port}`;
  const broker = await connectBroker(
    { servers, user: LOGIN.NATS_USER, password: LOGIN.NATS_PASSWORD },
    { name: 'test' },
  );
  expect(broker.nc.info).toMatchObject({ server_name: LOGIN.POD_NAME, max_payload: 8_388_608 });
  await broker.close();
  await expect(connectBroker({ servers, user: 'motia', password: 'guess' }, { name: 'test' })).rejects.toMatchObject({
    code: 'BROKER_AUTH',
  });
});

test('of a cluster too, with each setting', async (context) => {
  const helm = deployTool(context, 'helm');
  const folder = await mkdtemp(join(tmpdir(), 'motia-nats-config-'));
  onTestFinished(() => removeFolder(folder));
  const { text } = await configOf(helm, { replicas: 3, syncInterval: 'always', memoryStore: '1GB' }, folder);
  expect(text).toContain('nats://x-motia-nats-2.x-motia-nats-headless.default.svc:6222');
  expect(text).toContain('sync_interval: always');
  const file = join(folder, 'nats.conf');
  await writeFile(file, text);
  const { stderr } = await promisify(execFile)(await natsServer(), ['-t', '-c', file], { env: LOGIN });
  expect(stderr).toContain('configuration file');
});
