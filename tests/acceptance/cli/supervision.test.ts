/** `motia dev` and `motia start`: the processes they run, and what happens when one of them or they themselves end. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { commandLine, identify } from '../../../cli/process-identity.ts';
import { startNatsServer } from '../../../testing/nats-server.ts';
import { createProject, dev, HELLO_STEP, motia, run } from './program.ts';

const get = async (url: string) => (await fetch(`${url}/hello`)).json();
/** Unlike a signal 0, this does not take a zombie for a living process. */
const isRunning = async (pid: number) => (await identify(pid)) !== undefined;
const soon = { timeout: 10_000, interval: 50 };

/** A taken port. */
async function takenPort(): Promise<{ port: number; [Symbol.asyncDispose](): Promise<void> }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, 'close');
    },
  };
}

async function workerOf(supervisor: number): Promise<number> {
  const text = execFileSync('ps', ['-o', 'pid=', '--ppid', String(supervisor)], { encoding: 'utf8' });
  const children = await Promise.all(
    text.split('\n').map(async (pid) => [Number(pid), await commandLine(Number(pid))] as const),
  );
  return children.find(([, line]) => line.includes('worker-child'))?.[0] ?? 0;
}

test.each(['SIGTERM', 'SIGINT'] as const)('serves, and leaves nothing behind after %s', async (signal) => {
  const project = createProject();
  const program = await dev(project);
  expect(await get(program.url)).toEqual({ hello: 'world' });
  const pids = [program.lock().broker.pid, await workerOf(program.child.pid as number)];
  expect(await Promise.all(pids.map(isRunning))).toEqual([true, true]);
  program.child.kill(signal);
  expect(await program.exit).toBe(0);
  expect(await Promise.all(pids.map(isRunning))).toEqual([false, false]);
  expect(existsSync(join(project, '.motia/dev.lock'))).toBe(false);
});

test('a second one in the same folder says where the first runs', async () => {
  const project = createProject();
  const { url, child } = await dev(project);
  const { code, output } = await run(project, ['dev']);
  expect(code).toBe(2);
  expect(output).toMatch(
    new RegExp(`already running at ${url.replace('localhost', '127.0.0.1')} \\(process ${child.pid}\\)`),
  );
  expect(await get(url)).toEqual({ hello: 'world' });
});

test('SIGTERM in the middle of a call on a connection that is kept alive: the answer comes, and the end soon after', async () => {
  const slow = HELLO_STEP.replace('=> (', '=> (await new Promise((resolve) => setTimeout(resolve, 1_000)), ');
  const program = await dev(createProject({ 'src/hello.step.js': slow }));
  const answer = fetch(`${program.url}/hello`); // keeps its connections
  await new Promise((resolve) => setTimeout(resolve, 300));
  program.child.kill('SIGTERM');
  const killedAt = Date.now();
  expect(await (await answer).json()).toEqual({ hello: 'world' });
  expect(await program.exit).toBe(0);
  expect(Date.now() - killedAt).toBeLessThan(7_000); // a gateway is cut off after eight seconds
});

test('SIGTERM with a connection on which nothing was sent yet: it does not wait for that', async () => {
  const program = await dev(createProject());
  const socket = connect(Number(new URL(program.url).port), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  const killedAt = Date.now();
  program.child.kill('SIGTERM');
  expect(await program.exit).toBe(0);
  expect(Date.now() - killedAt).toBeLessThan(7_000); // a gateway is cut off after eight seconds
});

test('leaves nothing behind even when it is killed', async () => {
  const { child, lock } = await dev(createProject());
  const pids = [lock().broker.pid, await workerOf(child.pid as number)];
  child.kill('SIGKILL');
  // The server goes at once, so the worker ends without one: within the grace of a supervised one, which is 15 s.
  const gone = async () => expect(await Promise.all(pids.map(isRunning))).toEqual([false, false]);
  await vi.waitFor(gone, { ...soon, timeout: 20_000 });
});

test('takes over from one that was killed, server included', async () => {
  const project = createProject();
  const first = await dev(project);
  const { broker } = first.lock();
  first.child.kill('SIGKILL');
  const second = await dev(project);
  expect(await isRunning(broker.pid)).toBe(false);
  expect(await get(second.url)).toEqual({ hello: 'world' });
});

test('starts a killed worker again', async () => {
  const { url, child, until } = await dev(createProject());
  process.kill(await workerOf(child.pid as number), 'SIGKILL');
  await until(/The worker ended \(SIGKILL\)/);
  await vi.waitFor(async () => expect(await get(url)).toEqual({ hello: 'world' }), soon);
});

test('starts a killed server again', async () => {
  const { url, lock, until } = await dev(createProject());
  process.kill(lock().broker.pid, 'SIGKILL');
  await until(/nats-server ended \(SIGKILL\)/);
  await vi.waitFor(async () => expect(await get(url)).toEqual({ hello: 'world' }), soon);
});

test('uses the server of NATS_URL and starts none', async () => {
  await using server = await startNatsServer();
  const { url, lock } = await dev(createProject(), { NATS_URL: server.url });
  expect(lock().broker).toBeUndefined();
  expect(await get(url)).toEqual({ hello: 'world' });
});

test('dev goes on to the next port when its port is taken, and says so', async () => {
  await using taken = await takenPort();
  const { until } = motia(createProject(), ['dev', '--port', String(taken.port)]);
  const [, port] = await until(/Ready at http:\/\/localhost:(\d+)/);
  expect(Number(port)).toBeGreaterThan(taken.port);
  await until(new RegExp(`Port ${taken.port} is taken, using ${port} instead`));
});

test('start ends when its port is taken', async () => {
  await using taken = await takenPort();
  const project = createProject();
  const { code, output } = await run(project, ['start', '--host', '127.0.0.1', '--port', String(taken.port)]);
  expect(code).toBe(1);
  expect(output).toMatch(new RegExp(`^.*port ${taken.port} is in use.*$`, 'm'));
  expect(existsSync(join(project, '.motia/dev.lock'))).toBe(false);
});

test('start serves, logs JSON, and ends with 0', async () => {
  const program = motia(createProject(), ['start', '--host', '127.0.0.1', '--port', '0']);
  const [line] = await program.until(/^.*"action":"ready".*$/m);
  expect(await get(JSON.parse(line).url)).toEqual({ hello: 'world' });
  program.child.kill('SIGTERM');
  expect(await program.exit).toBe(0);
  for (const text of program.output().trim().split('\n')) expect(JSON.parse(text)).toHaveProperty('level');
});

test('start ends when a step cannot be loaded; dev serves the rest', async () => {
  const project = createProject({ 'src/hello.step.js': HELLO_STEP, 'src/broken.step.js': 'export const config = {' });
  const { code, output } = await run(project, ['start', '--port', '0']);
  expect(code).toBe(1);
  expect(output).toContain('broken.step.js');
  const program = await dev(project);
  await program.until(/broken\.step\.js/);
  expect(await get(program.url)).toEqual({ hello: 'world' });
});
