/** OpenTelemetry's context in a handler thread: which span the code being executed is in. Without `@opentelemetry/api`, for which it stands in. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context, ContextManager } from '@opentelemetry/api';
import type { ActiveRun } from './active-run.ts';
import { currentRun } from './active-run.ts';
import { UserSpan } from './user-span.ts';

/** Where contexts of every version of the API have their span. */
const SPAN_KEY = Symbol.for('OpenTelemetry Context Key SPAN');

class Values implements Context {
  readonly #values: ReadonlyMap<symbol, unknown>;

  constructor(values: ReadonlyMap<symbol, unknown>) {
    this.#values = values;
  }

  getValue(key: symbol): unknown {
    return this.#values.get(key);
  }

  setValue(key: symbol, value: unknown): Context {
    return new Values(new Map(this.#values).set(key, value));
  }

  deleteValue(key: symbol): Context {
    return new Values(new Map([...this.#values].filter(([other]) => other !== key)));
  }
}

const ROOT = new Values(new Map());
const contexts = new AsyncLocalStorage<Context>();
const contextsOfRuns = new WeakMap<ActiveRun, Context>();

/** The context that user code has set, or that of its run. */
export function activeContext(): Context {
  const context = contexts.getStore();
  if (context) return context;
  const run = currentRun.getStore();
  if (!run) return ROOT;
  let ofRun = contextsOfRuns.get(run);
  if (!ofRun) {
    ofRun = withSpan(ROOT, UserSpan.of(run.span));
    contextsOfRuns.set(run, ofRun);
  }
  return ofRun;
}

export const withSpan = (context: Context, span: unknown): Context => context.setValue(SPAN_KEY, span);

/** What a context has as its span, whoever made it. */
export function spanContextOf(context: Context) {
  const span = context.getValue(SPAN_KEY) as { spanContext?: () => UserSpan['context'] } | undefined;
  return span?.spanContext?.();
}

/** What the operations of a run are caused by: the run, or the span of the user's that its code is in. */
export function causeOf(run: ActiveRun): string {
  const context = contexts.getStore();
  const span = context?.getValue(SPAN_KEY);
  return span instanceof UserSpan && span.traceId === run.span.traceId ? span.traceparent : run.span.traceparent;
}

export const contextManager: ContextManager = {
  active: activeContext,
  with: (context, fn, thisArg, ...args) => contexts.run(context, () => fn.call(thisArg as never, ...args)),
  bind<T>(context: Context, target: T): T {
    if (typeof target !== 'function') return target;
    return function (this: unknown, ...args: unknown[]) {
      return contexts.run(context, () => target.apply(this, args));
    } as T;
  },
  enable: () => contextManager,
  disable: () => contextManager,
};
