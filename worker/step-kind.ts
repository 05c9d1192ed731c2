/** What a step is, in a few words for the log. */
import type { StepEntry } from '../shared/steps/manifest.ts';

/** A step's kind and what it listens to, for people. */
export function describeStepKind({ type, method, path, subscribes, cron }: StepEntry): string {
  if (type === 'api') return `(API) ${method} ${path}`;
  if (type === 'event') return `(Event) ${subscribes?.join(', ')}`;
  return type === 'cron' ? `(Cron) ${cron}` : '(Noop)';
}
