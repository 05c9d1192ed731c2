/** One `motia dev` per project: who gets the lock, and what is done with what a killed one left. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { acquireDevLock, findDevBroker } from '../../../cli/dev-lock.ts';
import { commandLine, identify, isAlive } from '../../../cli/process-identity.ts';

let dir: string;
let sleeper: ChildProcess;
let sleeperPid: number;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'motia-lock-'));
  sleeper = spawn('sleep', ['60']);
  sleeperPid = sleeper.pid as number;
  // Until the new process has become `sleep`, it looks like the one that started it.
  await vi.waitFor(async () => expect(await commandLine(sleeperPid)).toBe('sleep 60'));
});
afterEach(() => {
  sleeper.kill('SIGKILL');
  rmSync(dir, { recursive: true });
});

const lockFile = () => join(dir, 'dev.lock');
const sleeperHasEnded = () => sleeper.exitCode !== null || sleeper.signalCode !== null;

/** The lock that a process which is gone has left. */
function leaveStaleLock(content: object): void {
  writeFileSync(lockFile(), JSON.stringify({ pid: 2 ** 22 + 1, startedAt: '1', ...content }));
}

test('is there while held, and gone after', async () => {
  const lock = await acquireDevLock(dir);
  expect(JSON.parse(readFileSync(lockFile(), 'utf8'))).toEqual(await identify(process.pid));
  await lock.release();
  expect(existsSync(lockFile())).toBe(false);
});

test('a second one is told where the first runs', async () => {
  const lock = await acquireDevLock(dir);
  await expect(acquireDevLock(dir)).rejects.toThrow(`already running (process ${process.pid})`);
  await Promise.all([
    lock.setUrl('http://localhost:3000'),
    lock.setBroker(sleeperPid, { servers: 'nats://127.0.0.1:1' }),
  ]);
  const refusal = acquireDevLock(dir);
  await expect(refusal).rejects.toThrow(`already running at http://localhost:3000 (process ${process.pid})`);
  await expect(refusal).rejects.toMatchObject({ exitCode: 2 });
  expect(sleeperHasEnded()).toBe(false);
  await lock.release();
  await (await acquireDevLock(dir)).release();
});

test('tells other commands where the broker is, and nobody else', async () => {
  expect(await findDevBroker(dir)).toBeUndefined();
  const address = { servers: 'nats://127.0.0.1:1', user: 'motia', password: 'secret' };
  const lock = await acquireDevLock(dir);
  expect(await findDevBroker(dir)).toBeUndefined();
  await lock.setBroker(sleeperPid, address);
  expect(await findDevBroker(dir)).toEqual(address);
  expect(statSync(lockFile()).mode & 0o777).toBe(0o600);
  await lock.release();
  leaveStaleLock({ broker: { ...(await identify(process.pid)), commandLine: 'x', address } });
  expect(await findDevBroker(dir)).toBeUndefined();
});

test.each([
  ['a dead process', JSON.stringify({ pid: 2 ** 22 + 1, startedAt: '1' })],
  ['a process id that is used again', JSON.stringify({ pid: process.pid, startedAt: '1' })],
  ['a write that was cut off', '{"pid":12'],
  ['somebody else', '[]'],
])('a lock of %s is taken over', async (_what, content) => {
  writeFileSync(lockFile(), content);
  const lock = await acquireDevLock(dir);
  expect(JSON.parse(readFileSync(lockFile(), 'utf8'))).toMatchObject({ pid: process.pid });
  await lock.release();
});

test('ends the server that a killed one left', async () => {
  leaveStaleLock({ broker: { ...(await identify(sleeperPid)), commandLine: 'sleep 60' } });
  const lock = await acquireDevLock(dir);
  await vi.waitFor(() => expect(sleeperHasEnded()).toBe(true));
  await lock.release();
});

test('leaves a process alone that merely has the id of that server', async () => {
  const identity = await identify(sleeperPid);
  for (const broker of [
    { ...identity, startedAt: '1', commandLine: 'sleep 60' },
    { ...identity, commandLine: 'nats-server -c x' },
  ]) {
    leaveStaleLock({ broker });
    await (await acquireDevLock(dir)).release();
  }
  expect(isAlive(sleeperPid)).toBe(true);
  expect(sleeperHasEnded()).toBe(false);
});

test('of several at once, one gets it', async () => {
  leaveStaleLock({});
  const attempts = await Promise.allSettled(Array.from({ length: 8 }, () => acquireDevLock(dir)));
  const held = attempts.filter((attempt) => attempt.status === 'fulfilled');
  expect(held).toHaveLength(1);
  await held[0]?.value.release();
});
