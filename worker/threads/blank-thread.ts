/**
 * Threads that have not been told yet which app they are of. One can be started ahead of its time, since most of a start is the loading of
 * our own modules.
 */
import { once } from 'node:events';
import { join } from 'node:path';
import { MessageChannel, Worker } from 'node:worker_threads';
import { PACKAGE_ROOT } from '../../shared/package-root.ts';
import type { ThreadSetup } from './messages.ts';

const ENTRY = join(PACKAGE_ROOT, 'dist/worker/handler/main.js');

export interface BlankThread {
  readonly worker: Worker;
  /** Makes it a handler thread. Once. */
  setUp(setup: ThreadSetup): void;
}

let spare: BlankThread | undefined;

/** The thread that was started ahead of its time, or a new one. */
export function takeBlankThread(): BlankThread {
  const taken = spare ?? startBlankThread();
  spare = undefined;
  taken.worker.ref();
  return taken;
}

/** Has a thread ready for the next who wants one. The process does not stay for it. */
export function keepBlankThread(): void {
  if (spare) return;
  const kept = startBlankThread();
  spare = kept;
  kept.worker.unref();
  const forget = () => {
    if (spare === kept) spare = undefined;
  };
  void once(kept.worker, 'exit').then(forget, forget);
}

function startBlankThread(): BlankThread {
  const { port1, port2 } = new MessageChannel();
  // Who listens holds the process, here until the thread says that it is made: the engine may crash when that is cut off.
  port1.once('message', () => {});
  const worker = new Worker(ENTRY, { workerData: port2, transferList: [port2], name: 'handlers' });
  return {
    worker,
    setUp: (setup) => port1.postMessage(setup, setup.exportTo ? [setup.exportTo.port] : []),
  };
}
