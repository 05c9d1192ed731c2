/** Keeps a second `motia dev` out of a project: two servers on one store would lose acknowledged messages. */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BrokerAddress } from '../shared/config.ts';
import { CliError, EXIT } from './cli-error.ts';
import { createLockFile, readLockFile, removeLockFile } from './file-lock.ts';
import { commandLine, identify, isSameProcess, type ProcessIdentity } from './process-identity.ts';

/** What `dev.lock` says about the process that runs a project. */
interface LockContent extends ProcessIdentity {
  url?: string;
  /** The nats-server it started. */
  broker?: ProcessIdentity & { commandLine: string; address: BrokerAddress };
}

export interface DevLock {
  /** Adds where the project is served. */
  setUrl(url: string): Promise<void>;
  /** Adds the nats-server, for other commands, and so that whoever takes over from a killed process can end it. */
  setBroker(pid: number, address: BrokerAddress): Promise<void>;
  release(): Promise<void>;
}

const ATTEMPTS = 50;
const POLL_MS = 20;
const BROKER_END_MS = 5_000;

/**
 * Takes the lock of a project. A lock whose process is gone is taken over, and the nats-server that it left is ended.
 *
 * @param motiaDir the project's `.motia`.
 * @throws CliError that says where the project runs, when a living process holds the lock.
 */
export async function acquireDevLock(motiaDir: string): Promise<DevLock> {
  await mkdir(motiaDir, { recursive: true });
  const path = join(motiaDir, 'dev.lock');
  const self = await identify(process.pid);
  if (self === undefined) throw new Error('the start time of this process cannot be read');

  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (await createLockFile(path, JSON.stringify(self))) return heldLock(path, self);
    const text = await readLockFile(path);
    if (text !== undefined) await endLeftovers(path, text);
    await sleep(POLL_MS);
  }
  throw new CliError(`${path} could not be taken; remove it if nothing runs in this folder`);
}

/** The broker of the process that runs a project now, if it runs one. @param motiaDir as in {@link acquireDevLock}. */
export async function findDevBroker(motiaDir: string): Promise<BrokerAddress | undefined> {
  const holder = parse((await readLockFile(join(motiaDir, 'dev.lock'))) ?? '');
  return holder && (await isSameProcess(holder)) ? holder.broker?.address : undefined;
}

async function endLeftovers(path: string, text: string): Promise<void> {
  const holder = parse(text);
  if (holder && (await isSameProcess(holder))) throw new CliError(whereItRuns(holder), EXIT.usage);
  if (holder?.broker) await endBroker(holder.broker);
  await removeLockFile(path, text);
}

function whereItRuns({ pid, url }: LockContent): string {
  const where = url ? ` at ${url}` : '';
  return `This project is already running${where} (process ${pid}). Stop it first.`;
}

function parse(text: string): LockContent | undefined {
  try {
    const content: LockContent = JSON.parse(text);
    return typeof content.pid === 'number' && typeof content.startedAt === 'string' ? content : undefined;
  } catch {
    return undefined; // cut off by a crash
  }
}

/** Only if it is provably that server: the same id, start time and command line. */
async function endBroker(broker: NonNullable<LockContent['broker']>): Promise<void> {
  const isThatServer = (await isSameProcess(broker)) && (await commandLine(broker.pid)) === broker.commandLine;
  if (!isThatServer) return;
  process.kill(broker.pid, 'SIGTERM');
  for (const deadline = Date.now() + BROKER_END_MS; await isSameProcess(broker); await sleep(POLL_MS)) {
    if (Date.now() > deadline) process.kill(broker.pid, 'SIGKILL');
  }
}

function heldLock(path: string, self: ProcessIdentity): DevLock {
  let content: LockContent = self;
  let lastWrite = Promise.resolve();
  const update = (change: Partial<LockContent>): Promise<void> => {
    content = { ...content, ...change };
    lastWrite = lastWrite.then(() => replaceFile(path, JSON.stringify(content)));
    return lastWrite;
  };
  return {
    setUrl: (url) => update({ url }),
    async setBroker(pid, address) {
      const [identity, line] = await Promise.all([identify(pid), commandLine(pid)]);
      if (identity) await update({ broker: { ...identity, commandLine: line, address } });
    },
    async release() {
      await lastWrite;
      await removeLockFile(path, JSON.stringify(content));
    },
  };
}

async function replaceFile(path: string, content: string): Promise<void> {
  const next = `${path}.next`;
  await rm(next, { force: true }); // `mode` below holds for a new file only
  await writeFile(next, content, { mode: 0o600 }); // it has the password of the broker
  await rename(next, path);
}
