/**
 * Export of spans over OTLP/HTTP, by a thread of its own: an HTTP client in the threads that serve would make the functions of streams and
 * promises that each request goes through slower for as long as the process lives, whatever is sampled.
 */
import { once } from 'node:events';
import { join } from 'node:path';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type pino from 'pino';
import type { TelemetryEnvironment } from '../config.ts';
import { PACKAGE_ROOT } from '../package-root.ts';
import { SpanCounts, type SpanIntake } from './parcel.ts';

const ENTRY = join(PACKAGE_ROOT, 'dist/shared/span-export/export-thread.js');

/** What a process says of itself with its spans. */
export interface Service {
  name: string;
  role: string;
}

/** What the exporting thread is started with. */
export interface ExportSetup {
  settings: TelemetryEnvironment;
  service: Service;
  counts: SharedArrayBuffer;
}

export type ToExportThread =
  /** Spans of one more thread come by it. */
  { t: 'intake'; port: MessagePort } | { t: 'close' };

/** Spans that are lost: the collector did not take them, or too many waited for it. */
export interface ExportFailure {
  spans: number;
  reason: string;
}

export interface SpanExport {
  /** For one more thread of this process. */
  connect(): SpanIntake;
  /** Exports what was handed in. */
  close(): Promise<void>;
}

/** A collector that is away is not told of with every batch. */
const TELL_EVERY_MS = 60_000;

/** @returns nothing if no spans are to be exported. */
export function startSpanExport(
  settings: TelemetryEnvironment,
  service: Service,
  log: pino.Logger,
): SpanExport | undefined {
  if (settings.disabled || settings.tracesUrl === undefined) return undefined;
  const { origin, pathname } = new URL(settings.tracesUrl);
  const url = `${origin}${pathname}`; // what else is in it may be a secret
  const { buffer: counts } = new SpanCounts();
  const workerData: ExportSetup = { settings, service, counts };
  const worker = new Worker(ENTRY, { workerData, name: 'span export' });
  worker.unref();
  let [toldAt, lost] = [Number.NEGATIVE_INFINITY, 0];
  worker.on('message', ({ spans, reason }: ExportFailure) => {
    lost += spans;
    if (performance.now() - toldAt < TELL_EVERY_MS) return;
    log.warn({ action: 'export_failed', spans: lost, url }, `Spans were not exported: ${reason}`);
    [toldAt, lost] = [performance.now(), 0];
  });
  worker.on('error', (error) =>
    log.error({ action: 'export_ended', err: error }, 'No more spans are exported: the thread that does it has ended'),
  );
  let ended = false;
  worker.on('exit', () => {
    ended = true;
  });
  const tell = (message: ToExportThread, ports: MessagePort[] = []) => worker.postMessage(message, ports);
  return {
    connect() {
      const { port1, port2 } = new MessageChannel();
      tell({ t: 'intake', port: port2 }, [port2]);
      return { port: port1, counts };
    },
    async close() {
      if (ended) return;
      worker.ref();
      tell({ t: 'close' });
      await once(worker, 'exit');
    },
  };
}
