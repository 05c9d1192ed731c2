/** The spans around runs. */
import type { RequestMeta } from '../../shared/protocol/frames.ts';
import type { LoadedStep } from '../../shared/steps/load.ts';
import type { Span, Tracing } from '../../shared/tracing.ts';
import type { EventMeta } from '../threads/messages.ts';

/** The span of an API run, a child of the gateway's. */
export function startApiSpan(tracing: Tracing, step: LoadedStep, { traceparent }: RequestMeta): Span {
  if (!tracing.recording) return tracing.startSpan('', { parent: traceparent });
  return tracing.startSpan(`run ${step.entry.name}`, {
    parent: traceparent,
    attributes: { ...describe(step), 'faas.trigger': 'http' },
  });
}

/** The span of one attempt at an event, a child of the emit's. */
export function startEventSpan(tracing: Tracing, step: LoadedStep, meta: EventMeta): Span {
  if (!tracing.recording) return tracing.startSpan('', { parent: meta.traceparent });
  return tracing.startSpan(`process ${meta.topic}`, {
    kind: 'consumer',
    parent: meta.traceparent,
    attributes: {
      ...describe(step),
      'faas.trigger': 'pubsub',
      'messaging.system': 'nats',
      'messaging.operation.type': 'process',
      'messaging.destination.name': meta.topic,
      'messaging.message.id': meta.id,
      'motia.attempt': meta.attempt,
    },
  });
}

/** The span of a cron run, which begins a trace. */
export function startCronSpan(tracing: Tracing, step: LoadedStep): Span {
  if (!tracing.recording) return tracing.startSpan('');
  return tracing.startSpan(`cron ${step.entry.name}`, {
    attributes: { ...describe(step), 'faas.trigger': 'timer', 'faas.cron': step.entry.cron ?? '' },
  });
}

const describe = ({ entry }: LoadedStep) => ({ 'motia.step.name': entry.name, 'code.file.path': entry.file });
