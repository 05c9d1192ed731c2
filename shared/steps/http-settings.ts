/** Settings of the HTTP gateway, as the manifest carries them. */
import { z } from 'zod';
import { MotiaError } from '../errors.ts';
import type { MotiaConfig } from '../types.ts';
import { formatIssues, toIssues } from './validation.ts';

export interface HttpSettings {
  /** Largest request body in bytes. */
  bodyLimit: number;
  /** Origins that browsers may call from; none when empty. */
  corsOrigins: '*' | string[];
  /** Milliseconds until a call that is not answered gets 504. */
  timeoutMs: number;
  /** What happens to a body that does not fit `bodySchema`. */
  validation: 'enforce' | 'warn' | 'ignore';
}

const httpSchema = z
  .strictObject({
    bodyLimit: z
      .int()
      .min(1)
      .default(10 * 1024 * 1024),
    cors: z
      .strictObject({ origins: z.union([z.literal('*'), z.literal(false), z.array(z.string())]) })
      .default({ origins: '*' }),
    timeout: z.number().positive().default(30),
    validation: z.enum(['enforce', 'warn', 'ignore']).default('warn'),
  })
  .prefault({});

/** Fills in the defaults. @throws MotiaError `PROJECT_INVALID` that names what is wrong in `motia.config` */
export function resolveHttpSettings(config: MotiaConfig): HttpSettings {
  const result = httpSchema.safeParse(config.http);
  if (!result.success) {
    const issues = toIssues(result.error).map(({ path, message }) => ({
      path: path ? `http.${path}` : 'http',
      message,
    }));
    throw new MotiaError('PROJECT_INVALID', formatIssues(issues));
  }
  const { bodyLimit, cors, timeout, validation } = result.data;
  const corsOrigins = cors.origins === false ? [] : cors.origins;
  return { bodyLimit, corsOrigins, timeoutMs: timeout * 1000, validation };
}
