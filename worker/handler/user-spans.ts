/**
 * Spans that handlers, and libraries that they use, make with `@opentelemetry/api`: they are in the trace of the run and go where its spans go,
 * without anything being set up. Whoever has set up an SDK of their own keeps it.
 */
import { createRequire } from 'node:module';
import type {
  Context,
  Span,
  SpanOptions,
  TextMapPropagator,
  TraceAPI,
  Tracer,
  TracerProvider,
} from '@opentelemetry/api';
import { RecordedSpan } from '../../shared/recorded-span.ts';
import { formatTraceparent, parseTraceparent } from '../../shared/trace-ids.ts';
import type { SpanKind, Tracing } from '../../shared/tracing.ts';
import { activeContext, contextManager, spanContextOf, withSpan } from './span-context.ts';
import { toAttributes, toSinceStart, UserSpan } from './user-span.ts';

const KINDS: readonly SpanKind[] = ['internal', 'server', 'client', 'producer', 'consumer'];
/** Where copies of the API, of whichever 1.x, find what was registered. */
const GLOBAL = Symbol.for('opentelemetry.js.api.1');
/** Every 1.x takes this for one that it may use. */
const ANY_VERSION = '1.999.0';
const HEADER = 'traceparent';

type Registered = { version?: string; trace?: unknown };

/** To be called when the project is loaded: by then an SDK of its own has been set up. */
export function installUserSpans(tracing: Tracing): void {
  const globals = globalThis as { [GLOBAL]?: Registered };
  if (!tracing.recording || globals[GLOBAL]?.trace) return;
  const provider: TracerProvider = { getTracer: (name, version) => new UserTracer(tracing, name, version) };
  globals[GLOBAL] ??= { version: ANY_VERSION };
  // Not by the API's own functions, which take what is of their very version only.
  Object.assign(globals[GLOBAL], { trace: provider, context: contextManager, propagation: propagator });
  for (const api of loadedApis()) api._proxyTracerProvider?.setDelegate(provider);
}

/** Tracers that were asked for while the project was loaded wait for a provider. */
function loadedApis(): { _proxyTracerProvider?: { setDelegate(provider: TracerProvider): void } }[] {
  const { cache } = createRequire(import.meta.url);
  return Object.entries(cache).flatMap(([path, module]) => {
    if (!/[\\/]@opentelemetry[\\/]api[\\/]build[\\/]src[\\/]index\.js$/.test(path)) return [];
    const { trace } = (module?.exports ?? {}) as { trace?: TraceAPI & object };
    return trace ? [trace as never] : [];
  });
}

class UserTracer implements Tracer {
  readonly #tracing: Tracing;
  readonly #scope: { name: string; version?: string };

  constructor(tracing: Tracing, name: string, version: string | undefined) {
    this.#tracing = tracing;
    this.#scope = { name, ...(version !== undefined && { version }) };
  }

  startSpan(name: string, options: SpanOptions = {}, context: Context = activeContext()): Span {
    const around = options.root ? undefined : spanContextOf(context);
    const links = (options.links ?? []).map((link) => toTraceparent(link.context));
    const span = this.#tracing.startSpan(String(name), {
      kind: KINDS[options.kind ?? 0] ?? 'internal',
      ...(around && { parent: toTraceparent(around) }),
      links,
      attributes: toAttributes(options.attributes),
      ...(options.startTime !== undefined && { startedAt: toSinceStart(options.startTime) }),
    });
    if (span instanceof RecordedSpan) span.instrumentationScope = this.#scope;
    return new UserSpan(span);
  }

  startActiveSpan<F extends (span: Span) => unknown>(name: string, ...rest: [...unknown[], F]): ReturnType<F> {
    const run = rest.pop() as F;
    const [options, context = activeContext()] = rest as unknown[] as [SpanOptions?, Context?];
    const span = this.startSpan(name, options, context);
    return contextManager.with(withSpan(context, span), () => run(span)) as ReturnType<F>;
  }
}

/** W3C trace context, for libraries that carry it on. */
const propagator: TextMapPropagator = {
  inject(context, carrier, setter) {
    const span = spanContextOf(context);
    if (span) setter.set(carrier, HEADER, toTraceparent(span));
  },
  extract(context, carrier, getter) {
    const header = getter.get(carrier, HEADER);
    const parsed = parseTraceparent(Array.isArray(header) ? header[0] : header);
    if (!parsed) return context;
    const { traceId, spanId, sampled } = parsed;
    const remote = { traceId, spanId, traceFlags: sampled ? 1 : 0, isRemote: true };
    return withSpan(context, { spanContext: () => remote });
  },
  fields: () => [HEADER],
};

const toTraceparent = ({ traceId, spanId, traceFlags }: UserSpan['context']) =>
  formatTraceparent({ traceId, spanId, sampled: (traceFlags & 1) === 1 });
