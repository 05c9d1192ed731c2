/** What a worker may do that takes a part of an app: its subscriptions, calls and ticks, and what its steps emit. */
import { sourcesTaken } from '../broker/consumers.ts';
import type { Names } from '../protocol/subjects.ts';
import { servedSteps } from '../steps/access-steps.ts';
import type { AppPart } from '../steps/app-part.ts';
import type { Manifest, StepEntry } from '../steps/manifest.ts';
import * as grant from './grants.ts';
import { join, type Permissions } from './permissions.ts';

/**
 * @param part of the app; with no names in it, all of it.
 * @param askers prefixes of the inboxes of whoever asks workers: gateways for answers, operators for what they hold.
 */
export function workerPermissions(
  names: Names,
  manifest: Pick<Manifest, 'steps' | 'streams' | 'settings'>,
  part: AppPart,
  askers: readonly string[],
): Permissions {
  const own = servedSteps(manifest as Manifest).filter((step) => sourcesTaken(names, part, step).length > 0);
  return join(
    ...own.map((step) => forStep(names, step, part)),
    stores(names),
    ...(manifest.streams ?? []).map(({ name }) => forStream(names, name)),
    ownLease(names),
    grant.publish(...askers.map((prefix) => `${prefix}.>`)),
    grant.publish(names.allTelemetry),
    { subscribe: [names.cancel, names.holdings] },
  );
}

function forStep(names: Names, step: StepEntry, part: AppPart): Permissions {
  const sources = sourcesTaken(names, part, step);
  return join(
    ...sources.map(grant.take),
    forState(names, step),
    grant.publish(...step.emits.flatMap(({ topic }) => emitted(names, topic))),
    ...(step.type === 'event'
      ? [
          forEvents(
            names,
            step,
            sources.map(({ durable }) => durable),
          ),
        ]
      : []),
    ...(step.type === 'cron' ? [grant.write(names.buckets.leases, names.cronRuns(step.id))] : []),
  );
}

/** Of any message group, now or later. */
const emitted = (names: Names, topic: string): string[] => [
  names.event(topic),
  names.groupedEvents(topic),
  names.bookEvent(topic),
  names.bookGroupedEvents(topic),
];

/** Another attempt, the dead letter, and what the workers of a step agree upon. */
function forEvents(names: Names, step: StepEntry, durables: readonly string[]): Permissions {
  const boundaries = (step.subscribes ?? []).map((topic) => names.boundaryKey(names.subscription(step.id, topic)));
  return join(
    grant.publish(...durables.map(names.bookRetry), names.dead(step.id)),
    grant.write(names.buckets.delivery, names.rateKey(step.id), ...durables.map(names.markKey), ...boundaries),
  );
}

function forState(names: Names, { stateGroups }: StepEntry): Permissions {
  const { state } = names.buckets;
  return stateGroups === undefined
    ? join(grant.readBucket(state), grant.write(state, '*.*'), grant.purge(grant.keyValueStream(state)))
    : join(...stateGroups.map((group) => grant.ownEntries(state, names.stateGroup(group))));
}

/** Large data is named by chance, which does not follow from what steps say about themselves. */
function stores({ buckets, streams }: Names): Permissions {
  const { values, items, payloads, bodies } = buckets;
  return join(
    ...[values, items, payloads, bodies].flatMap((bucket) => [grant.readObjects(bucket), grant.addObjects(bucket)]),
    ...[values, items].map((bucket) => grant.purge(grant.objectStream(bucket))),
    ...[buckets.streams, buckets.manifest, buckets.delivery, buckets.leases].map(grant.readBucket),
    grant.follow(grant.keyValueStream(buckets.manifest)),
    // Which partitions a step has left that was FIFO, and up to where they run.
    grant.inspectConsumers(streams.events),
    grant.inspect(streams.events),
  );
}

function forStream(names: Names, stream: string): Permissions {
  return join(grant.write(names.buckets.streams, names.itemsOf(stream)), grant.publish(names.sentThrough(stream)));
}

const ownLease = (names: Names): Permissions => join(grant.write(names.buckets.leases, names.workerLeases));
