/** Why events of a subscription wait. */
import type { ConsumerInfo } from '@nats-io/jetstream';
import type { Names } from '../protocol/subjects.ts';
import type { StepEntry } from '../steps/manifest.ts';
import type { AttemptMark } from './attempt-marks.ts';
import type { Broker } from './connect.ts';
import type { Source } from './consumers.ts';
import { readEntry } from './key-value.ts';

/** One subscription with what the broker knows of it. */
export interface Subscription {
  step: StepEntry;
  topic: string;
  name: string;
  /** In a FIFO step one for each partition. Without `info` it is not on the broker. */
  sources: (Source & { info: ConsumerInfo | undefined })[];
}

/** Why the next event of a source waits that no worker has. */
export async function whyWaiting(
  broker: Broker,
  names: Names,
  { step }: Subscription,
  info: ConsumerInfo | undefined,
): Promise<{ state: string; why: string }> {
  const { queue = {} } = step.infrastructure ?? {};
  if (!info) return { state: 'no consumer', why: 'it is not set up on the broker: start a worker or motia provision' };
  const { num_ack_pending: held, num_waiting: asking, config } = info;
  if (isPaused(info)) return { state: 'paused', why: 'paused' };
  if (queue.type === 'fifo' && held > 0) {
    return { state: 'behind', why: 'behind another event of its message group, or of one in the same partition' };
  }
  if (queue.globalConcurrency !== undefined && held >= (config.max_ack_pending ?? 0)) {
    return { state: 'concurrency limit', why: `globalConcurrency: ${held} of ${config.max_ack_pending} run` };
  }
  if (queue.rateLimit && (held > 0 || asking > 0)) {
    const next = await nextStart(broker, names, step.id);
    const when = next > Date.now() ? `, the next start is at ${iso(next)}` : '';
    const { limit, per } = queue.rateLimit;
    if (next > Date.now() || asking === 0) {
      return { state: 'rate limit', why: `rateLimit: ${limit} in ${per} s${when}` };
    }
  }
  if (asking > 0) return { state: 'next', why: 'a worker is about to take it' };
  if (held > 0) return { state: 'busy', why: `all workers are busy with ${held} of its events` };
  return { state: 'no worker', why: 'no worker asks for events of this step' };
}

async function nextStart(broker: Broker, names: Names, stepId: string): Promise<number> {
  const entry = await readEntry(broker, names.buckets.delivery, names.rateKey(stepId));
  return entry ? Number(Buffer.from(entry.data).toString('utf8')) || 0 : 0;
}

export const isPaused = (info: ConsumerInfo): boolean => info.paused === true;

/** The mark of an event that waits in its place for the next attempt: the one that an ordered consumer holds. */
export function backoffOf(info: ConsumerInfo, mark: AttemptMark | undefined): AttemptMark | undefined {
  const isHeld = info.num_ack_pending > 0 && mark?.sequence === info.delivered.stream_seq;
  return isHeld && mark.notBefore > Date.now() ? mark : undefined;
}

const iso = (ms: number) => new Date(ms).toISOString();
