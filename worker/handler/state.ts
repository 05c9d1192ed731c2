/** State as one run sees it; its contract is `StateManager` in `shared/types.ts`. */
import type { StateStore } from '../../shared/broker/state.ts';
import { MotiaError } from '../../shared/errors.ts';
import { toName } from '../../shared/json-values.ts';
import type { StepEntry } from '../../shared/steps/manifest.ts';
import type { Tracing } from '../../shared/tracing.ts';
import type { Page, PageOptions, SetOptions, StateEntry, StateManager, UpdateChange } from '../../shared/types.ts';
import type { ActiveRun } from './active-run.ts';
import { operate, toValueChange } from './operation.ts';

export interface StateServices {
  /** @param confined for a step that names its groups. */
  state: (confined: boolean) => StateStore | Promise<StateStore>;
  tracing: Tracing;
}

export function createState(run: ActiveRun, { state, tracing }: StateServices): StateManager {
  const have = <T>(
    name: string,
    [group, key]: [group?: string, key?: string],
    operation: (store: StateStore) => Promise<T>,
  ) => {
    checkGroup(run.step.entry, group);
    return operate(
      run,
      tracing,
      ['state', name],
      () => ({
        ...(group !== undefined && { 'motia.state.group': group }),
        ...(key !== undefined && { 'motia.state.key': key }),
      }),
      async () => operation(await state(run.step.entry.stateGroups !== undefined)),
    );
  };
  return {
    get: async <T>(group: string, key: string) => {
      const [g, k] = [toText(group), toText(key)];
      return (await have('get', [g, k], (store) => store.get(g, k))) as T | null;
    },
    getEntry: async <T>(group: string, key: string) => {
      const [g, k] = [toText(group), toText(key)];
      return (await have('getEntry', [g, k], (store) => store.getEntry(g, k))) as StateEntry<T> | null;
    },
    set: async <T>(group: string, key: string, value: T, options?: SetOptions) => {
      const [g, k] = [toText(group), toText(key)];
      await have('set', [g, k], (store) => store.set(g, k, value, options));
      return value;
    },
    update: async <T>(group: string, key: string, change: UpdateChange<T | null, T>) => {
      const [g, k] = [toText(group), toText(key)];
      const next = toValueChange(run, change);
      return (await have('update', [g, k], (store) => store.update(g, k, next))) as T;
    },
    delete: async <T>(group: string, key: string) => {
      const [g, k] = [toText(group), toText(key)];
      return (await have('delete', [g, k], (store) => store.delete(g, k))) as T | null;
    },
    getGroup: async <T>(group: string) => {
      const g = toText(group);
      return (await have('getGroup', [g], (store) => store.getGroup(g))) as T[];
    },
    getGroupPage: async <T>(group: string, options?: PageOptions) => {
      const g = toText(group);
      const page = await have('getGroupPage', [g], (store) => store.getGroupPage(g, options));
      return page as Page<StateEntry<T> & { key: string }>;
    },
    listGroups: async (options?: PageOptions) => have('listGroups', [], (store) => store.listGroups(options)),
    clear: async (group: string) => {
      const g = toText(group);
      await have('clear', [g], (store) => store.clear(g));
    },
  };
}

const toText = (name: unknown) => toName(name, 'groups and keys of state');

/**
 * @param group absent for what concerns all of them.
 * @throws {MotiaError} `STATE_GROUP_NOT_DECLARED` if the step names its groups and this is none of them.
 */
function checkGroup({ name, file, stateGroups }: StepEntry, group: string | undefined): void {
  if (stateGroups === undefined || (group !== undefined && stateGroups.includes(group))) return;
  const what = group === undefined ? 'all groups of state' : `the group of state ${JSON.stringify(group)}`;
  const advice = group === undefined ? 'remove its stateGroups' : 'add that to its stateGroups';
  throw new MotiaError('STATE_GROUP_NOT_DECLARED', `${name} may not touch ${what}: ${advice} in ${file}`);
}
