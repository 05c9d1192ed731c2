/** Signals, as a process really gets them. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';

const PROGRAM = fileURLToPath(new URL('fixtures/shutdown.mjs', import.meta.url));
let child: ChildProcess;
afterEach(() => void child.kill('SIGKILL'));

/** Starts the program, and waits until its signal handlers are in place. */
async function start(mode: string): Promise<{ exit: Promise<unknown[]>; output: () => string }> {
  let text = '';
  child = fork(PROGRAM, [mode], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  const exit = once(child, 'exit');
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await once(child, 'message');
  return { exit, output: () => text };
}

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s ends the program in order', async (signal) => {
  const { exit, output } = await start('quick');
  child.kill(signal);
  expect(await exit).toEqual([0, null]);
  expect(output()).toBe(`asked by ${signal}\n`);
});

test('the same request twice, as npm sends it, counts once', async () => {
  const { exit, output } = await start('slow');
  child.kill('SIGINT');
  child.kill('SIGINT');
  expect(await exit).toEqual([0, null]);
  expect(output()).toBe('asked by SIGINT\n');
});

test('a second request ends it at once', async () => {
  const { exit, output } = await start('stuck');
  child.kill('SIGINT');
  await new Promise((resolve) => setTimeout(resolve, 400)); // longer than what counts as the same request
  child.kill('SIGTERM');
  expect(await exit).toEqual([1, null]);
  expect(output()).toBe('asked by SIGINT\n');
});

test('a parent that is gone counts as a signal', async () => {
  const { exit, output } = await start('quick');
  child.disconnect();
  expect(await exit).toEqual([0, null]);
  expect(output()).toBe('asked by parent process gone\n');
});
