/**
 * The functions that say who may follow a stream, as steps: `canAccess` of each stream that has one, and `streamAuth` of
 * `motia.config`. Gateways call them as they do API steps. No route leads there, and the manifest does not list them.
 */
import { canAccessId, RESERVED_MARK, STREAM_AUTH_ID } from '../protocol/access.ts';
import type { ApiRouteConfig } from '../types.ts';
import { describeStep, type Manifest, type StepEntry } from './manifest.ts';

/** What `streamAuth` is told of under. */
const CONFIG = 'motia.config';

/** One of them as a config: its name is its id. It is given no state. */
export const accessConfig = (id: string): ApiRouteConfig => ({
  type: 'api',
  name: id,
  method: 'GET',
  path: '',
  emits: [],
  stateGroups: [],
});

/** Those that a manifest asks for. */
export function accessSteps({ streams = [], settings }: Pick<Manifest, 'streams' | 'settings'>): StepEntry[] {
  const steps = streams
    .filter(({ canAccess }) => canAccess)
    .map(({ name, language, file }) => describeStep(file, language, accessConfig(canAccessId(name))));
  if (settings.streamAuth) steps.push(describeStep(CONFIG, 'node', accessConfig(STREAM_AUTH_ID)));
  return steps;
}

/** All that a manifest has workers take messages for. */
export const servedSteps = (manifest: Manifest): StepEntry[] => [...manifest.steps, ...accessSteps(manifest)];

export const isAccessStep = ({ name }: Pick<StepEntry, 'name'>): boolean => name.startsWith(RESERVED_MARK);
