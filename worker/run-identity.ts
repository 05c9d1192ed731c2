/** What records of the log say of a run, when the broker thread writes them: the same as the run's own. */
import type { StepEntry } from '../shared/steps/manifest.ts';
import { parseTraceparent } from '../shared/trace-ids.ts';

/**
 * @param span `traceparent` of the run's span, if it is known.
 * @param cause `traceparent` of what caused the run, in the same trace.
 */
export function identityOf({ name, flows }: StepEntry, span?: string, cause?: string): Record<string, unknown> {
  const run = parseTraceparent(span);
  const traceId = (run ?? parseTraceparent(cause))?.traceId;
  return {
    step: name,
    ...(traceId !== undefined && { traceId }),
    ...(run && { spanId: run.spanId }),
    ...(flows?.length > 0 && { flows }), // a manifest of another worker may leave them out
  };
}
