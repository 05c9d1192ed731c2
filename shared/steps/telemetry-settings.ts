/** Settings of `motia.config` that concern traces and logs, as the manifest carries them. */
import { MotiaError } from '../errors.ts';
import type { MotiaConfig } from '../types.ts';
import * as z from '../zod.ts';
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

/** One that may be absent. */
const section = <Shape extends z.core.$ZodLooseShape>(keys: Shape) => z.prefault(z.strictObject(keys), {} as never);

/** Of `telemetry`, `tracing`, `workbench` and `logs` in `motia.config`. */
export const telemetrySections = z.object({
  telemetry: section({
    days: z.optional(z.number().check(z.positive(), z.maximum(365))),
    bytes: z.optional(z.int().check(z.minimum(MIB))),
    payloads: z.optional(z.boolean()),
  }),
  tracing: section({ trustIncoming: z._default(z.boolean(), false) }),
  workbench: section({
    traceUrl: z.optional(z.string().check(z.regex(/^https?:\/\/.*\{traceId\}/, 'expected a URL with {traceId} in it'))),
  }),
  logs: section({
    redact: z._default(z.array(z.string().check(z.minLength(1), z.maxLength(200))).check(z.maxLength(100)), []),
  }),
});

/**
 * Reads `telemetry`, `tracing`, `workbench` and `logs`.
 * @returns nothing if all of it has its default.
 * @throws MotiaError `PROJECT_INVALID` that names what is wrong in `motia.config`
 */
export function resolveTelemetrySettings(config: MotiaConfig): TelemetrySettings | undefined {
  const { telemetry, tracing, workbench, logs } = config;
  const result = telemetrySections.safeParse({ telemetry, tracing, workbench, logs });
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
