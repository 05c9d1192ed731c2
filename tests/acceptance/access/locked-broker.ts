/** A broker that runs with what `motia nats-config` has written. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { BrokerAddress } from '../../../shared/config.ts';
import { startCli } from '../../helpers/cli.ts';
import { freePort } from '../../helpers/free-port.ts';
import type { Project } from '../../helpers/project.ts';
import { waitFor } from '../../helpers/wait-for.ts';

export interface LockedBroker {
  readonly port: number;
  /** Of a process that has the seed of a user. */
  env(user: string): Record<string, string>;
  address(user: string): BrokerAddress;
  /** As when its machine is started anew: what it had in memory is gone. */
  restart(): Promise<void>;
  /** Reads its configuration again. */
  reload(): void;
  log(): string;
  stop(): Promise<void>;
}

/** Each is a consumer, and each consumer a write that has to be on the disk. */
export const PARTITIONS = 4;

/** Runs `motia nats-config`. @returns what it says */
export async function writeConfig(project: Project, ...args: string[]): Promise<string> {
  const cli = await startCli('nats-config', project, {
    args,
    env: { MOTIA_PARTITIONS: String(PARTITIONS) },
    ready: false,
  });
  const code = await cli.exited;
  if (code !== 0) throw new Error(`motia nats-config ended with ${code}:\n${cli.output()}`);
  return cli.output();
}

/** Starts the server with the files in `nats/` of the project. */
export async function startLockedBroker(project: Project, tls?: BrokerAddress): Promise<LockedBroker> {
  const port = await freePort();
  let running: ChildProcess | undefined;
  let log = '';
  const start = async () => {
    const args = ['-c', project.path('nats/nats.conf'), '-a', '127.0.0.1', '-p', String(port)];
    args.push('--http_port', String(await freePort()));
    const child = spawn(process.env.MOTIA_NATS_SERVER as string, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    running = child;
    log = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
    await waitFor(() => log.includes('Server is ready') || child.exitCode !== null, { what: 'nats-server' });
    if (child.exitCode !== null) throw new Error(`nats-server ended:\n${log}`);
  };
  const stop = async () => {
    if (!running || running.exitCode !== null) return;
    const ended = once(running, 'exit');
    running.kill('SIGKILL');
    await ended;
  };
  const config = (await project.read('nats/nats.conf'))
    .replace('"/data"', JSON.stringify(project.path('data')))
    .replace('max_payload: 8MB', 'max_payload: 1MB'); // so that large data need not be that large
  await project.write('nats/nats.conf', config);
  await start();
  const url = tls ? `tls://localhost:${port}` : `nats://127.0.0.1:${port}`; // a client checks a name, and no address
  return {
    port,
    env: (user) => ({
      MOTIA_PARTITIONS: String(PARTITIONS),
      NATS_URL: url,
      NATS_NKEY: project.path(join('nats', `${user}.nk`)),
      MOTIA_PROVISION: 'off',
    }),
    address: (user) => ({ ...tls, servers: url, nkeyFile: project.path(join('nats', `${user}.nk`)), locked: true }),
    restart: async () => {
      await stop();
      await start();
    },
    reload: () => void running?.kill('SIGHUP'),
    log: () => log,
    stop,
  };
}
