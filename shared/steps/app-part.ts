/** The part of an app that one worker takes: what it is named by, and what is in it. */
import { MotiaError } from '../errors.ts';
import { isAccessStep } from './access-steps.ts';
import type { StepEntry } from './manifest.ts';

/** Everything that one of the names fits. Without any name it is the whole app. */
export interface AppPart {
  /** Names of steps, or `name@file` of one among several with that name. */
  readonly steps: readonly string[];
  /** Single subscriptions: those of every event step to these topics. */
  readonly topics: readonly string[];
  /** All steps of these flows. */
  readonly flows: readonly string[];
}

export const WHOLE_APP: AppPart = { steps: [], topics: [], flows: [] };

type Step = Pick<StepEntry, 'name' | 'file' | 'flows' | 'type' | 'subscribes'>;

/**
 * Whether a step is in it with all that it has: its calls, its ticks, or every topic. What says who may follow streams is in every
 * part.
 */
export function takesStep(part: AppPart, step: Step): boolean {
  const isWhole = part.steps.length + part.topics.length + part.flows.length === 0;
  return (
    isWhole ||
    isAccessStep(step) ||
    namesOf(step).some((name) => part.steps.includes(name)) ||
    overlaps(part.flows, step.flows)
  );
}

/** Whether the subscription of an event step to this topic is in it. */
export function takesTopic(part: AppPart, step: Step, topic: string): boolean {
  return takesStep(part, step) || part.topics.includes(topic);
}

/**
 * Makes sure that every name fits something.
 * @param steps all that the worker could take.
 * @throws {MotiaError} `INVALID_VALUE` that lists what there is.
 */
export function checkPart(part: AppPart, steps: readonly Step[]): void {
  const known = {
    step: { wanted: part.steps, there: steps.flatMap(namesOf), shown: steps.map(({ name }) => name) },
    topic: { wanted: part.topics, there: steps.flatMap(topicsOf) },
    flow: { wanted: part.flows, there: steps.flatMap(({ flows }) => flows) },
  };
  for (const [what, { wanted, there, ...rest }] of Object.entries(known)) {
    const unknown = wanted.find((name) => !there.includes(name));
    if (unknown === undefined) continue;
    const shown = [...new Set('shown' in rest ? rest.shown : there)].sort();
    const choice = shown.length > 0 ? `there are: ${shown.join(', ')}` : 'there is none';
    throw new MotiaError('INVALID_VALUE', `no ${what} that this worker could take is named "${unknown}"; ${choice}`);
  }
}

const namesOf = ({ name, file }: Step): string[] => [name, `${name}@${file}`];

const topicsOf = ({ type, subscribes = [] }: Step): string[] => (type === 'event' ? subscribes : []);

const overlaps = (a: readonly string[], b: readonly string[]): boolean => a.some((one) => b.includes(one));
