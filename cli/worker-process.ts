/** Runs the worker as a child process, and starts it again when it ends by itself. */
import { type ChildProcess, fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { type ErrorCode, MotiaError } from '../shared/errors.ts';
import { CliError } from './cli-error.ts';
import { GRACE_MS } from './grace.ts';
import type { WorkerSettings } from './run-worker.ts';

/** What a worker process tells. */
export type FromWorker = { type: 'started' } | { type: 'failed'; message: string; stack?: string; code?: string };

const FIRST_RESTART_MS = 100;
const LONGEST_RESTART_MS = 10_000;
const HEALTHY_MS = 30_000;
/** A worker ends itself within its grace; one that does not is stuck. */
const STOP_MS = GRACE_MS.supervisedWorker + 500;
const ENTRY = fileURLToPath(new URL('./worker-child.js', import.meta.url));

/** A worker process that waits for its settings. */
interface Forked {
  child: ChildProcess;
  /** Resolves with how the process ended. */
  exited: Promise<string>;
}

let preloaded: Forked | undefined;

/** Forks the process that the first {@link WorkerProcess} takes: loading its modules takes longest of all at start. */
export function preloadWorker(): void {
  preloaded = forkWorker();
}

export class WorkerProcess {
  readonly #log: Logger;
  readonly #onFailed: (error: Error) => void;
  readonly #stopping = new AbortController();
  #current: Forked;
  #hasStarted = false;
  #onStarted = () => {};

  /** @param onFailed told why the worker could not start in the first place. It is not tried again then. */
  constructor(log: Logger, onFailed: (error: Error) => void) {
    this.#log = log;
    this.#onFailed = onFailed;
    this.#current = preloaded ?? forkWorker();
    preloaded = undefined;
  }

  /** Resolves when the worker takes work for the first time. */
  start(settings: WorkerSettings): Promise<void> {
    void this.#supervise(settings);
    return new Promise((resolve) => {
      this.#onStarted = resolve;
    });
  }

  /** SIGTERM, on which it drains, and SIGKILL when it has not ended in time. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const { child, exited } = this.#current;
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await exited;
    clearTimeout(killer);
  }

  async #supervise(settings: WorkerSettings): Promise<void> {
    for (let wait = FIRST_RESTART_MS; ; wait = Math.min(wait * 2, LONGEST_RESTART_MS)) {
      const startedAt = Date.now();
      const { child, exited } = this.#current;
      child.on('message', (message: FromWorker) => this.#onMessage(message));
      child.send(settings, () => {}); // one that has ended already is noticed below
      const how = await exited;
      if (this.#stopping.signal.aborted) return;
      if (!this.#hasStarted) {
        this.#onFailed(new CliError(`The worker ended (${how}) before it was ready`));
        return;
      }
      if (Date.now() - startedAt > HEALTHY_MS) wait = FIRST_RESTART_MS;
      this.#log.error({ action: 'worker_ended' }, `The worker ended (${how}); starting it again in ${wait} ms`);
      await sleep(wait, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      if (this.#stopping.signal.aborted) return;
      this.#current = forkWorker();
    }
  }

  #onMessage(message: FromWorker): void {
    if (message.type === 'failed') {
      this.#onFailure(message);
      return;
    }
    this.#hasStarted = true;
    this.#onStarted();
  }

  #onFailure({ message, stack, code }: Extract<FromWorker, { type: 'failed' }>): void {
    const error = code === undefined ? new Error(message) : new MotiaError(code as ErrorCode, message);
    error.stack = stack ?? error.stack;
    if (this.#hasStarted) {
      this.#log.error({ action: 'worker_failed', err: error }, message);
      return;
    }
    this.#stopping.abort();
    this.#onFailed(error);
  }
}

function forkWorker(): Forked {
  // A process group of its own: at Ctrl-C the gateway closes first, while the worker still answers.
  const child = fork(ENTRY, { detached: true });
  const endWithUs = () => child.kill('SIGKILL');
  process.once('exit', endWithUs);
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  void exited.then(() => process.off('exit', endWithUs));
  return { child, exited };
}
