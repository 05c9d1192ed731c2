/** What the admin API answers. The one place that names files of the program, and only for their types: nothing of them is in the page. */
export type { CronStatus } from '../../../shared/broker/cron-admin.ts';
export type { DeadLetter, DeadLetterDetail } from '../../../shared/broker/dead-letter.ts';
export type { DeadLetterPage, RetriedLetters } from '../../../shared/broker/dead-letter-admin.ts';
export type { Emitted } from '../../../shared/broker/emit-admin.ts';
export type { EventPlace, EventSearch } from '../../../shared/broker/event-search.ts';
export type { QueueDepth, QueueStatus } from '../../../shared/broker/queue-admin.ts';
export type { ScheduledEvent } from '../../../shared/broker/scheduled-admin.ts';
export type { StepActivity, StepPulse } from '../../../shared/broker/telemetry-activity.ts';
export type { LogPage } from '../../../shared/broker/telemetry-logs.ts';
export type { TraceSummary } from '../../../shared/broker/telemetry-summary.ts';
export type { SpanNode, Trace } from '../../../shared/broker/telemetry-trace.ts';
export type { TracePage } from '../../../shared/broker/telemetry-traces.ts';
export type { LogLevel } from '../../../shared/log-levels.ts';
export type { EmitEntry, StepEntry, StreamEntry } from '../../../shared/steps/manifest.ts';
export type { LogRecord, TraceStatus } from '../../../shared/telemetry-records.ts';
export type { JsonSchema } from '../../../shared/types/step-config.ts';
export type { Page, StateEntry, StreamItem } from '../../../shared/types.ts';

import type { QueueDepth } from '../../../shared/broker/queue-admin.ts';
import type { StreamStatus as StoredStreamStatus } from '../../../shared/broker/stream-admin.ts';
import type { StepActivity } from '../../../shared/broker/telemetry-activity.ts';
import type { TouchedState as TouchedValue } from '../../../shared/broker/touched-state.ts';
import type { StepEntry, StreamEntry } from '../../../shared/steps/manifest.ts';

/** `GET /steps` */
export interface Steps {
  app?: string;
  version?: string;
  steps: StepEntry[];
  streams: StreamEntry[];
  /** Ids of the steps that a component of the project shows; only in dev. */
  nodeComponents?: string[];
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
  /** The project has a tutorial for the page. */
  tutorial: boolean;
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

/** `GET /state/touched` */
export interface TouchedState {
  keys: TouchedValue[];
}

/** `GET /streams` */
export interface StreamStatus extends StoredStreamStatus {
  /** How many follow something of it at this gateway. */
  clients?: number;
}
/** `GET /activity` */
export interface Activity {
  since: string;
  steps: StepActivity[];
  queues: QueueDepth[];
}

/** `GET /flows/layout` */
export interface FlowLayout {
  id: string;
  /** By the path of a step's file. */
  config: Record<string, { x: number; y: number; sourceHandlePosition?: Side; targetHandlePosition?: Side }>;
}

type Side = 'bottom' | 'right' | 'left' | 'top';
