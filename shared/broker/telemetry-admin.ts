/** What people ask about traces and logs: by the admin API, and by commands. */
import type { Names } from '../protocol/subjects.ts';
import type { LogRecord } from '../telemetry-records.ts';
import type { Broker } from './connect.ts';
import { Activity } from './telemetry-activity.ts';
import { followLogs, type LogFilter, type LogPage, listLogs } from './telemetry-logs.ts';
import { type PageQuery, TelemetryReader } from './telemetry-reader.ts';
import type { TraceFilter } from './telemetry-summary.ts';
import { readTrace, type Trace } from './telemetry-trace.ts';
import { listTraces, TraceList, type TracePage } from './telemetry-traces.ts';

/** What was read of traces and runs is kept for so long after the last question. */
const KEEP_MS = 5 * 60_000;

export class TelemetryAdmin {
  readonly #reader: TelemetryReader;
  #recent: TraceList | undefined;
  #activity: Activity | undefined;
  #forget: NodeJS.Timeout | undefined;

  constructor(broker: Broker, names: Names) {
    this.#reader = new TelemetryReader(broker, names);
  }

  /** @throws {MotiaError} `INVALID_VALUE` for a cursor that no page came with. */
  async traces(filter: TraceFilter, page: PageQuery): Promise<TracePage> {
    this.#keep();
    this.#recent ??= new TraceList(this.#reader);
    return listTraces(this.#reader, this.#recent, filter, page);
  }

  /** What steps are doing. Not to be held for later. */
  activity(): Activity {
    this.#keep();
    this.#activity ??= new Activity(this.#reader);
    return this.#activity;
  }

  /** @throws {MotiaError} `INVALID_VALUE`, or `NOT_FOUND` if nothing is stored of it. */
  trace(traceId: string): Promise<Trace> {
    return readTrace(this.#reader, traceId);
  }

  /** @throws {MotiaError} `INVALID_VALUE` for a cursor that no page came with, or what is no trace id. */
  logs(filter: LogFilter, page: PageQuery): Promise<LogPage> {
    return listLogs(this.#reader, filter, page);
  }

  /** Records as they are stored, until `signal` aborts. */
  follow(filter: LogFilter, signal: AbortSignal): AsyncGenerator<LogRecord> {
    return followLogs(this.#reader, filter, signal);
  }

  #keep(): void {
    clearTimeout(this.#forget);
    this.#forget = setTimeout(() => {
      this.#recent = undefined;
      this.#activity = undefined;
    }, KEEP_MS).unref();
  }
}
