/** Spans around the middleware of an API step and its handler, each below the one that calls it. */
import { type Tracing, traced } from '../../shared/tracing.ts';
import { currentRun } from './active-run.ts';
import { activeContext, causeOf, contextManager, withSpan } from './span-context.ts';
import { UserSpan } from './user-span.ts';

type Layer = (...args: never[]) => unknown;

/** The same middleware, each in a span of its own. */
export const traceMiddleware = <T extends Layer>(middleware: readonly T[], tracing: Tracing): T[] =>
  middleware.map((layer, index) => traceLayer(layer, layer.name || `middleware ${index + 1}`, tracing));

/** The same handler, in a span of its own. */
export const traceHandler = <T extends Layer>(handler: T, tracing: Tracing): T =>
  traceLayer(handler, 'handler', tracing);

function traceLayer<T extends Layer>(layer: T, name: string, tracing: Tracing): T {
  const inSpan = (...args: Parameters<T>): unknown => {
    const run = currentRun.getStore();
    if (!run) return layer(...args); // called from where nothing is known of the run
    const span = tracing.startSpan(name, { parent: causeOf(run) });
    const context = withSpan(activeContext(), UserSpan.of(span));
    return contextManager.with(context, () => traced(span, async () => layer(...args)));
  };
  return inSpan as T;
}
