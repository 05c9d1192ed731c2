/** What `motia.config` says that others than its own worker need to know, as the manifest carries it. */
import { MotiaError } from '../errors.ts';
import type { JsonSchema, MotiaConfig } from '../types.ts';
import * as z from '../zod.ts';
import { toJsonSchema } from './json-schema.ts';
import type { TelemetrySettings } from './telemetry-settings.ts';
import { formatIssues, toIssues } from './validation.ts';

export interface ProjectSettings {
  /** Largest request body in bytes. */
  bodyLimit: number;
  /** Origins that browsers may call from; none when empty. */
  corsOrigins: '*' | string[];
  /** Milliseconds until a call that is not answered gets 504. */
  timeoutMs: number;
  /** Milliseconds for which the answer to a call with an `Idempotency-Key` is kept; absent for the gateway's default. */
  idempotencyWindowMs?: number;
  /** What happens to a body that does not fit `bodySchema`. */
  validation: 'enforce' | 'warn' | 'ignore';
  /** Whoever wants to follow streams is first to be authenticated, by `streamAuth`. */
  streamAuth?: true;
  /** What is known of them then, for types. */
  streamAuthContext?: JsonSchema;
  /** What concerns traces and logs; absent for the defaults. */
  telemetry?: TelemetrySettings;
}

/** Of `http` in `motia.config`. */
export const httpSchema = z.prefault(
  z.strictObject({
    bodyLimit: z._default(z.int().check(z.minimum(1)), 10 * 1024 * 1024),
    cors: z._default(z.strictObject({ origins: z.union([z.literal('*'), z.literal(false), z.array(z.string())]) }), {
      origins: '*',
    }),
    timeout: z._default(z.number().check(z.positive()), 30),
    idempotencyWindow: z.optional(z.number().check(z.minimum(1), z.maximum(7 * 24 * 60 * 60))),
    validation: z._default(z.enum(['enforce', 'warn', 'ignore']), 'warn'),
  }),
  {},
);

/** Fills in the defaults. @throws MotiaError `PROJECT_INVALID` that names what is wrong in `motia.config` */
export function resolveSettings(config: MotiaConfig): ProjectSettings {
  const result = httpSchema.safeParse(config.http);
  if (!result.success) {
    const issues = toIssues(result.error).map(({ path, message }) => ({
      path: path ? `http.${path}` : 'http',
      message,
    }));
    throw new MotiaError('PROJECT_INVALID', formatIssues(issues));
  }
  const { bodyLimit, cors, timeout, idempotencyWindow, validation } = result.data;
  const corsOrigins = cors.origins === false ? [] : cors.origins;
  const settings: ProjectSettings = { bodyLimit, corsOrigins, timeoutMs: timeout * 1000, validation };
  if (idempotencyWindow !== undefined) settings.idempotencyWindowMs = idempotencyWindow * 1000;
  if (config.streamAuth) settings.streamAuth = true;
  const context = toJsonSchema(config.streamAuth?.contextSchema, 'output');
  if (context) settings.streamAuthContext = context;
  return settings;
}
