/** Takes away what tests have left in an app, and leaves the app itself. */
import type { Broker } from '../shared/broker/connect.ts';
import { purgeEntries } from '../shared/broker/key-value.ts';
import { readAnswer } from '../shared/broker/publish.ts';
import type { Names } from '../shared/protocol/subjects.ts';

/** Events, dead letters, ticks, state, items of streams, kept answers and the records of cron runs. */
export async function forgetAll(broker: Broker, names: Names): Promise<void> {
  const { manifest, leases, ...buckets } = names.buckets;
  const streams = Object.values(names.streams);
  const purge = (stream: string) => broker.mux.request(`$JS.API.STREAM.PURGE.${stream}`, '');
  const keyValues = [buckets.state, buckets.streams, buckets.delivery, buckets.answers].map((bucket) => `KV_${bucket}`);
  const objects = [buckets.bodies, buckets.payloads, buckets.values, buckets.items, buckets.answers].map(
    (bucket) => `OBJ_${bucket}`,
  );
  for (const answer of await Promise.all([...streams, ...keyValues, ...objects].map(purge))) readAnswer(answer);
  await purgeEntries(broker, leases, names.allCronRuns);
}
