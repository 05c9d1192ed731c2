/** Has `canAccess` of a stream or `authenticate` of `streamAuth` run: from a question's bytes to the bytes of the reply. */
import { MotiaError, toErrorRecord } from '../../shared/errors.ts';
import { toJson } from '../../shared/json-values.ts';
import {
  type AccessAnswer,
  type AccessQuestion,
  type AuthAnswer,
  type AuthQuestion,
  LARGEST_CONTEXT,
  STREAM_AUTH_ID,
} from '../../shared/protocol/access.ts';
import { formatIssues } from '../../shared/steps/validation.ts';
import type { StreamAuthConfig, StreamConfig } from '../../shared/types.ts';
import type { ActiveRun } from './active-run.ts';
import type { Services } from './context.ts';
import { refuse, reply } from './run-api.ts';

/** Gives the reply frame. Never rejects. */
export async function runAccess(run: ActiveRun, bytes: Buffer, services: Services): Promise<Uint8Array> {
  try {
    const question = JSON.parse(bytes.toString('utf8'));
    if (run.step.entry.id === STREAM_AUTH_ID) return await authenticate(run, question, services);
    return reply(200, await canAccess(run, question));
  } catch (error) {
    return refuse(run, error, services);
  }
}

async function canAccess(run: ActiveRun, { subscription, authContext }: AccessQuestion): Promise<AccessAnswer> {
  const allow = run.step.handler as NonNullable<StreamConfig['canAccess']>;
  return { allowed: Boolean(await allow(subscription, authContext as never)) };
}

async function authenticate(run: ActiveRun, question: AuthQuestion, { log }: Services): Promise<Uint8Array> {
  let context: unknown;
  try {
    context = (await (run.step.handler as StreamAuthConfig['authenticate'])(question)) ?? null;
  } catch (error) {
    // How a project says no; a mistake looks the same.
    log.write(
      'warn',
      { action: 'stream_auth_refused', traceId: run.span.traceId, err: toErrorRecord(error) },
      `streamAuth refused a client: ${toErrorRecord(error).message}`,
    );
    return reply(401, { error: 'Authentication failed' });
  }
  checkContext(run, context);
  return reply(200, { context } satisfies AuthAnswer);
}

/** @throws {MotiaError} `INVALID_VALUE` for what is no context as the project describes it, or as it can be passed on. */
function checkContext({ step }: ActiveRun, context: unknown): void {
  const fits = context === null ? undefined : step.validate?.(context);
  if (fits?.ok === false) {
    const issues = formatIssues(fits.issues);
    throw new MotiaError('INVALID_VALUE', `what authenticate returned does not fit contextSchema: ${issues}`);
  }
  const size = Buffer.byteLength(toJson(context));
  if (size > LARGEST_CONTEXT) {
    throw new MotiaError(
      'INVALID_VALUE',
      `authenticate returned ${size} bytes of JSON: a context has ${LARGEST_CONTEXT} at most`,
    );
  }
}
