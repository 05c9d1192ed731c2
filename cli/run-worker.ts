/** A worker as a process of its own: `motia worker`, and the child of `motia dev` and `motia start`. */
import type { BrokerAddress, TelemetryEnvironment } from '../shared/config.ts';
import { createLogger, type LoggerOptions, logSink } from '../shared/logger.ts';
import type { OpsAddress } from '../shared/ops-server.ts';
import type { AppPart } from '../shared/steps/app-part.ts';
import { type RunningWorker, startWorker } from '../worker/main.ts';
import { runUntilShutdown } from './run-until-shutdown.ts';

/** What a worker process is started with. */
export interface WorkerSettings {
  broker: BrokerAddress;
  app: string;
  partitions: number;
  root: string;
  motiaDir: string;
  /** Absolute path of what `motia build` has made; without it the sources are compiled. */
  built?: string | undefined;
  threads: number;
  watch: boolean;
  /** What it takes of the app; without it all. */
  part?: AppPart;
  /** Runs at a time of an event step that says nothing about it. */
  concurrency?: number;
  telemetry: TelemetryEnvironment;
  logging: LoggerOptions;
  /** Where metrics and health are served. */
  ops?: OpsAddress | undefined;
  /** Hold the manifest back until the workers of other languages are ready. */
  awaitsOthers: boolean;
}

export interface WorkerEvents {
  onStarted?: (worker: RunningWorker) => void;
  /** Resolves when the workers of other languages are ready. */
  othersReady?: Promise<void>;
}

/** Runs until a signal or a failure. @returns the exit code. */
export function runWorker(settings: WorkerSettings, graceMs: number, events: WorkerEvents): Promise<number> {
  const { logging, awaitsOthers, ...options } = settings;
  const { onStarted, othersReady } = events;
  const sink = logSink(logging); // one for our own lines and those of handlers, so that they keep their order
  const log = createLogger({ ...logging, pretty: false, destination: sink });
  return runUntilShutdown(log, async (life) => {
    const worker = await startWorker({
      ...options,
      provision: !settings.broker.locked,
      log,
      sink,
      logLevel: logging.level,
      ...(awaitsOthers && othersReady && { othersReady }),
    });
    life.defer('worker', () => worker.close(), graceMs);
    onStarted?.(worker);
  });
}
