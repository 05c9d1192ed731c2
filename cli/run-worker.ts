/** A worker as a process of its own: `motia worker`, and the child of `motia dev` and `motia start`. */
import type { BrokerAddress, TelemetryEnvironment } from '../shared/config.ts';
import { createLogger, type LoggerOptions, logSink } from '../shared/logger.ts';
import { startWorker } from '../worker/main.ts';
import { runUntilShutdown } from './run-until-shutdown.ts';

/** What a worker process is started with. */
export interface WorkerSettings {
  broker: BrokerAddress;
  app: string;
  root: string;
  motiaDir: string;
  threads: number;
  watch: boolean;
  telemetry: TelemetryEnvironment;
  logging: LoggerOptions;
}

/** Runs until a signal or a failure. @returns the exit code. */
export function runWorker(settings: WorkerSettings, graceMs: number, onStarted?: () => void): Promise<number> {
  const { logging, ...options } = settings;
  const sink = logSink(logging); // one for our own lines and those of handlers, so that they keep their order
  const log = createLogger({ ...logging, pretty: false, destination: sink });
  return runUntilShutdown(log, async (life) => {
    const worker = await startWorker({ ...options, provision: true, log, sink, logLevel: logging.level });
    life.defer('worker', () => worker.close(), graceMs);
    onStarted?.();
  });
}
