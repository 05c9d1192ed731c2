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
  /** Log fields that are not told, besides those that never are. */
  redact?: string[];
}

const MIB = 1024 ** 2;
/** Of `telemetry`, `tracing` and `logs` in `motia.config`. */
export const telemetrySections = z.object({
  telemetry: z
    .strictObject({ days: z.number().positive().max(365).optional(), bytes: z.int().min(MIB).optional() })
    .prefault({}),
  tracing: z.strictObject({ trustIncoming: z.boolean().default(false) }).prefault({}),
  logs: z.strictObject({ redact: z.array(z.string().min(1).max(200)).max(100).default([]) }).prefault({}),
});

/**
 * Reads `telemetry`, `tracing` and `logs`.
 * @returns nothing if all of it has its default.
 * @throws MotiaError `PROJECT_INVALID` that names what is wrong in `motia.config`
 */
export function resolveTelemetrySettings({ telemetry, tracing, logs }: MotiaConfig): TelemetrySettings | undefined {
  const result = telemetrySections.safeParse({ telemetry, tracing, logs });
  if (!result.success) throw new MotiaError('PROJECT_INVALID', formatIssues(toIssues(result.error)));
  const { data } = result;
  const settings: TelemetrySettings = {};
  if (data.telemetry.days !== undefined) settings.days = data.telemetry.days;
  if (data.telemetry.bytes !== undefined) settings.bytes = data.telemetry.bytes;
  if (data.tracing.trustIncoming) settings.trustIncoming = true;
  if (data.logs.redact.length > 0) settings.redact = data.logs.redact;
  return Object.keys(settings).length === 0 ? undefined : settings;
}
