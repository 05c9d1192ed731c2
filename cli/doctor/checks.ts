/** What `motia doctor` looks at: each check says how one thing is, and what to do about it. None changes anything. */
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { connectBroker } from '../../shared/broker/connect.ts';
import { describeServer } from '../../shared/broker/server-info.ts';
import { ownPackage } from '../../shared/package-root.ts';
import { readLock } from '../../shared/steps/built-project.ts';
import { discoverSteps } from '../../shared/steps/discover.ts';
import { compareVersions, OLDEST_SERVER } from '../../shared/versions.ts';
import { findBuild } from '../build/freshness.ts';
import { findDevBroker } from '../dev-lock.ts';
import { findNatsServer } from '../nats-server.ts';
import { type CommandOptions, DEFAULT_PORT } from '../options.ts';
import { workerRequirements } from '../python/requirements.ts';
import { findPython, inspectPython } from '../python/toolchain.ts';
import { measureDisk } from './disk.ts';

export interface Finding {
  /** `warn`: it works, but a person should know. `fail`: `motia dev` or `motia start` would not work, or not wholly. */
  status: 'ok' | 'warn' | 'fail';
  text: string;
  /** What to do. */
  advice?: string;
}

export interface Check {
  name: string;
  look(options: CommandOptions): Promise<Finding>;
}

const CONNECT_MS = 5_000;

export const CHECKS: readonly Check[] = [
  { name: 'Node.js', look: checkNode },
  { name: 'Project', look: checkProject },
  { name: 'Python', look: checkPython },
  { name: 'Broker', look: checkBroker },
  { name: 'Port', look: checkPort },
  { name: 'Disk', look: checkDisk },
];

async function checkNode(): Promise<Finding> {
  const oldest = /\d+(\.\d+)*/.exec(ownPackage().engines.node)?.[0] ?? '0';
  const text = `${process.version} (${oldest} or newer is needed)`;
  return compareVersions(process.versions.node, oldest) >= 0
    ? { status: 'ok', text }
    : { status: 'fail', text, advice: 'Install a newer Node.js: https://nodejs.org' };
}

async function checkProject(options: CommandOptions): Promise<Finding> {
  const { root, app } = options;
  const { steps, streams, python } = discoverSteps(root);
  const built = await findBuild(options).catch((error: Error) => error);
  if (built instanceof Error) {
    return { status: 'warn', text: `motia start would not start: ${built.message}` };
  }
  if (steps.length + python.length === 0) {
    const lock = built === undefined ? undefined : await readLock(built);
    if (lock) return { status: 'ok', text: `${app}: a build with ${Object.keys(lock.steps).length} steps` };
    const advice =
      'Steps are files in src/ or steps/, named *.step.ts, *.step.js or *_step.py; motia create makes a project';
    return { status: 'fail', text: `no steps in ${root}`, advice };
  }
  const parts = [
    `${steps.length} in TypeScript or JavaScript`,
    `${python.length} Python files`,
    `${streams.length} streams`,
  ];
  return { status: 'ok', text: `${app}: ${parts.join(', ')}` };
}

async function checkPython({ root, env }: CommandOptions): Promise<Finding> {
  const { python } = discoverSteps(root);
  if (python.length === 0) return { status: 'ok', text: 'not needed: there are no Python steps' };
  try {
    if (env.python === undefined) {
      const { path, version } = await findPython(env.searchPath);
      return { status: 'ok', text: `${version} (${path})` };
    }
    const { path, version, missing } = await inspectPython(env.python, await workerRequirements(false));
    if (missing.length === 0) return { status: 'ok', text: `${version} (${path}, of MOTIA_PYTHON)` };
    const advice = `Install them into that environment, or unset MOTIA_PYTHON`;
    return { status: 'fail', text: `MOTIA_PYTHON lacks ${missing.join(', ')}`, advice };
  } catch (error) {
    const advice = `These do not run without it: ${python.join(', ')}`;
    return { status: 'fail', text: (error as Error).message, advice };
  }
}

/** The broker that would be used: that of `NATS_URL`, the one that runs here, or the program that would be started. */
async function checkBroker({ env, app, dataDir }: CommandOptions): Promise<Finding> {
  const address = env.broker ?? (await findDevBroker(dataDir));
  if (!address) return checkNatsServer(env);
  const name = env.broker ? address.servers : `${address.servers}, of the app that runs here`;
  try {
    const broker = await connectBroker(address, { name: `${app} doctor`, timeoutMs: CONNECT_MS });
    try {
      const { version, maxPayload, storage, memory } = await describeServer(broker);
      const limits = `storage ${size(storage)}, memory ${size(memory)}, messages up to ${size(maxPayload)}`;
      return { status: 'ok', text: `nats-server ${version} at ${name}: ${limits}` };
    } finally {
      await broker.close();
    }
  } catch (error) {
    const advice =
      'Look at NATS_URL, NATS_NKEY, NATS_CREDS, NATS_USER, NATS_PASSWORD and NATS_CA, and whether the server has JetStream';
    return { status: 'fail', text: `${name}: ${(error as Error).message}`, advice };
  }
}

async function checkNatsServer({
  natsServer: configured,
  searchPath,
  cacheDir,
}: CommandOptions['env']): Promise<Finding> {
  try {
    const { version, path, source } = await findNatsServer({ configured, searchPath, cacheDir, sources: [] });
    return { status: 'ok', text: `nats-server ${version} (${source}: ${path})` };
  } catch (error) {
    if (configured !== undefined)
      return { status: 'fail', text: (error as Error).message, advice: 'Unset it, or set another path' };
    const text = `no nats-server ${OLDEST_SERVER} or newer on this machine`;
    return {
      status: 'warn',
      text,
      advice: 'The first start fetches one; without a network set MOTIA_NATS_SERVER or NATS_URL',
    };
  }
}

async function checkPort({ host = '127.0.0.1', port = DEFAULT_PORT, dataDir }: CommandOptions): Promise<Finding> {
  if ((await findDevBroker(dataDir)) !== undefined) return { status: 'ok', text: 'the app runs here' };
  const failure = await new Promise<string | undefined>((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
  if (failure === undefined) return { status: 'ok', text: `${port} on ${host} is free` };
  const advice = 'motia dev takes one of the next ten ports; choose another one with --port or MOTIA_PORT';
  return { status: 'warn', text: `${port} on ${host} cannot be used (${failure})`, advice };
}

/** Of the embedded broker. What an external one does with its disk is not seen from here. */
async function checkDisk({ env, dataDir }: CommandOptions): Promise<Finding> {
  if (env.broker) return { status: 'ok', text: 'the broker of NATS_URL has its own' };
  let folder = dataDir;
  while (!existsSync(folder)) folder = join(folder, '..');
  try {
    const { free, inMemory, syncMs } = await measureDisk(folder);
    const text = `${size(free)} free in ${folder}, ${syncMs.toFixed(1)} ms to make a write durable`;
    if (inMemory)
      return {
        status: 'warn',
        text,
        advice: 'This folder is in memory: what is stored is gone with the machine. Set MOTIA_DATA_DIR',
      };
    if (free < 1e9)
      return { status: 'warn', text, advice: 'Make room, or set MOTIA_DATA_DIR: a full store refuses new events' };
    return { status: 'ok', text };
  } catch (error) {
    return {
      status: 'fail',
      text: (error as Error).message,
      advice: 'The broker needs a folder that it can write to: MOTIA_DATA_DIR',
    };
  }
}

/** @param bytes -1 for no limit. */
function size(bytes: number): string {
  if (bytes < 0) return 'unlimited';
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(bytes, 1)) / 3)));
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${units[power]}`;
}
