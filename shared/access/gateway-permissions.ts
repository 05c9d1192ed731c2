/** What a gateway may do: pass calls on, keep answers, show streams to clients. No events. */
import type { Names } from '../protocol/subjects.ts';
import * as grant from './grants.ts';
import { join, type Permissions } from './permissions.ts';

/** @param workers prefixes of the inboxes of workers: they are told there what a client has taken of a streamed answer. */
export function gatewayPermissions(names: Names, workers: readonly string[]): Permissions {
  const { streams, buckets } = names;
  const { answers, bodies, manifest, items } = buckets;
  return join(
    grant.publish(names.requests, names.cancel, names.allTelemetry, ...workers.map((prefix) => `${prefix}.>`)),
    // Whether a call is still there that nobody has answered for.
    { publish: [`$JS.API.STREAM.MSG.GET.${streams.requests}`] },
    ...[answers, bodies].flatMap((bucket) => [
      grant.readObjects(bucket),
      grant.addObjects(bucket),
      grant.purge(grant.objectStream(bucket)),
    ]),
    grant.readBucket(answers),
    grant.write(answers, '*.*'),
    grant.purge(grant.keyValueStream(answers)),
    grant.follow(grant.keyValueStream(answers)),
    grant.readBucket(manifest),
    grant.follow(grant.keyValueStream(manifest)),
    grant.readBucket(buckets.streams),
    grant.follow(grant.keyValueStream(buckets.streams)),
    grant.readObjects(items),
    grant.read(streams.sent),
    grant.follow(streams.sent),
  );
}
