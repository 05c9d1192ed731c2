/** Settings of `motia.config` that concern traces and logs, as the manifest carries them. */
import { z } from 'zod';
import { MotiaError } from '../errors.ts';
import type { MotiaConfig } from '../types.ts';
import { formatIssues, toIssues } from './validation.ts';

/** What is absent has its default. */
export interface TelemetrySettings {
  /** How long spans and log records are stored. */
  days?: number;
  /** How many bytes of them. */
  bytes?: number;
  /** An incoming `traceparent` is the parent of the request's span. */
  trustIncoming?: true;
  /** Whether spans bear what was sent and answered; absent for what the command does. */
  payloads?: boolean;
  /** Where a trace is shown elsewhere; with `{traceId}`. */
  traceUrl?: string;
  /** Log fields that are not told, besides those that never are. */
  redact?: string[];
}

const MIB = 1024 ** 2;
const sections = z.object({
  telemetry: z
    .strictObject({
      days: z.number().positive().max(365).optional(),
      bytes: z.int().min(MIB).optional(),
      payloads: z.boolean().optional(),
    })
    .prefault({}),
  tracing: z.strictObject({ trustIncoming: z.boolean().default(false) }).prefault({}),
  workbench: z
    .strictObject({
      traceUrl: z
        .string()
        .regex(/^https?:\/\/.*\{traceId\}/, 'expected a URL with {traceId} in it')
        .optional(),
    })
    .prefault({}),
  logs: z.strictObject({ redact: z.array(z.string().min(1).max(200)).max(100).default([]) }).prefault({}),
});

/**
 * Reads `telemetry`, `tracing`, `workbench` and `logs`.
 * @returns nothing if all of it has its default.
 * @throws MotiaError `PROJECT_INVALID` that names what is wrong in `motia.config`
 */
export function resolveTelemetrySettings(config: MotiaConfig): TelemetrySettings | undefined {
  const { telemetry, tracing, workbench, logs } = config;
  const result = sections.safeParse({ telemetry, tracing, workbench, logs });
  if (!result.success) throw new MotiaError('PROJECT_INVALID', formatIssues(toIssues(result.error)));
  const { data } = result;
  const settings: TelemetrySettings = {};
  if (data.telemetry.days !== undefined) settings.days = data.telemetry.days;
  if (data.telemetry.bytes !== undefined) settings.bytes = data.telemetry.bytes;
  if (data.telemetry.payloads !== undefined) settings.payloads = data.telemetry.payloads;
  if (data.workbench.traceUrl !== undefined) settings.traceUrl = data.workbench.traceUrl;
  if (data.tracing.trustIncoming) settings.trustIncoming = true;
  if (data.logs.redact.length > 0) settings.redact = data.logs.redact;
  return Object.keys(settings).length === 0 ? undefined : settings;
}
