/** What the admin API answers. The one place that names files of the program, and only for their types: nothing of them is in the page. */
export type { CronStatus } from '../../../shared/broker/cron-admin.ts';
export type { DeadLetter, DeadLetterDetail } from '../../../shared/broker/dead-letter.ts';
export type { DeadLetterPage, RetriedLetters } from '../../../shared/broker/dead-letter-admin.ts';
export type { Emitted } from '../../../shared/broker/emit-admin.ts';
export type { EventPlace, EventSearch } from '../../../shared/broker/event-search.ts';
export type { QueueStatus } from '../../../shared/broker/queue-admin.ts';
export type { LogPage } from '../../../shared/broker/telemetry-logs.ts';
export type { TraceSummary } from '../../../shared/broker/telemetry-summary.ts';
export type { SpanNode, Trace } from '../../../shared/broker/telemetry-trace.ts';
export type { TracePage } from '../../../shared/broker/telemetry-traces.ts';
export type { LogLevel } from '../../../shared/log-levels.ts';
export type { EmitEntry, StepEntry, StreamEntry } from '../../../shared/steps/manifest.ts';
export type { LogRecord, TraceStatus } from '../../../shared/telemetry-records.ts';
export type { JsonSchema } from '../../../shared/types/step-config.ts';
export type { Page, StateEntry, StreamItem } from '../../../shared/types.ts';

import type { StreamStatus as StoredStreamStatus } from '../../../shared/broker/stream-admin.ts';
import type { StepEntry, StreamEntry } from '../../../shared/steps/manifest.ts';

/** `GET /steps` */
export interface Steps {
  app?: string;
  version?: string;
  steps: StepEntry[];
  streams: StreamEntry[];
}

/** `GET /app` */
export interface AppInfo {
  app: string;
  /** Of the manifest; absent before one is served. */
  version?: string;
  language: string[];
  mode: 'dev' | 'start' | 'gateway';
  motiaVersion: string;
  startedAt: string;
  /** What may be changed from the page besides data. */
  writable: { layout: boolean };
  /** With `{traceId}` for the id. */
  jaegerUrl?: string;
}

/** `GET /health/ready` of the gateway */
export interface Readiness {
  ok?: boolean;
  reasons?: string[];
}

/** `GET /steps/<step>/source` */
export interface StepSource {
  path: string;
  language: string;
  content: string;
  features: {
    id: string;
    title: string;
    description: string;
    lines: (readonly [from: number, to: number])[];
    link?: string;
  }[];
}

/** `GET /scheduled`, in pages */
export interface ScheduledEvent {
  id: string;
  eventId: string;
  topic: string;
  /** Absent when it is for all that subscribe. */
  step?: string;
  /** ISO 8601. */
  at: string;
  attempt?: number;
  data?: unknown;
}

/** `GET /state/touched` */
export interface TouchedState {
  keys: { group: string; key: string; operations: string[]; wrote: boolean }[];
}

/** `GET /streams` */
export interface StreamStatus extends StoredStreamStatus {
  /** How many follow something of it at this gateway. */
  clients?: number;
}
