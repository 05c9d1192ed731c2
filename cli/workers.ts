/** The workers on one machine: one for TypeScript and JavaScript steps, and one for Python steps if there are any. */
import type { Logger } from 'pino';
import type { BrokerAddress } from '../shared/config.ts';
import type { MetricFamily } from '../shared/metrics/exposition.ts';
import { pythonFolder } from '../shared/steps/built-project.ts';
import { discoverSteps } from '../shared/steps/discover.ts';
import { GRACE_MS } from './grace.ts';
import { launchNodeWorker } from './node-worker.ts';
import type { CommandOptions } from './options.ts';
import type { PythonSteps } from './python/python-steps.ts';
import type { WorkerSettings } from './run-worker.ts';
import { OTHERS_READY } from './worker-messages.ts';
import { WorkerProcess } from './worker-process.ts';

export interface WorkersOptions {
  options: CommandOptions;
  /** Absolute path of what `motia build` has made; without it the sources are served. */
  built?: string | undefined;
  /** Reload steps when their files change. Otherwise a step that cannot be loaded ends the start. */
  watch: boolean;
  log: Logger;
  /** Told why a worker cannot go on. */
  fail: (error: Error) => void;
}

export class Workers {
  readonly #options: WorkersOptions;
  readonly #node: WorkerProcess<WorkerSettings>;
  /** Of a project that has such steps; loaded for no other one before it is served. */
  #python: Promise<PythonSteps | undefined>;
  #stopped = false;

  /** Begins with what needs no broker: the processes load their modules. */
  constructor(workers: WorkersOptions) {
    const { options, built, log, fail } = workers;
    this.#options = workers;
    this.#node = new WorkerProcess('worker', launchNodeWorker, log, fail);
    const { python } = discoverSteps(pythonFolder(options.root, built));
    this.#python = python.length === 0 ? Promise.resolve(undefined) : this.#preparePythonSteps();
    this.#python.catch(() => {}); // told by `start`
  }

  /** Resolves when they take work. The Node worker publishes the manifest when the Python steps have their subscriptions. */
  async start(broker: BrokerAddress): Promise<void> {
    const { options, built, watch } = this.#options;
    const { app, root, motiaDir, threads, logging, env } = options;
    const { telemetry, partitions } = env;
    let awaitsOthers = true;
    const settings = { broker, app, partitions, root, motiaDir, built, threads, watch, telemetry, logging };
    const nodeStarted = this.#node.start(() => ({ ...settings, awaitsOthers }));
    const python = await this.#python;
    await python?.start(broker);
    awaitsOthers = false;
    this.#node.send({ type: OTHERS_READY });
    await nodeStarted;
    if (watch && !python && !this.#stopped) this.#watchForPythonSteps(broker);
  }

  /** The metrics of all of them. */
  async metrics(): Promise<MetricFamily[]> {
    const python = this.#python.then((steps) => steps?.metrics() ?? []);
    return (await Promise.all([this.#node.metrics(), python])).flat();
  }

  /** Lets what is under way finish. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const stopPython = this.#python.then((python) => python?.stop());
    await Promise.all([this.#node.stop(), stopPython]);
  }

  /** The first one may be written at any time. */
  #watchForPythonSteps(broker: BrokerAddress): void {
    this.#python = this.#loadPythonSteps().then(async (steps) => {
      await steps.start(broker);
      return steps;
    });
    this.#python.catch(this.#options.fail);
  }

  async #preparePythonSteps(): Promise<PythonSteps> {
    const steps = await this.#loadPythonSteps();
    steps.prepare();
    return steps;
  }

  async #loadPythonSteps(): Promise<PythonSteps> {
    const { PythonSteps } = await import('./python/python-steps.ts');
    return new PythonSteps({ ...this.#options, graceMs: GRACE_MS.supervisedWorker - 1_000 });
  }
}
