/** Tracing that records: spans are exported, stored, or both. Imported only where one of these is wanted. */
import type { TelemetryEnvironment } from './config.ts';
import { firstOfEachSecond, PER_SECOND_BYTES } from './per-second.ts';
import { QuietSpan, type RecordSpan } from './quiet-span.ts';
import { RecordedSpan, type SpanSink } from './recorded-span.ts';
import { createSampling } from './sampling.ts';
import { SpanSender } from './span-export/span-sender.ts';
import { STORED_COUNT_BYTES, Thinning } from './thinning.ts';
import { newSpanId, newTraceId, parseTraceparent } from './trace-ids.ts';
import type { SpanTargets, Tracing } from './tracing.ts';

/** Spans that a process stores in a second, whichever traces they are of: one trace may have thousands of runs. */
const MOST_STORED = 500;
/** How the `traceparent` of a trace that is not sampled ends. */
const NOT_SAMPLED = '-00';

export function createRecordedTracing(
  settings: TelemetryEnvironment,
  { store, exportTo, counts = new SharedArrayBuffer(STORED_COUNT_BYTES) }: SpanTargets,
): Tracing {
  const exporting = exportTo && new SpanSender(exportTo, settings);
  const hasRoom = firstOfEachSecond(MOST_STORED, counts);
  const thinning = new Thinning(undefined, counts, PER_SECOND_BYTES);
  const isSampled = createSampling(settings);
  const follows = settings.sampler.startsWith('parentbased');
  const sink: SpanSink = (span) => {
    if (span.sampled) exporting?.add(span);
    if (store && (!exporting || span.failed || thinning.keeps(span.traceId))) store(span);
  };
  const record: RecordSpan = (context, name, options) =>
    new RecordedSpan(context, parseTraceparent(options.parent), name, options, sink);
  return {
    recording: true,
    startSpan(name, options = {}) {
      if (follows && options.parent?.endsWith(NOT_SAMPLED)) return new QuietSpan(record, name, options);
      const parent = parseTraceparent(options.parent);
      const traceId = parent?.traceId ?? newTraceId();
      const sampled = isSampled(parent, traceId);
      // Whoever exports has asked for all that is sampled.
      const isKept = sampled && (exporting !== undefined || hasRoom());
      if (!isKept) return new QuietSpan(record, name, options, { traceId, sampled });
      return new RecordedSpan({ traceId, spanId: newSpanId(), sampled }, parent, name, options, sink);
    },
    close: () => exporting?.close(),
  };
}
