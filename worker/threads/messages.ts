/** What the broker thread and a handler thread say to each other. How it crosses threads is in `wire.ts`. */
import type { BrokerAddress, LogLevel, RawEnvironment, TelemetryEnvironment } from '../../shared/config.ts';
import type { ErrorRecord } from '../../shared/errors.ts';
import type { SpanIntake } from '../../shared/span-export/parcel.ts';
import type { Bundle, StepFailure } from '../../shared/steps/bundle.ts';
import type { Manifest } from '../../shared/steps/manifest.ts';
import type { WorkerSettings } from '../settings.ts';
import type { Gate } from './gates.ts';

/** What a handler thread is started with. */
export interface ThreadSetup {
  app: string;
  root: string;
  broker: BrokerAddress;
  logLevel: LogLevel;
  telemetry: TelemetryEnvironment;
  /** What the threads count together of the spans that they store. */
  storedCounts: SharedArrayBuffer;
  /** Where it hands in its spans, if they are exported. */
  exportTo?: SpanIntake | undefined;
  slots: SharedArrayBuffer;
  gates: SharedArrayBuffer;
  /** The environment as it is now: a thread that was started ahead of its time has a copy of an older one. */
  env: RawEnvironment;
}

/** An event as the handler thread needs it. */
export interface EventMeta {
  id: string;
  topic: string;
  attempt: number;
  traceparent: string;
  /** `traceparent` of related work, to be linked to. */
  link?: string | undefined;
}

/** A tick as the handler thread needs it. */
export interface CronMeta {
  id: string;
  /** The time that it stands for, ms since 1970. */
  tick: number;
}

export type Run =
  /** The request's frame as it came: the thread reads it faster than a copy of what was read from it. */
  | { kind: 'api'; step: string; frame: Uint8Array }
  | { kind: 'event'; step: string; meta: EventMeta; body: string }
  | { kind: 'cron'; step: string; meta: CronMeta };

export type RunMessage = { t: 'run'; slot: number; run: Run; gate?: Gate | undefined };

export type ToThread =
  /** The first message: what to serve. */
  | { t: 'load'; bundle: Bundle }
  | RunMessage
  | { t: 'abort'; slot: number; reason: string }
  /** The caller has taken so many bytes of a streamed answer. */
  | { t: 'credit'; slot: number; taken: number }
  | { t: 'ping' }
  | { t: 'close' };

export type RunResult =
  /** A complete reply frame, the last one. */
  | { status: 'replied'; frame: Uint8Array }
  | { status: 'succeeded' }
  | { status: 'failed'; error: ErrorRecord }
  /** The thread's version of the app has no such step. */
  | { status: 'unknown' }
  /** Not started: the lease was over, so the run's message may be with another worker by now. */
  | { status: 'lost' };

/** `tookMs`: from the start of the handler to its end; `emits`: how many events it emitted. */
export type ResultMessage = { t: 'result'; slot: number; result: RunResult; tookMs: number; emits: number };

export type FromThread =
  | { t: 'ready'; app: LoadedApp }
  /** A reply frame of a streamed answer, which is not the last one. */
  | { t: 'frame'; slot: number; frame: Uint8Array }
  | ResultMessage
  | { t: 'withdrawn'; slot: number }
  | { t: 'log'; line: string }
  /** A record that is stored, and not written out: the handler has printed it by itself. */
  | { t: 'console'; line: string }
  /** Lines of ended spans, and how many more were dropped. */
  | { t: 'spans'; lines: string[]; dropped: number }
  | { t: 'pong' };

/** What a handler thread found when it loaded a bundle. */
export interface LoadedApp {
  manifest: Manifest;
  failures: StepFailure[];
  warnings: string[];
  settings: WorkerSettings;
}
