/** What those may do who look after an app: operators all with its data, and whoever provisions it also what it is made of. */
import type { Names } from '../protocol/subjects.ts';
import * as grant from './grants.ts';
import { join, type Permissions } from './permissions.ts';

/** Reads and changes what is stored, pauses steps. Makes no streams and consumers, and takes none away. */
export function adminPermissions(names: Names): Permissions {
  const { streams, buckets } = names;
  return join(
    ...allStreams(names).flatMap((stream) => [grant.read(stream), grant.purge(stream), grant.removeMessages(stream)]),
    ...Object.values(streams).map(grant.inspectConsumers),
    { publish: [`$JS.API.CONSUMER.PAUSE.${streams.events}.*`] },
    // Logs are followed as they are told.
    grant.follow(streams.telemetry),
    grant.follow(grant.keyValueStream(buckets.manifest)),
    grant.publish(`${names.app}.>`),
    ...Object.values(buckets).map((bucket) => grant.publish(`$KV.${bucket}.>`, `$O.${bucket}.>`)),
  );
}

/** The only one that makes streams, buckets and durable consumers, and takes consumers away. */
export function provisionPermissions(names: Names): Permissions {
  return join(
    adminPermissions(names),
    ...allStreams(names).map((stream) => ({
      publish: [
        ...['CREATE', 'UPDATE'].map((action) => `$JS.API.STREAM.${action}.${stream}`),
        ...['CREATE', 'DURABLE.CREATE', 'DELETE', 'MSG.NEXT'].map((action) => `$JS.API.CONSUMER.${action}.${stream}.>`),
        `$JS.ACK.${stream}.>`, // of what consumers of steps that are gone still have
      ],
    })),
  );
}

function allStreams({ streams, bookingStream, buckets }: Names): string[] {
  const { bodies, payloads, values, items, answers, ...keyValues } = buckets;
  return [
    ...Object.values(streams),
    bookingStream,
    ...Object.values({ ...keyValues, answers }).map(grant.keyValueStream),
    ...[bodies, payloads, values, items, answers].map(grant.objectStream),
  ];
}
