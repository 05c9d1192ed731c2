/** Whether a subscription takes what is sent to it alone: an interest stream accepts what nobody listens to, and keeps nothing of it. */
import { MotiaError } from '../errors.ts';
import { type Names, partsOfSubscription } from '../protocol/subjects.ts';
import type { StepEntry } from '../steps/manifest.ts';
import type { Broker } from './connect.ts';
import { apiCode } from './topology.ts';

const NO_CONSUMER = 10014;

/**
 * @param step of the manifest.
 * @param durable consumer of its subscription, or of one partition.
 * @throws {MotiaError} `UNKNOWN_STEP` when it does not subscribe to the topic any more.
 */
export async function assertTaken(
  broker: Broker,
  names: Names,
  step: StepEntry | undefined,
  topic: string,
  durable: string,
): Promise<void> {
  const isKnown = step?.subscribes?.includes(topic) === true;
  if (isKnown && (await hasConsumer(broker, names.streams.events, durable))) return;
  const { step: id } = partsOfSubscription(durable);
  throw new MotiaError('UNKNOWN_STEP', `no step "${step?.id ?? id}" subscribes to "${topic}" (any more)`);
}

async function hasConsumer(broker: Broker, stream: string, durable: string): Promise<boolean> {
  try {
    await broker.jsm.consumers.info(stream, durable);
    return true;
  } catch (error) {
    if (NO_CONSUMER === apiCode(error)) return false;
    throw error;
  }
}
