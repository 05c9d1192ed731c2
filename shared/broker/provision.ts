/** Makes the broker ready for one version of an app, before the first request or event of it. */
import type { Names } from '../protocol/subjects.ts';
import { servedSteps } from '../steps/access-steps.ts';
import type { Manifest } from '../steps/manifest.ts';
import { bookingSource } from './bookings.ts';
import type { Broker } from './connect.ts';
import { ensureConsumer, isOfGroups, sourcesOf } from './consumers.ts';
import { purgeEntries } from './key-value.ts';
import { type Publication, publishManifest } from './manifest-store.ts';
import { ensureBookings, ensureTopology } from './topology.ts';

/**
 * Makes the streams, a durable consumer for every API step, cron step and subscription, and then publishes the manifest: whoever
 * learns of a step from it finds everything in place.
 * @param keepOthers as in {@link publishManifest}.
 */
export async function provisionManifest(
  broker: Broker,
  names: Names,
  manifest: Manifest,
  keepOthers: boolean,
): Promise<Publication> {
  await ensureTopology(broker, names);
  await ensureBookings(broker, names);
  await ensureConsumer(broker, bookingSource(names), 'schedulers');
  await ensureSources(broker, names, manifest);
  return publishManifest(broker, names, manifest, keepOthers, 'provision');
}

/** Makes the durable consumers of a manifest; those that an earlier one has just like that are left alone. */
export async function ensureSources(broker: Broker, names: Names, manifest: Manifest, known?: Manifest): Promise<void> {
  const before = known ? servedSteps(known) : [];
  const made = new Set(before.flatMap((step) => sourcesOf(names, step).map((source) => JSON.stringify(source))));
  const ensure = (ofGroups: boolean) =>
    Promise.all(
      servedSteps(manifest).flatMap((step) =>
        sourcesOf(names, step)
          .filter((source) => isOfGroups(source) === ofGroups && !made.has(JSON.stringify(source)))
          .map((source) => ensureConsumer(broker, source, step.name)),
      ),
    );
  // Of a step that becomes FIFO, the consumer that had all of it is narrowed only when the others are there.
  await ensure(true);
  await ensure(false);
  for (const step of manifest.steps.filter(({ infrastructure }) => infrastructure?.queue?.type === 'fifo')) {
    for (const topic of new Set(step.subscribes)) {
      const boundary = names.boundaryKey(names.subscription(step.id, topic)); // of an earlier time
      await purgeEntries(broker, names.buckets.delivery, boundary);
    }
  }
}
