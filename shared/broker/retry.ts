/** Rides out what passes by itself: a lost connection, a server that restarts, a leader election. */
import { errors } from '@nats-io/transport-node';
import { MotiaError } from '../errors.ts';
import type { Broker } from './connect.ts';

const RETRY_AFTER_MS = 50;

/**
 * Tries again for `forMs` what failed for a passing reason. Only for what may be done twice: the outcome of a failed try is not
 * known.
 * @throws what the last try threw.
 */
export function rideOut<T>(broker: Broker, forMs: number, attempt: () => Promise<T>): Promise<T> {
  if (!broker.connected()) return tryAgain(broker, forMs, attempt);
  return attempt().catch((error) => (isTransient(error) ? tryAgain(broker, forMs, attempt) : Promise.reject(error)));
}

async function tryAgain<T>(broker: Broker, forMs: number, attempt: () => Promise<T>): Promise<T> {
  const giveUp = Date.now() + forMs;
  for (;;) {
    await broker.whenConnected(giveUp - Date.now()); // what is sent before that may be lost without a word
    try {
      return await attempt();
    } catch (error) {
      if (!isTransient(error) || Date.now() > giveUp) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS));
    }
  }
}

/** Whether trying again later may help. The client library has errors of its own for the same things. */
function isTransient(error: unknown): boolean {
  if (error instanceof MotiaError) return error.code === 'BROKER_LOST' || error.code === 'BROKER_TIMEOUT';
  if (error instanceof Error && error.cause instanceof errors.PermissionViolationError) return false;
  return error instanceof errors.TimeoutError || error instanceof errors.RequestError || isNotReady(error);
}

/** A request that nobody answers, because JetStream is not up yet. */
function isNotReady(error: unknown): boolean {
  return (
    error instanceof errors.NoRespondersError ||
    (error instanceof Error && error.cause instanceof errors.NoRespondersError)
  );
}
