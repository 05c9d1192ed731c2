/** The roles of an app's processes and people towards the broker, each a user there, and what each may do. */
import { inboxPrefix, type Names } from '../protocol/subjects.ts';
import type { AppPart } from '../steps/app-part.ts';
import type { Manifest, StepEntry } from '../steps/manifest.ts';
import { gatewayPermissions } from './gateway-permissions.ts';
import { adminPermissions, provisionPermissions } from './operator-permissions.ts';
import { join, type Permissions } from './permissions.ts';
import { schedulerPermissions } from './scheduler-permissions.ts';
import { workerPermissions } from './worker-permissions.ts';

/** What a group of workers takes of the app. */
export interface WorkerGroup extends AppPart {
  /** They run steps of this language only. */
  readonly language?: StepEntry['language'];
}

export interface RolesOptions {
  /** By their names. */
  workers: ReadonlyMap<string, WorkerGroup>;
  /** Gateways serve the admin API: they may do what an operator may. */
  adminApi: boolean;
}

/** All but workers. Each of them asks workers for something, and gets the answer in its inbox. */
export const ROLES: readonly string[] = ['provision', 'gateway', 'scheduler', 'admin'];

/** The steps that a group of workers could take. */
export const stepsFor = ({ language }: WorkerGroup, steps: readonly StepEntry[]): StepEntry[] =>
  steps.filter((step) => language === undefined || step.language === language);

/** Names of all users: the roles, and the groups of workers. */
export const userNames = ({ workers }: Pick<RolesOptions, 'workers'>): string[] => [...ROLES, ...workers.keys()];

/**
 * What each user may do.
 * @param publicKeys of all {@link userNames}.
 */
export function permissionsOf(
  names: Names,
  manifest: Pick<Manifest, 'steps' | 'streams' | 'settings'>,
  publicKeys: ReadonlyMap<string, string>,
  { workers, adminApi }: RolesOptions,
): Map<string, Permissions> {
  const inboxOf = (user: string) => inboxPrefix(publicKeys.get(user) ?? '');
  const askers = ROLES.map(inboxOf);
  const gateway = gatewayPermissions(names, [...workers.keys()].map(inboxOf));
  const all: [string, Permissions][] = [
    ['provision', provisionPermissions(names)],
    ['gateway', adminApi ? join(gateway, adminPermissions(names)) : gateway],
    ['scheduler', schedulerPermissions(names)],
    ['admin', adminPermissions(names)],
    ...[...workers].map(([name, group]): [string, Permissions] => [
      name,
      workerPermissions(names, { ...manifest, steps: stepsFor(group, manifest.steps) }, group, askers),
    ]),
  ];
  return new Map(all.map(([user, own]) => [user, join(own, COMMON, ownInbox(inboxOf(user)))]));
}

/** How much the account stores, and may: what the client library asks before it uses object stores. */
const COMMON: Partial<Permissions> = { publish: ['$JS.API.INFO'] };

/** To send oneself a message tells what has arrived. */
const ownInbox = (prefix: string): Permissions => ({ publish: [`${prefix}.>`], subscribe: [`${prefix}.>`] });
