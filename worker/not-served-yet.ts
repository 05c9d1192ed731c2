/** What a project asks for that this version does not do: said at start, never passed over in silence. */
import type { StepEntry } from '../shared/steps/manifest.ts';
import type { LoadedApp } from './threads/messages.ts';

/** One line for each. */
export function notServedYet({ manifest }: LoadedApp): string[] {
  return (manifest.streams ?? []).map(
    ({ name }) => `The items of the stream "${name}" are stored; clients cannot subscribe to it yet`,
  );
}

/** A step's kind and what it listens to, for people. */
export function describeStepKind({ type, method, path, subscribes, cron }: StepEntry): string {
  if (type === 'api') return `(API) ${method} ${path}`;
  if (type === 'event') return `(Event) ${subscribes?.join(', ')}`;
  return type === 'cron' ? `(Cron) ${cron}` : '(Noop)';
}
