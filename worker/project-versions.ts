/** From the files of a project to the version that is served: build, load, provision, swap; and again at every edit. */
import type pino from 'pino';
import type { Broker } from '../shared/broker/connect.ts';
import { ensureConsumer, type Source, sourcesOf, sourcesTaken } from '../shared/broker/consumers.ts';
import { type FormerPartitions, findFormerPartitions } from '../shared/broker/former-partitions.ts';
import { publishManifest } from '../shared/broker/manifest-store.ts';
import { ensureSources } from '../shared/broker/provision.ts';
import type { WorkerLease } from '../shared/broker/worker-lease.ts';
import { MotiaError } from '../shared/errors.ts';
import type { Names } from '../shared/protocol/subjects.ts';
import { servedSteps } from '../shared/steps/access-steps.ts';
import { type AppPart, checkPart } from '../shared/steps/app-part.ts';
import { type ProjectCode, pythonFolder } from '../shared/steps/built-project.ts';
import type { Bundle, StepFailure } from '../shared/steps/bundle.ts';
import { discoverSteps } from '../shared/steps/discover.ts';
import type { Manifest, StepEntry } from '../shared/steps/manifest.ts';
import { describeStepKind } from './step-kind.ts';
import type { StepWorker } from './step-worker.ts';
import type { LoadedApp } from './threads/messages.ts';
import type { ThreadPool } from './threads/thread-pool.ts';

export interface ProjectVersionsOptions {
  root: string;
  /** Absolute path of what `motia build` has made, if that is served. */
  built?: string | undefined;
  names: Names;
  code: ProjectCode;
  pool: ThreadPool;
  /** What is taken of the app; all of it is made ready and published. */
  part: AppPart;
  watch: boolean;
  provision: boolean;
  log: pino.Logger;
  connecting: Promise<{ broker: Broker; worker: StepWorker; lease: WorkerLease }>;
  /** Resolves when the workers of other languages have their subscriptions, or will not come. */
  othersReady: Promise<unknown>;
}

/** How long until it is looked again whether the newer version is gone. */
const GIVE_WAY_FOR_MS = 2_000;
const GAVE_WAY =
  'A newer version of the app is current, and its workers live: this one serves its steps, but its routes are not served until \
those workers have ended or motia provision is run for it';

export class ProjectVersions {
  readonly #options: ProjectVersionsOptions;
  #bundle: Bundle | undefined;
  #manifest: Manifest | undefined;
  #former: FormerPartitions = new Map();
  #reported = new Set<string>();
  #work: Promise<void> = Promise.resolve();

  constructor(options: ProjectVersionsOptions) {
    this.#options = options;
  }

  /** Files whose change calls for {@link reload}, relative to the project. */
  get inputs(): readonly string[] {
    return this.#bundle?.inputs ?? [];
  }

  /** Serves the first version. @throws {MotiaError} `PROJECT_INVALID` if a step cannot be loaded and nobody watches. */
  async start(): Promise<void> {
    const bundle = await this.#options.code.build();
    this.#refuseFailures(bundle.failures);
    this.#report(bundle.failures);
    await this.#serve(bundle);
  }

  /** Serves the newest version of the files; edits that come meanwhile are served after it. */
  reload(): Promise<void> {
    const next = this.#work.then(async () => {
      try {
        await this.#reload();
      } catch (error) {
        this.#options.log.error(
          { action: 'reload_failed', err: error },
          `The edit could not be served: ${(error as Error).message}`,
        );
      }
    });
    this.#work = next;
    return next;
  }

  async #reload(): Promise<void> {
    const began = performance.now();
    const bundle = await this.#options.code.build();
    const buildMs = Math.round(performance.now() - began);
    this.#report(bundle.failures);
    if (bundle.id === this.#bundle?.id) {
      this.#bundle = bundle;
      return;
    }
    await this.#serve(bundle);
    const totalMs = Math.round(performance.now() - began);
    this.#options.log.info({ action: 'reloaded', buildMs, totalMs }, `Reloaded in ${totalMs} ms`);
  }

  async #serve(bundle: Bundle): Promise<void> {
    const failures = await this.#trySwap(bundle);
    if (failures.length === 0) return;
    // The edit compiles but does not load: what it touched goes back to the last good text, the rest of the edit is served.
    this.#report(failures.map((failure) => ({ ...failure, kept: true })));
    const broken = new Set(failures.map(({ file }) => file));
    const touched = bundle.entries.filter(({ file }) => broken.has(file)).flatMap(({ inputs }) => inputs);
    const reverted = await this.#options.code.revert(touched);
    if (reverted.id === this.#bundle?.id) this.#bundle = reverted;
    else await this.#trySwap(reverted);
  }

  /** @returns why the bundle was not taken: files that are served now and do not load any more. */
  async #trySwap(bundle: Bundle): Promise<StepFailure[]> {
    let loaded: LoadedApp | undefined;
    let broken: StepFailure[] = [];
    const swapped = await this.#options.pool.swap(bundle, async (app) => {
      loaded = app;
      this.#refuseFailures(app.failures);
      const { steps = [], streams = [] } = this.#manifest ?? {};
      const served = new Set([...steps, ...streams].map(({ file }) => file));
      broken = app.failures.filter(({ file }) => served.has(file));
      if (broken.length > 0) return false;
      await this.#prepare(app);
      return true;
    });
    if (swapped && loaded) await this.#commit(bundle, loaded);
    return broken;
  }

  /** Before the new code takes over: whatever it needs on the broker is there. */
  async #prepare(app: LoadedApp): Promise<void> {
    this.#report(app.failures);
    checkPart(this.#options.part, app.manifest.steps);
    for (const warning of app.warnings) this.#warnOnce(warning);
    const { broker, lease } = await this.#options.connecting;
    // Before they are made: what a lease names is not taken away.
    const { names } = this.#options;
    await lease.name(
      servedSteps(app.manifest).flatMap((step) => sourcesOf(names, step)),
      app.manifest.version,
    );
    const own = servedSteps(app.manifest).filter((step) => step.language === 'node' && this.#takes(step));
    if (broker.locked) {
      for (const step of own)
        for (const source of this.#sourcesOf(step)) await ensureConsumer(broker, source, step.name);
    } else if (this.#options.provision) await ensureSources(broker, names, app.manifest, this.#manifest);
    this.#former = await findFormerPartitions(broker, names, own);
    this.#options.pool.blockedTimeoutMs = app.settings.blockedTimeoutMs;
  }

  #takes(step: StepEntry): boolean {
    return this.#sourcesOf(step).length > 0;
  }

  #sourcesOf(step: StepEntry): Source[] {
    return sourcesTaken(this.#options.names, this.#options.part, step);
  }

  /** After it: work for its steps is taken, and then gateways hear of them. */
  async #commit(bundle: Bundle, { manifest }: LoadedApp): Promise<void> {
    const { code, connecting, provision, watch } = this.#options;
    const { broker, worker, lease } = await connecting;
    const before = this.#manifest;
    this.#bundle = bundle;
    this.#manifest = manifest;
    code.confirm();
    if (manifest.version === before?.version) return;
    worker.serve(manifest, this.#former);
    if (provision) await this.#publish(broker, manifest);
    await lease.name();
    if (watch) this.#announce(before, manifest);
  }

  async #publish(broker: Broker, manifest: Manifest): Promise<void> {
    const { names, root, built, othersReady, watch } = this.#options;
    await othersReady; // an event that a call emits would be lost to whoever has no subscription yet
    const { python } = discoverSteps(pythonFolder(root, built));
    const publisher = watch ? 'editor' : 'worker';
    const { warnings, gaveWay } = await publishManifest(broker, names, manifest, python.length > 0, publisher);
    for (const warning of warnings) this.#warnOnce(warning);
    if (!gaveWay) return;
    this.#warnOnce(GAVE_WAY);
    this.#publishLater(broker, manifest);
  }

  /** The workers of the newer version may have ended by then. */
  #publishLater(broker: Broker, manifest: Manifest): void {
    setTimeout(() => {
      if (broker.nc.isClosed()) return;
      this.#publish(broker, manifest).catch((error) => {
        const { log } = this.#options;
        log.warn({ action: 'publish_failed', err: error }, 'The manifest could not be published; trying again');
        this.#publishLater(broker, manifest);
      });
    }, GIVE_WAY_FOR_MS).unref();
  }

  #refuseFailures(failures: StepFailure[]): void {
    if (this.#options.watch || failures.length === 0) return;
    throw new MotiaError(
      'PROJECT_INVALID',
      `the project cannot be started:\n${failures.map(({ message }) => message).join('\n')}`,
    );
  }

  #report(failures: StepFailure[]): void {
    for (const { file, message, line, column, kept } of failures) {
      this.#options.log.error(
        { action: 'step_broken', file, line, column, kept },
        kept ? `${message}\nIts last good version is still served.` : message,
      );
    }
  }

  #warnOnce(warning: string): void {
    if (this.#reported.has(warning)) return;
    this.#reported.add(warning);
    this.#options.log.warn({ action: 'project_warning' }, warning);
  }

  #announce(before: Manifest | undefined, manifest: Manifest): void {
    const gone = new Map(before?.steps.map((step) => [step.id, step]));
    for (const step of manifest.steps) {
      const known = gone.get(step.id);
      gone.delete(step.id);
      if (!known) this.#tell('step_created', '[CREATED]', step);
      else if (JSON.stringify(known) !== JSON.stringify(step)) this.#tell('step_updated', '[UPDATED]', step);
    }
    for (const step of gone.values()) this.#tell('step_removed', '[REMOVED]', step);
  }

  #tell(action: string, verb: string, step: StepEntry): void {
    this.#options.log.info({ action, file: step.file }, `➜ ${verb} Step ${describeStepKind(step)} ${step.name}`);
  }
}
