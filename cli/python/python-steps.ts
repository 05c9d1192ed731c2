/** The Python steps of a project: their environment, their worker, and what an edit means for both. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type pino from 'pino';
import type { BrokerAddress } from '../../shared/config.ts';
import { logSink } from '../../shared/logger.ts';
import type { MetricFamily } from '../../shared/metrics/exposition.ts';
import type { OpsAddress } from '../../shared/ops-server.ts';
import type { AppPart } from '../../shared/steps/app-part.ts';
import { pythonFolder } from '../../shared/steps/built-project.ts';
import { discoverSteps } from '../../shared/steps/discover.ts';
import { watchFiles } from '../../shared/watch-files.ts';
import { CliError } from '../cli-error.ts';
import type { CommandOptions } from '../options.ts';
import { toError } from '../worker-messages.ts';
import { WorkerProcess } from '../worker-process.ts';
import { prepareProjectEnvironment } from './project-environment.ts';
import { launchPythonWorker, type PythonWorkerSettings } from './python-worker.ts';
import { readRequirements } from './requirements.ts';
import { PythonError } from './toolchain.ts';

export interface PythonStepsOptions {
  options: CommandOptions;
  /** Absolute path of what `motia build` has made; without it the sources are served. */
  built?: string | undefined;
  /** Reload steps when their files change, and serve the rest when one is broken. */
  watch: boolean;
  /** What the worker takes of the app; without it all. */
  part?: AppPart;
  /** Runs at a time of an event step that says nothing about it. */
  concurrency?: number;
  /** Where metrics and health of the worker are served. */
  ops?: OpsAddress | undefined;
  /** Events of ordered subscriptions do not wait in their place. For tests. */
  skipWaits?: boolean;
  /** Milliseconds that runs may take to finish at shutdown. */
  graceMs: number;
  log: pino.Logger;
  /** Told why the worker cannot go on. Without `watch` only. */
  fail: (error: Error) => void;
}

/** Said to the worker when a file has changed. */
const RELOAD = { type: 'reload' };
const REQUIREMENTS = /^(requirements[^/]*\.txt|pyproject\.toml)$/;

export class PythonSteps {
  readonly #options: PythonStepsOptions;
  readonly #sink: pino.DestinationStream;
  #worker: WorkerProcess<PythonWorkerSettings> | undefined;
  /** Path of the interpreter. */
  #python = '';
  /** Of the requirements that the environment was made for. */
  #fingerprint = '';
  #broker: BrokerAddress | undefined;
  #preparing: Promise<void> | undefined;
  #stopWatching: (() => Promise<void>) | undefined;
  #edits: Promise<void> = Promise.resolve();
  #stopped = false;
  #onFailed = () => {};

  constructor(options: PythonStepsOptions) {
    this.#options = options;
    this.#sink = logSink({ ...options.options.logging, tapped: false }); // the worker stores its own
  }

  /** Begins with what needs no broker: the environment, and a process that loads its own modules. */
  prepare(): void {
    this.#preparing = this.#launch();
    this.#preparing.catch(() => {}); // told by `start`
  }

  /**
   * Resolves when the Python steps take work, or when there are none, or it is known (and said) that they will not.
   * @returns whether they do.
   */
  async start(broker: BrokerAddress): Promise<boolean> {
    const startedAt = Date.now();
    this.#broker = broker;
    await (this.#preparing ?? this.#launch());
    await this.#run();
    if (this.#options.watch && !this.#stopped) this.#stopWatching = await this.#watch(startedAt);
    return this.#worker !== undefined;
  }

  /**
   * Makes the broker ready for the Python steps, if there are any, without running them.
   * @throws {PythonError | MotiaError} that says why it could not be done.
   */
  async provision(broker: BrokerAddress): Promise<void> {
    this.#broker = broker;
    const root = this.#root;
    if (discoverSteps(root).python.length === 0) return;
    await this.#prepare();
    const { onMessage, send, exited } = launchPythonWorker(this.#python, root, this.#sink);
    await new Promise<void>((resolve, reject) => {
      onMessage((message) => (message.type === 'failed' ? reject(toError(message)) : resolve()));
      send({ ...this.#settings(), provisionOnly: true });
      void exited.then((how) => reject(new CliError(`The Python worker ended (${how}) before it was ready`)));
    });
  }

  /** The metrics of the worker, if there is one. */
  metrics(): Promise<MetricFamily[]> {
    return this.#worker?.metrics() ?? Promise.resolve([]);
  }

  /** Lets what is under way finish. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#stopWatching?.();
    await this.#worker?.stop();
  }

  /** Where the steps are. */
  get #root(): string {
    const { options, built } = this.#options;
    return pythonFolder(options.root, built);
  }

  /** Makes the worker's process, if the project has steps for it. */
  async #launch(): Promise<void> {
    const { watch, log, fail } = this.#options;
    const { python: files } = discoverSteps(this.#root);
    if (files.length === 0 || this.#worker || this.#stopped) return;
    try {
      await this.#prepare();
    } catch (error) {
      if (!(error instanceof PythonError)) throw error;
      log.error(
        { action: 'python_unavailable', files },
        `${error.message}\nThese steps do not run: ${files.join(', ')}`,
      );
      return;
    }
    if (this.#stopped) return;
    const onFailed = (error: Error) => {
      if (watch) {
        this.#worker = undefined; // the next edit tries again
        log.error({ action: 'python_failed', err: error }, `Python steps do not run: ${error.message}`);
      } else {
        fail(error);
      }
      this.#onFailed();
    };
    const launch = () => launchPythonWorker(this.#python, this.#root, this.#sink);
    this.#worker = new WorkerProcess('Python worker', launch, log, onFailed);
  }

  async #prepare(): Promise<void> {
    const { fingerprint } = await readRequirements(this.#root);
    const environment = await prepareProjectEnvironment(this.#options.options, { requirements: this.#root });
    this.#python = environment.python;
    this.#fingerprint = fingerprint;
  }

  /** Resolves when the worker, if there is one, takes work or has failed. */
  async #run(): Promise<void> {
    const failed = new Promise<void>((resolve) => {
      this.#onFailed = resolve;
    });
    await Promise.race([this.#worker?.start(() => this.#settings()), failed]);
  }

  #settings(): PythonWorkerSettings {
    const { options, watch, part, concurrency, ops, graceMs, skipWaits } = this.#options;
    const broker = this.#broker as BrokerAddress;
    const { app, processes, env, logging } = options;
    const { telemetry, partitions } = env;
    return {
      ...{ app, partitions, root: this.#root, broker, processes, watch, telemetry, graceMs },
      ...(part && { part }),
      ...(ops && { ops }),
      ...(skipWaits && { skipWaits }),
      ...(concurrency !== undefined && { concurrency }),
      logLevel: logging.level,
      provisionOnly: false,
    };
  }

  #watch(since: number): Promise<() => Promise<void>> {
    const root = this.#root;
    return watchFiles({
      root,
      paths: () => ['.'],
      ignored: (path, isFile) =>
        isFile ? !path.endsWith('.py') && !REQUIREMENTS.test(path) : existsSync(join(root, path, 'pyvenv.cfg')),
      lookAt: async () => discoverSteps(root).python,
      onChange: () => {
        this.#edits = this.#edits.then(() => this.#onEdit());
        return this.#edits;
      },
      since,
    });
  }

  async #onEdit(): Promise<void> {
    const { log } = this.#options;
    if (!this.#worker) {
      await this.#launch();
      await this.#run();
      return;
    }
    if ((await readRequirements(this.#root)).fingerprint === this.#fingerprint) {
      this.#worker.send(RELOAD);
      return;
    }
    try {
      await this.#prepare();
      this.#worker.restart();
    } catch (error) {
      log.error({ action: 'python_unavailable' }, (error as Error).message);
      this.#worker.send(RELOAD);
    }
  }
}
