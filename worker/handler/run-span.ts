/** The spans around runs. The semantic conventions have no attribute for how long a message has waited. */
import type { RequestMeta } from '../../shared/protocol/frames.ts';
import type { LoadedStep } from '../../shared/steps/load.ts';
import type { Attributes, Span, Tracing } from '../../shared/tracing.ts';
import type { EventMeta } from '../threads/messages.ts';

const WAIT = 'motia.queue.wait_ms';

/** The span of an API run, a child of the gateway's. */
export function startApiSpan(tracing: Tracing, step: LoadedStep, { traceparent }: RequestMeta, waitedMs: number): Span {
  if (!tracing.recording) return tracing.startSpan('', { parent: traceparent });
  const { name, attributes } = describeApi(step);
  return tracing.startSpan(name, { parent: traceparent, describe: () => ({ ...attributes, [WAIT]: waitedMs }) });
}

/** The same for every run of a step. */
const apiSpans = new WeakMap<LoadedStep, { name: string; attributes: Attributes }>();

function describeApi(step: LoadedStep) {
  let described = apiSpans.get(step);
  if (!described) {
    described = { name: `run ${step.entry.name}`, attributes: { ...describe(step), 'faas.trigger': 'http' } };
    apiSpans.set(step, described);
  }
  return described;
}

const NO_LINKS: string[] = [];

/** The span of one attempt at an event, a child of the emit's; of a dead letter that was retried a child of the retry's. */
export function startEventSpan(tracing: Tracing, step: LoadedStep, meta: EventMeta, waitedMs: number): Span {
  if (!tracing.recording) return tracing.startSpan('', { parent: meta.traceparent });
  return tracing.startSpan(`process ${meta.topic}`, {
    kind: 'consumer',
    parent: meta.traceparent,
    links: meta.link === undefined ? NO_LINKS : [meta.link],
    describe: () => ({
      ...describe(step),
      'faas.trigger': 'pubsub',
      'messaging.system': 'nats',
      'messaging.operation.type': 'process',
      'messaging.destination.name': meta.topic,
      'messaging.message.id': meta.id,
      'motia.attempt': meta.attempt,
      [WAIT]: waitedMs,
    }),
  });
}

/** The span of a cron run, which begins a trace. */
export function startCronSpan(tracing: Tracing, step: LoadedStep, waitedMs: number): Span {
  if (!tracing.recording) return tracing.startSpan('');
  return tracing.startSpan(`cron ${step.entry.name}`, {
    attributes: {
      ...describe(step),
      'faas.trigger': 'timer',
      'faas.cron': step.entry.cron ?? '',
      [WAIT]: waitedMs,
    },
  });
}

const describe = ({ entry }: LoadedStep): Attributes => ({
  'motia.step.name': entry.name,
  'code.file.path': entry.file,
  ...(entry.flows && entry.flows.length > 0 && { 'motia.step.flows': entry.flows }),
});
