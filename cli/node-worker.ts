/** The Node worker as a child process of `motia dev` and `motia start`. */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../shared/package-root.ts';
import { endWithUs } from './child-end.ts';
import type { WorkerSettings } from './run-worker.ts';
import type { LaunchedWorker } from './worker-process.ts';

const ENTRY = join(PACKAGE_ROOT, 'dist/cli/worker-child.js');

let preloaded: LaunchedWorker<WorkerSettings> | undefined;

/** Forks the process that the first {@link launchNodeWorker} gives: loading its modules takes longest of all at start. */
export function preloadNodeWorker(): void {
  preloaded = forkWorker();
}

export function launchNodeWorker(): LaunchedWorker<WorkerSettings> {
  const launched = preloaded ?? forkWorker();
  preloaded = undefined;
  return launched;
}

function forkWorker(): LaunchedWorker<WorkerSettings> {
  // A process group of its own: at Ctrl-C the gateway closes first, while the worker still answers.
  const child = fork(ENTRY, { detached: true });
  return {
    child,
    exited: endWithUs(child),
    onMessage: (listener) => child.on('message', listener),
    send: (message) => void (child.connected && child.send(message, () => {})),
  };
}
