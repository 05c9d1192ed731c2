/** Programs of others that a test needs beside it. */
import { spawn } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { removeFolder } from './remove-folder.ts';

/** Runs a program until the test is over. Its folder goes with it. */
export function runInBackground(program: string, args: readonly string[], folder: string): void {
  const child = spawn(program, args, { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('close', resolve));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
    await removeFolder(folder);
  });
}
