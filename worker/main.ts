/** One worker: loads the project's steps, makes the broker ready for them, and takes their work until it is closed. */

import { hostname } from 'node:os';
import type pino from 'pino';
import { type Broker, connectBroker } from '../shared/broker/connect.ts';
import { CronStore } from '../shared/broker/cron-store.ts';
import { EventStore } from '../shared/broker/events.ts';
import { answerHoldings } from '../shared/broker/holdings.ts';
import { startTelemetryStore, type TelemetryStore } from '../shared/broker/telemetry-store.ts';
import { ensureTopology } from '../shared/broker/topology.ts';
import { WorkerLease } from '../shared/broker/worker-lease.ts';
import type { BrokerAddress, LogLevel, TelemetryEnvironment } from '../shared/config.ts';
import { Lifecycle } from '../shared/lifecycle.ts';
import { type CollectMetrics, Ops } from '../shared/ops.ts';
import { type OpsAddress, serveOps } from '../shared/ops-server.ts';
import { createNames } from '../shared/protocol/subjects.ts';
import { startSpanExport } from '../shared/span-export/span-export.ts';
import { type AppPart, WHOLE_APP } from '../shared/steps/app-part.ts';
import { openProject, type ProjectCode } from '../shared/steps/built-project.ts';
import { discoverSteps } from '../shared/steps/discover.ts';
import { watchFiles } from '../shared/watch-files.ts';
import { CreditInbox } from './credit-inbox.ts';
import { ProjectVersions } from './project-versions.ts';
import { StepWorker } from './step-worker.ts';
import { ThreadPool } from './threads/thread-pool.ts';

export interface WorkerOptions {
  broker: BrokerAddress;
  /** The connection to it, if somebody else makes it, and closes it. */
  connection?: Promise<Broker>;
  /** Sanitised app name. */
  app: string;
  /** Partitions that message groups are spread over. */
  partitions: number;
  /** Absolute path of the project. */
  root: string;
  /** Absolute path of the folder for what is generated, `.motia` in the project. */
  motiaDir: string;
  /** Absolute path of what `motia build` has made; without it the sources are compiled. */
  built?: string | undefined;
  /** The project, if somebody else has opened it, and closes it. */
  code?: ProjectCode;
  /** Handler threads. */
  threads: number;
  /** What this worker takes of the app; without it all. */
  part?: AppPart;
  /** Runs at a time of an event step that says nothing about it. Default 10. */
  concurrency?: number;
  /** Serve edits as they are saved, and keep serving the rest when a file is broken. */
  watch: boolean;
  /** Make the streams, consumers and the manifest; otherwise `motia provision` has done it. */
  provision: boolean;
  /** Resolves when the broker has the app's streams, if somebody else sees to it at the start. */
  topology?: Promise<void>;
  log: pino.Logger;
  /** Where finished log lines of handlers go. */
  sink: pino.DestinationStream;
  logLevel: LogLevel;
  telemetry: TelemetryEnvironment;
  /** Where metrics and health are served. */
  ops?: OpsAddress | undefined;
  /** The manifest is published only when this has resolved: workers of other languages have their subscriptions then. */
  othersReady?: Promise<unknown>;
  /** How long runs may take to finish at shutdown. Default 25 s, below the usual 30 s of an orchestrator. */
  graceMs?: number;
  /** Events of ordered subscriptions do not wait in their place: neither for their first attempt, nor for the next one. For tests. */
  skipWaits?: boolean;
}

const GRACE_MS = 25_000;
const DEFAULT_CONCURRENCY = 10;
/** What blocks them ends by itself or is ended: another process would not be better off. */
const BLOCKED = 'no handler thread answers: handlers compute without a pause';

export interface RunningWorker {
  /** Its metrics, and those of its process. */
  collect: CollectMetrics;
  close(): Promise<void>;
}

/**
 * Starts a worker; resolves once it takes work.
 * @throws {MotiaError} `BROKER_*`, or `PROJECT_INVALID` when a step cannot be loaded and nobody watches the project.
 */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { app, partitions, root, log, sink, threads, logLevel, telemetry } = options;
  const { part = WHOLE_APP, concurrency = DEFAULT_CONCURRENCY, graceMs = GRACE_MS, skipWaits = false } = options;
  const names = createNames(app, partitions);
  const lifecycle = new Lifecycle();
  const startedAt = Date.now();
  const ops = new Ops(app, 'worker');
  let serves = false;
  try {
    await serveOps(ops, options.ops, lifecycle, log);
    const code = options.code ?? openProject(options);
    if (!options.code) lifecycle.defer('bundler', () => code.close());
    let connected: Broker | undefined;
    let store: TelemetryStore | undefined;
    const spanExport = startSpanExport(telemetry, { name: app, role: 'worker' }, log);
    lifecycle.defer('span export', () => spanExport?.close());
    const pool = new ThreadPool({
      setup: { app, root, broker: options.broker, logLevel, telemetry, spanExport },
      size: threads,
      keepWarm: options.watch,
      log,
      onLog: (line) => sink.write(line),
      onConsole: (line) => store?.addLogLine(line),
      onSpans: (lines, dropped) => store?.addSpanLines(lines, dropped),
      beforeSend: () => connected?.send.flush(), // acks that have to be there before their calls begin
    });
    let worker: StepWorker | undefined;
    ops.health.readyIf(() => (serves ? (pool.answers ? undefined : BLOCKED) : 'the steps are not served yet'));
    ops.metrics.gauges('motia_handlers', () => [...pool.states()].map(([state, count]) => [[state], count]));
    ops.metrics.gauge('motia_handler_queue_length', () => pool.waiting);
    ops.metrics.gauges('motia_runs_in_flight', () => worker?.holding() ?? []);
    // The threads load the steps while this thread connects.
    const connecting = connectBroker(options.connection ?? options.broker, {
      name: `${app} worker`,
      onDisconnect: () => worker?.onDisconnect(),
      onReconnect: () => worker?.onReconnect(),
      onError: (message) => log.warn({ action: 'broker_error' }, `Broker: ${message}`),
    }).then(async (broker) => {
      connected = broker;
      ops.watch(broker);
      lifecycle.defer('broker connection', () => broker.close());
      if (options.provision || broker.locked) await (options.topology ?? ensureTopology(broker, names));
      if (telemetry.stored) {
        const telling = startTelemetryStore(broker, names, 'worker', log);
        store = telling.store;
        const close = async () => {
          await pool.close(graceMs); // the threads' last spans are here then
          await telling.close();
        };
        lifecycle.defer('telemetry', close, graceMs + 5_000);
      }
      const [events, cron] = [new EventStore(broker, names), new CronStore(broker, names)];
      const serving = new StepWorker(
        {
          ...{ broker, names, pool, log, events, cron, concurrency, skipWaits },
          ...{ metrics: ops.metrics, credits: new CreditInbox(broker) },
        },
        part,
      );
      worker = serving;
      const lease = new WorkerLease(broker, names, log, () => serving.sources);
      lifecycle.defer('lease', () => lease.stop());
      return { broker, worker: serving, lease };
    });
    connecting.catch(() => {}); // awaited below
    const othersReady = options.othersReady ?? Promise.resolve();
    const versions = new ProjectVersions({ ...options, part, names, code, pool, connecting, othersReady });
    lifecycle.defer('handler threads', () => pool.close(graceMs), graceMs + 5_000);
    await versions.start();
    const { broker, worker: serving, lease } = await connecting;
    serves = true;
    const identity = { worker: lease.id, language: 'node', host: hostname(), pid: process.pid };
    answerHoldings(broker, names, identity, (consumers) => serving.holdings(consumers));
    lifecycle.defer('consumers', () => serving.drain(graceMs), graceMs + 5_000);
    listenForCancels(broker, names.cancel, serving);
    if (options.watch) {
      const watcher = await watchFiles({
        root,
        paths: () => ['src', 'steps', ...versions.inputs],
        lookAt: async () => {
          const { steps, streams } = discoverSteps(root);
          return [...steps, ...streams, ...versions.inputs];
        },
        onChange: () => versions.reload(),
        since: startedAt,
      });
      lifecycle.defer('watcher', watcher);
    }
  } catch (error) {
    await lifecycle.close();
    throw error;
  }
  return {
    collect: () => ops.collect(),
    close: async () => {
      ops.health.drain();
      for (const error of await lifecycle.close()) log.error({ action: 'close_failed', err: error }, error.message);
    },
  };
}

function listenForCancels(broker: Broker, subject: string, worker: StepWorker): void {
  broker.nc.subscribe(subject, {
    callback: (error, msg) => {
      if (error === null) worker.cancel(msg.string());
    },
  });
}
