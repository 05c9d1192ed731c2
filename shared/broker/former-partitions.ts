/**
 * The partitions of steps that have ceased to be FIFO. From then on the one consumer of the subscription has the groups as well. A boundary,
 * fixed once, says which of the two runs an event of a group: up to it the partition, after it the whole subscription.
 */
import type { Names } from '../protocol/subjects.ts';
import type { StepEntry } from '../steps/manifest.ts';
import type { Broker } from './connect.ts';
import {
  deleteConsumer,
  findConsumer,
  isOfGroups,
  type Source,
  subscriptionSource,
  subscriptionSources,
} from './consumers.ts';
import { readEntries, readLast, replaceEntry } from './key-value.ts';
import { readLeases } from './worker-lease.ts';

/** What was FIFO before, by the consumer of its whole subscription. */
export type FormerPartitions = ReadonlyMap<string, { boundary: number; left: Source[] }>;

/** Looks for what steps of a manifest have left. Their own consumers are to be there: a boundary is behind what they do not have. */
export async function findFormerPartitions(
  broker: Broker,
  names: Names,
  steps: readonly StepEntry[],
): Promise<FormerPartitions> {
  const there = new Set<string>();
  for await (const { name } of broker.jsm.consumers.list(names.streams.events)) there.add(name);
  const entries = await readEntries(broker, names.buckets.delivery, names.boundaryKeys);
  const known = new Map(entries.map(({ key, data }) => [key, toBoundary(data)]));
  const former = new Map<string, { boundary: number; left: Source[] }>();
  for (const step of steps) {
    if (step.type !== 'event' || step.infrastructure?.queue?.type === 'fifo') continue;
    for (const topic of new Set(step.subscribes)) {
      const { durable } = subscriptionSource(names, step, topic);
      const left = partitionsOf(names, step, topic).filter((source) => there.has(source.durable));
      let boundary = known.get(names.boundaryKey(durable));
      if (boundary === undefined && left.length > 0) boundary = await fixBoundary(broker, names, durable);
      if (boundary !== undefined)
        former.set(durable, { boundary, left: left.map((s) => ({ ...s, runsUntil: boundary })) });
    }
  }
  return former;
}

/**
 * Takes a former partition away if it is done with: nothing up to its boundary waits, and no worker of an older version serves it.
 * @returns whether it is gone.
 */
export async function endFormerPartition(broker: Broker, names: Names, source: Source): Promise<boolean> {
  const info = await findConsumer(broker, source.stream, source.durable);
  if (!info) return true;
  const reached = info.num_pending === 0 || info.delivered.stream_seq >= (source.runsUntil ?? Number.POSITIVE_INFINITY);
  if (info.num_ack_pending > 0 || !reached) return false;
  if ((await readLeases(broker, names, 'serves')).has(`${source.stream}/${source.durable}`)) return false;
  await deleteConsumer(broker, source);
  return true;
}

/** The groups' partitions of a step, if it were FIFO. */
function partitionsOf(names: Names, { id, infrastructure }: StepEntry, topic: string): Source[] {
  const queue = { ...infrastructure?.queue, type: 'fifo' as const };
  return subscriptionSources(names, { id, infrastructure: { ...infrastructure, queue } }, topic).filter(isOfGroups);
}

async function fixBoundary(broker: Broker, names: Names, durable: string): Promise<number> {
  const key = names.boundaryKey(durable);
  for (;;) {
    const { entry, revision } = await readLast(broker, names.buckets.delivery, key);
    if (entry) return toBoundary(entry.data);
    const { state } = await broker.jsm.streams.info(names.streams.events);
    await replaceEntry(broker, names.buckets.delivery, key, String(state.last_seq), revision);
  }
}

const toBoundary = (data: Uint8Array): number => Number(Buffer.from(data).toString('utf8'));
