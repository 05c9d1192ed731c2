/** What a project asks for that this version does not do: said at start, never passed over in silence. */
import type { StepEntry } from '../shared/steps/manifest.ts';
import type { LoadedApp } from './threads/messages.ts';

/** One line for each. */
export function notServedYet({ manifest, streams }: LoadedApp): string[] {
  return [
    ...streams.map((name) => `The stream "${name}" is not served yet: operations on it are refused`),
    ...manifest.steps.flatMap((step) => stepNotices(step)),
  ];
}

function stepNotices(step: StepEntry): string[] {
  if (step.type === 'cron')
    return [`${step.file}: cron steps are not served yet; ${step.name} (${step.cron}) will not run`];
  return [];
}

/** A step's kind and what it listens to, for people. */
export function describeStepKind({ type, method, path, subscribes, cron }: StepEntry): string {
  if (type === 'api') return `(API) ${method} ${path}`;
  if (type === 'event') return `(Event) ${subscribes?.join(', ')}`;
  return type === 'cron' ? `(Cron) ${cron}` : '(Noop)';
}
