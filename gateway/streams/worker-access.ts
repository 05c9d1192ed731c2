/** Has workers say who may follow a stream: the functions of the project that know are called as API steps are. */
import type pino from 'pino';
import {
  type AccessAnswer,
  type AccessQuestion,
  type AuthAnswer,
  type AuthQuestion,
  canAccessId,
  STREAM_AUTH_ID,
} from '../../shared/protocol/access.ts';
import type { Manifest } from '../../shared/steps/manifest.ts';
import type { Tracing } from '../../shared/tracing.ts';
import { CallFailed } from '../call-failed.ts';
import type { StepCalls, StepResponse } from '../step-calls.ts';
import { AccessRefused, type StreamAccess } from './access.ts';

export interface WorkerAccessOptions {
  calls: StepCalls;
  /** The newest one; as long as there is none, nobody follows anything. */
  manifest: () => Manifest | undefined;
  tracing: Tracing;
  log: pino.Logger;
  /** How long a client waits for an answer, which includes the wait for a worker that starts. Default 5 s. */
  timeoutMs?: number;
}

const TIMEOUT_MS = 5_000;
/** Bytes of a question, of which a context has a quarter at most. Less than any broker refuses. */
const LARGEST_QUESTION = 256 * 1024;
/** Which calls may be had again when their worker is lost is known by the method. */
const METHOD = 'GET';

export class WorkerAccess implements StreamAccess {
  readonly #options: WorkerAccessOptions;

  constructor(options: WorkerAccessOptions) {
    this.#options = options;
  }

  /** @throws {AccessRefused} if the project refuses the client, {@link CallFailed} if nobody could say. The caller logs that. */
  async authenticate({ headers, url }: AuthQuestion): Promise<unknown> {
    const manifest = this.#options.manifest();
    if (!manifest) throw new CallFailed(503, 'Nothing is served yet');
    if (!manifest.settings.streamAuth) return null;
    const answer = await this.#ask<AuthAnswer>(STREAM_AUTH_ID, { headers, url });
    if (!answer) throw new AccessRefused('Authentication failed');
    if (answer.context === undefined) throw new CallFailed(502, 'The answer has no context');
    return answer.context;
  }

  async canAccess(
    stream: string,
    { groupId, id }: AccessQuestion['subscription'],
    authContext: unknown,
  ): Promise<boolean> {
    const entry = this.#options.manifest()?.streams?.find(({ name }) => name === stream);
    if (!entry?.canAccess) return entry !== undefined;
    const subscription = id === undefined ? { groupId } : { groupId, id };
    try {
      const answer = await this.#ask<AccessAnswer>(canAccessId(stream), { subscription, authContext });
      return answer?.allowed === true;
    } catch (error) {
      const { status, errorId } = error instanceof CallFailed ? error : { status: 500, errorId: undefined };
      this.#options.log.warn(
        { action: 'access_undecided', stream, status, errorId, err: error },
        `Nobody could say who may follow the stream "${stream}": a client was denied`,
      );
      return false;
    }
  }

  /**
   * @returns the answer, or `undefined` if it is no.
   * @throws whatever kept it from coming.
   */
  async #ask<Answer>(id: string, question: AuthQuestion | AccessQuestion): Promise<Answer | undefined> {
    const { calls, tracing, timeoutMs = TIMEOUT_MS } = this.#options;
    const body = Buffer.from(JSON.stringify(question));
    if (body.length > LARGEST_QUESTION)
      throw new CallFailed(413, `The question has more than ${LARGEST_QUESTION} bytes`);
    const span = tracing.startSpan(id);
    try {
      const response = await calls.call({
        stepId: id,
        method: METHOD,
        url: '/',
        params: {},
        headers: {},
        body,
        traceparent: span.traceparent,
        timeoutMs,
        // A lost worker's question goes to another one after three seconds, which may then be the first to begin.
        startWithinMs: timeoutMs,
      });
      const answer = readAnswer(response);
      if (response.status === 200) return answer as Answer;
      if (response.status === 401) return undefined;
      throw new CallFailed(response.status, String(answer?.error), answer?.errorId);
    } catch (error) {
      span.fail(error);
      throw error;
    } finally {
      span.end();
    }
  }
}

function readAnswer({ body }: StepResponse) {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    throw new CallFailed(502, 'The answer is no JSON'); // its error would quote from the answer
  }
}
