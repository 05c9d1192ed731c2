/** Runs a worker as a child process, and starts it again when it ends by itself. */
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { MetricFamily } from '../shared/metrics/exposition.ts';
import { CliError } from './cli-error.ts';
import { GRACE_MS } from './grace.ts';
import { ASK_METRICS, type FromWorker, toError } from './worker-messages.ts';

/** A worker process that waits for its settings. */
export interface LaunchedWorker<Settings> {
  child: ChildProcess;
  /** Resolves with how the process ended. */
  exited: Promise<string>;
  onMessage(listener: (message: FromWorker) => void): void;
  /** Says something: first the settings. A process that has ended hears nothing. */
  send(message: Settings | { type: string }): void;
}

const FIRST_RESTART_MS = 100;
const LONGEST_RESTART_MS = 10_000;
const HEALTHY_MS = 30_000;
const METRICS_WITHIN_MS = 2_000;
/** A worker ends itself within its grace; one that does not is stuck. */
const STOP_MS = GRACE_MS.supervisedWorker + 500;

export class WorkerProcess<Settings> {
  readonly #what: string;
  readonly #launch: () => LaunchedWorker<Settings>;
  readonly #log: Logger;
  readonly #onFailed: (error: Error) => void;
  readonly #stopping = new AbortController();
  #current: LaunchedWorker<Settings>;
  #isRestarting = false;
  #hasStarted = false;
  #onStarted = () => {};
  #asked: Promise<MetricFamily[]> | undefined;
  #onMetrics = (_families: MetricFamily[]) => {};

  /**
   * @param what names it in messages.
   * @param onFailed told why the worker could not start in the first place. It is not tried again then.
   */
  constructor(what: string, launch: () => LaunchedWorker<Settings>, log: Logger, onFailed: (error: Error) => void) {
    this.#what = what;
    this.#launch = launch;
    this.#log = log;
    this.#onFailed = onFailed;
    this.#current = launch();
  }

  /** Resolves when the worker takes work for the first time. `settings` is asked for each process. */
  start(settings: () => Settings): Promise<void> {
    void this.#supervise(settings);
    return new Promise((resolve) => {
      this.#onStarted = resolve;
    });
  }

  /** Says something to the process that runs now. */
  send(message: { type: string }): void {
    this.#current.send(message);
  }

  /** Its metrics; none if it does not answer in time. Several who ask at once get one answer. */
  metrics(): Promise<MetricFamily[]> {
    this.#asked ??= new Promise<MetricFamily[]>((resolve) => {
      const late = setTimeout(() => resolve([]), METRICS_WITHIN_MS);
      this.#onMetrics = (families) => {
        clearTimeout(late);
        resolve(families);
      };
      this.send({ type: ASK_METRICS });
    }).finally(() => {
      this.#asked = undefined;
    });
    return this.#asked;
  }

  /** Has a new process take its place, when it has drained. */
  restart(): void {
    this.#isRestarting = true;
    this.#current.child.kill('SIGTERM');
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

  async #supervise(settings: () => Settings): Promise<void> {
    for (let wait = FIRST_RESTART_MS; ; wait = Math.min(wait * 2, LONGEST_RESTART_MS)) {
      const startedAt = Date.now();
      this.#current.onMessage((message) => this.#onMessage(message));
      this.#current.send(settings());
      const how = await this.#current.exited;
      if (this.#stopping.signal.aborted) return;
      if (!this.#hasStarted) {
        this.#onFailed(new CliError(`The ${this.#what} ended (${how}) before it was ready`));
        return;
      }
      if (Date.now() - startedAt > HEALTHY_MS || this.#isRestarting) wait = FIRST_RESTART_MS;
      if (!this.#isRestarting) {
        this.#log.error(
          { action: 'worker_ended' },
          `The ${this.#what} ended (${how}); starting it again in ${wait} ms`,
        );
        await sleep(wait, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
        if (this.#stopping.signal.aborted) return;
      }
      this.#isRestarting = false;
      this.#current = this.#launch();
    }
  }

  #onMessage(message: FromWorker): void {
    if (message.type === 'failed') {
      this.#onFailure(message);
      return;
    }
    if (message.type === 'metrics') {
      this.#onMetrics(message.families);
      return;
    }
    this.#hasStarted = true;
    this.#onStarted();
  }

  #onFailure(message: Extract<FromWorker, { type: 'failed' }>): void {
    const error = toError(message);
    if (this.#hasStarted) {
      this.#log.error({ action: 'worker_failed', err: error }, error.message);
      return;
    }
    this.#stopping.abort();
    this.#onFailed(error);
  }
}
