/**
 * Removes large values that nothing points to any more, now and then: those that were replaced, those that went with their entry's
 * ttl, and what a crash has left. Gateways do it, since every app has one.
 */
import type pino from 'pino';
import type { Broker } from '../../shared/broker/connect.ts';
import { StateStore } from '../../shared/broker/state.ts';
import { StreamStore } from '../../shared/broker/streams.ts';
import type { Names } from '../../shared/protocol/subjects.ts';

/** How often; and how old a large value has to be, since its entry may be about to be stored. */
const SWEEP_MS = 60 * 60_000;

/** @returns what ends it. */
export function sweepLargeValues(broker: Broker, names: Names, log: pino.Logger, everyMs = SWEEP_MS): () => void {
  const stores = [new StateStore(broker, names), new StreamStore(broker, names)];
  const timer = setInterval(() => {
    if (!broker.connected()) return;
    for (const store of stores) {
      store
        .sweep(everyMs)
        .catch((error) => log.warn({ action: 'sweep_failed', err: error }, 'Unused large values could not be removed'));
    }
  }, everyMs).unref();
  return () => clearInterval(timer);
}
