/** What all operations of handlers on stored values have in common. */
import { AsyncResource } from 'node:async_hooks';
import { MotiaError } from '../../shared/errors.ts';
import { type Attributes, type Tracing, traced } from '../../shared/tracing.ts';
import type { UpdateChange, UpdateOperation } from '../../shared/types.ts';
import { applyOperations } from '../../shared/update-operations.ts';
import type { ActiveRun } from './active-run.ts';
import { causeOf } from './span-context.ts';

/** Has an operation done for a run, if that may act, in a span of its own: `state.get`. */
export function operate<T>(
  run: ActiveRun,
  tracing: Tracing,
  [area, name]: [area: 'state' | 'stream', name: string],
  attributes: () => Attributes,
  operation: () => Promise<T>,
): Promise<T> {
  return run.act(() => {
    if (!run.span.recorded) return operation();
    const span = tracing.startSpan(`${area}.${name}`, {
      kind: 'client',
      parent: causeOf(run),
      attributes: { 'db.system.name': 'nats', 'db.operation.name': name, ...attributes() },
    });
    return traced(span, operation);
  });
}

/**
 * What `update` was given, as a function that belongs to the run: it is called on behalf of other runs as well, and when the run
 * may have been given up.
 */
export function toValueChange(
  run: ActiveRun,
  change: UpdateChange<never, unknown>,
): (current: unknown) => Promise<unknown> {
  if (!Array.isArray(change) && typeof change !== 'function') {
    throw new MotiaError(
      'INVALID_VALUE',
      'update() needs a function that makes the new value, or a list of operations',
    );
  }
  return AsyncResource.bind(async (current: unknown) => {
    run.assertMayAct();
    if (typeof change !== 'function') return applyOperations(current, change as readonly UpdateOperation[]);
    run.enter();
    const next = await change(current as never);
    if (next === undefined) {
      throw new MotiaError(
        'INVALID_VALUE',
        'the function given to update() returned nothing: it has to return the new value',
      );
    }
    return next;
  });
}
