/** Values for the Helm chart: which groups of workers take which steps, and what they need for it. Pure. */
import { type Source, subscriptionSources } from '../../shared/broker/consumers.ts';
import { createNames } from '../../shared/protocol/subjects.ts';
import { cpuOf } from '../../shared/steps/config-schema.ts';
import type { StepEntry } from '../../shared/steps/manifest.ts';
import { CliError, EXIT } from '../cli-error.ts';
import type { SCALES } from '../options.ts';

type Scale = (typeof SCALES)[number];

/** A worker without any run, in MB and vCPU: measured were 93 MB for Node and 74 MB for Python. */
const BASE = { ram: 128, cpu: 0.25 };
/** MB of a step that says nothing. */
const USUAL_RAM = 256;
const TARGET_CPU = 70;

/** One group, as the chart has it. */
interface Group {
  name: string;
  steps?: string[];
  replicas: number;
  resources: { requests: { cpu: string; memory: string } };
  autoscaling?: { by: Scale; minReplicas: number; targetCPU?: number; stepIds?: string[]; consumers?: string[] };
}

export interface HelmValues {
  app: string;
  workers: Group[];
  pythonWorkers: Group[];
}

/**
 * A group for each size that steps ask for in `infrastructure.handler.ram`, and one for the steps that ask for none.
 * @throws CliError for a step in order where workers are to be scaled by consumers.
 */
export function helmValues(app: string, steps: readonly StepEntry[], scale: Scale): HelmValues {
  const groupsOf = (language: StepEntry['language']) =>
    toGroups(
      app,
      steps.filter((step) => step.language === language && step.type !== 'noop'),
      scale,
    );
  return { app, workers: groupsOf('node'), pythonWorkers: groupsOf('python') };
}

function toGroups(app: string, steps: StepEntry[], scale: Scale): Group[] {
  const bySize = new Map<number | undefined, StepEntry[]>();
  for (const step of steps) {
    const { ram } = step.infrastructure?.handler ?? {};
    bySize.set(ram, [...(bySize.get(ram) ?? []), step]);
  }
  return [...bySize]
    .sort(([a = 0], [b = 0]) => a - b)
    .map(([ram, members]) => ({
      name: bySize.size === 1 ? 'all' : ram === undefined ? 'main' : `ram-${Math.ceil(ram)}`,
      ...(bySize.size > 1 && { steps: members.map(({ id }) => id) }),
      replicas: 2,
      resources: { requests: requestsOf(members) },
      ...(scale !== 'none' && { autoscaling: scalingOf(app, members, scale) }),
    }));
}

/** A worker's own need, and that of its most demanding step. */
function requestsOf(steps: StepEntry[]): Group['resources']['requests'] {
  const needs = steps.map(({ infrastructure: { handler: { ram = USUAL_RAM, cpu = cpuOf(ram) } = {} } = {} }) => ({
    ram,
    cpu,
  }));
  const most = (of: 'ram' | 'cpu') => BASE[of] + Math.max(...needs.map((need) => need[of]));
  return { cpu: `${Math.ceil(most('cpu') * 1000)}m`, memory: `${Math.ceil(most('ram'))}Mi` };
}

/** Calls are in no queue that could be counted: where there are any, processor time counts as well. */
function scalingOf(app: string, steps: StepEntry[], scale: Scale): Group['autoscaling'] {
  const subscribers = steps.filter(({ type }) => type === 'event');
  const cpu = { minReplicas: 2, targetCPU: TARGET_CPU };
  if (scale === 'cpu' || subscribers.length === 0) return { by: 'cpu', ...cpu };
  const more = subscribers.length < steps.length ? cpu : { minReplicas: 1 };
  if (scale === 'queue') return { by: scale, ...more, stepIds: subscribers.map(({ id }) => id) };
  const names = createNames(app);
  const consumers = subscribers.flatMap((step) =>
    (step.subscribes ?? []).map((topic) => {
      const [source, ...others] = subscriptionSources(names, step, topic);
      if (others.length === 0) return (source as Source).durable;
      throw new CliError(
        `${step.name} takes its events in order, by many consumers: its workers are scaled by the queue, --scale-by queue`,
        EXIT.usage,
      );
    }),
  );
  return { by: scale, ...more, consumers: [...new Set(consumers)] };
}
