/** The spans around runs. The semantic conventions have no attribute for how long a message has waited. */
import type { RequestMeta } from '../../shared/protocol/frames.ts';
import type { LoadedStep } from '../../shared/steps/load.ts';
import type { Attributes, Span, Tracing } from '../../shared/tracing.ts';
import type { EventMeta } from '../threads/messages.ts';

const WAIT = 'motia.queue.wait_ms';

/** The span of an API run, a child of the gateway's. */
export function startApiSpan(tracing: Tracing, step: LoadedStep, { traceparent }: RequestMeta, waitedMs: number): Span {
  if (!tracing.recording) return tracing.startSpan('', { parent: traceparent });
  const { name, common } = commonOf(step, '', () => ({
    name: `run ${step.entry.name}`,
    common: { ...describe(step), 'faas.trigger': 'http' },
  }));
  return tracing.startSpan(name, { parent: traceparent, common, describe: () => ({ [WAIT]: waitedMs }) });
}

const NO_LINKS: string[] = [];

/** The span of one attempt at an event, a child of the emit's; of a dead letter that was retried a child of the retry's. */
export function startEventSpan(tracing: Tracing, step: LoadedStep, meta: EventMeta, waitedMs: number): Span {
  if (!tracing.recording) return tracing.startSpan('', { parent: meta.traceparent });
  const { topic } = meta;
  const { name, common } = commonOf(step, topic, () => ({
    name: `process ${topic}`,
    common: {
      ...describe(step),
      'faas.trigger': 'pubsub',
      'messaging.system': 'nats',
      'messaging.operation.type': 'process',
      'messaging.destination.name': topic,
    },
  }));
  return tracing.startSpan(name, {
    kind: 'consumer',
    parent: meta.traceparent,
    links: meta.link === undefined ? NO_LINKS : [meta.link],
    common,
    describe: () => ({ 'messaging.message.id': meta.id, 'motia.attempt': meta.attempt, [WAIT]: waitedMs }),
  });
}

/** What the spans of a step's runs have in common. */
interface Common {
  name: string;
  common: Attributes;
}

/** By step and topic. */
const commons = new WeakMap<LoadedStep, Map<string, Common>>();

function commonOf(step: LoadedStep, topic: string, describe: () => Common): Common {
  let ofStep = commons.get(step);
  if (!ofStep) {
    ofStep = new Map();
    commons.set(step, ofStep);
  }
  let common = ofStep.get(topic);
  if (!common) {
    common = describe();
    ofStep.set(topic, common);
  }
  return common;
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
