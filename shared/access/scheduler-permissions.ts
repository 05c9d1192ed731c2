/** What a scheduler may do: lead, fire ticks, make schedules of bookings, and count what waits, for metrics. */
import { bookingSource } from '../broker/bookings.ts';
import type { Names } from '../protocol/subjects.ts';
import * as grant from './grants.ts';
import { join, type Permissions } from './permissions.ts';

export function schedulerPermissions(names: Names): Permissions {
  const { streams, buckets } = names;
  const { leases, manifest, delivery } = buckets;
  return join(
    grant.publish(names.ticks, names.schedules, names.allTelemetry),
    grant.take(bookingSource(names)),
    grant.readBucket(leases),
    grant.write(leases, names.schedulerLease, names.cronPositions),
    grant.purge(grant.keyValueStream(leases)),
    grant.follow(grant.keyValueStream(leases)),
    grant.readBucket(manifest),
    grant.follow(grant.keyValueStream(manifest)),
    // Of queues: how many wait, since when, and until when.
    grant.inspectConsumers(streams.events),
    grant.readBucket(delivery),
    ...[streams.events, streams.scheduled, streams.dead].map(grant.read),
  );
}
