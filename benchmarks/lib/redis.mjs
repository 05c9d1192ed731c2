// What BullMQ needs: a Redis server with a store of its own, and the packages, which are no dependencies of ours.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './processes.mjs';

const PACKAGES = ['bullmq@6.7.0', 'ioredis@6.0.0'];
const START_MS = 10_000;

/** Why BullMQ cannot be measured here. */
export class NoRedis extends Error {}

/** As BullMQ recommends it for jobs that must not be lost: an append-only file, synced every second. */
const settings = (port, folder) => [
  ...['--bind', '127.0.0.1', '--port', String(port), '--dir', folder],
  ...['--save', '', '--appendonly', 'yes', '--appendfsync', 'everysec', '--maxmemory-policy', 'noeviction'],
];

/** @param {import('./processes.mjs').Scope} scope @returns {Promise<{ port: number, pid: number }>} @throws {NoRedis} */
export async function startRedis(scope) {
  if (!isInstalled()) {
    if (process.getuid?.() === 0) installByApt();
    if (!isInstalled()) throw new NoRedis('there is no redis-server in PATH (Debian: apt-get install redis-server)');
  }
  const folder = scope.temporaryFolder();
  const port = await freePort();
  const { child } = scope.spawn('redis-server', settings(port, folder), { cwd: folder, log: path.join(folder, 'log') });
  await untilListening(port);
  return { port, pid: child.pid };
}

const isInstalled = () => spawnSync('redis-server', ['--version']).status === 0;

function installByApt() {
  console.log('Installing redis-server by apt-get …');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  spawnSync('apt-get', ['update'], { env });
  spawnSync('apt-get', ['install', '-y', '--no-install-recommends', 'redis-server'], { env });
}

/** A folder with BullMQ in its `node_modules`. @param {import('./processes.mjs').Scope} scope @throws {NoRedis} */
export function installBullmq(scope) {
  const folder = scope.temporaryFolder();
  const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
  const { status, stderr } = spawnSync('npm', ['install', ...flags, '--prefix', folder, ...PACKAGES], { cwd: folder });
  if (status !== 0) throw new NoRedis(`npm could not install ${PACKAGES.join(' and ')}: ${stderr}`);
  return folder;
}

async function untilListening(port) {
  for (const deadline = performance.now() + START_MS; performance.now() < deadline; await sleep(20)) {
    const socket = net.connect(port, '127.0.0.1');
    const connected = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (connected) return;
  }
  throw new NoRedis(`redis-server did not listen within ${START_MS} ms`);
}
