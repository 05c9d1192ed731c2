/** The workers on one machine: one for TypeScript and JavaScript steps, and one for Python steps if there are any. */
import type { Logger } from 'pino';
import type { BrokerAddress } from '../shared/config.ts';
import { GRACE_MS } from './grace.ts';
import { launchNodeWorker } from './node-worker.ts';
import type { CommandOptions } from './options.ts';
import { PythonSteps } from './python/python-steps.ts';
import type { WorkerSettings } from './run-worker.ts';
import { OTHERS_READY } from './worker-messages.ts';
import { WorkerProcess } from './worker-process.ts';

export interface WorkersOptions {
  options: CommandOptions;
  /** Reload steps when their files change. Otherwise a step that cannot be loaded ends the start. */
  watch: boolean;
  log: Logger;
  /** Told why a worker cannot go on. */
  fail: (error: Error) => void;
}

export class Workers {
  readonly #options: WorkersOptions;
  readonly #node: WorkerProcess<WorkerSettings>;
  readonly #python: PythonSteps;

  /** Begins with what needs no broker: the processes load their modules. */
  constructor(workers: WorkersOptions) {
    const { options, watch, log, fail } = workers;
    this.#options = workers;
    this.#node = new WorkerProcess('worker', launchNodeWorker, log, fail);
    this.#python = new PythonSteps({ options, watch, graceMs: GRACE_MS.supervisedWorker - 1_000, log, fail });
    this.#python.prepare();
  }

  /** Resolves when they take work. The Node worker publishes the manifest when the Python steps have their subscriptions. */
  async start(broker: BrokerAddress): Promise<void> {
    const { options, watch } = this.#options;
    const { app, root, motiaDir, threads, logging, env } = options;
    const { telemetry } = env;
    let awaitsOthers = true;
    const settings = { broker, app, root, motiaDir, threads, watch, telemetry, logging };
    const nodeStarted = this.#node.start(() => ({ ...settings, awaitsOthers }));
    await this.#python.start(broker);
    awaitsOthers = false;
    this.#node.send({ type: OTHERS_READY });
    await nodeStarted;
  }

  /** Lets what is under way finish. */
  async stop(): Promise<void> {
    await Promise.all([this.#node.stop(), this.#python.stop()]);
  }
}
