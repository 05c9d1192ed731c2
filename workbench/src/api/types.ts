/** What the admin API answers. The one place that names files of the program, and only for their types: nothing of them is in the page. */
export type { QueueDepth, QueueStatus } from '../../../shared/broker/queue-admin.ts';
export type { StepActivity, StepPulse } from '../../../shared/broker/telemetry-activity.ts';
export type { TraceSummary } from '../../../shared/broker/telemetry-summary.ts';
export type { SpanNode, Trace } from '../../../shared/broker/telemetry-trace.ts';
export type { TracePage } from '../../../shared/broker/telemetry-traces.ts';
export type { LogLevel } from '../../../shared/log-levels.ts';
export type { EmitEntry, StepEntry, StreamEntry } from '../../../shared/steps/manifest.ts';
export type { LogRecord, TraceStatus } from '../../../shared/telemetry-records.ts';
export type { JsonSchema } from '../../../shared/types/step-config.ts';

import type { QueueDepth } from '../../../shared/broker/queue-admin.ts';
import type { StepActivity } from '../../../shared/broker/telemetry-activity.ts';
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
