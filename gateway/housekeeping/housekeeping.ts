/** What an app leaves behind on the broker, taken away now and then. Gateways do it, since every app has one. */
import type pino from 'pino';
import type { Broker } from '../../shared/broker/connect.ts';
import { retireManifests } from '../../shared/broker/manifest-store.ts';
import type { Names } from '../../shared/protocol/subjects.ts';
import { sweepLargeValues } from './large-values.ts';
import { OrphanWatch } from './orphan-watch.ts';

const RETIRE_MS = 60 * 60_000;

/**
 * @param orphanGraceMs how long a consumer has to be unused to be taken away.
 * @returns what ends it.
 */
export function startHousekeeping(
  broker: Broker,
  names: Names,
  log: pino.Logger,
  orphanGraceMs: number | undefined,
): () => void {
  const orphans = new OrphanWatch(broker, names, log, orphanGraceMs);
  orphans.start();
  const stopSweeping = sweepLargeValues(broker, names, log);
  const retiring = setInterval(() => {
    retireManifests(broker, names).catch((error) => {
      log.warn({ action: 'manifests_left', err: error }, 'Old manifests could not be taken away; trying again');
    });
  }, RETIRE_MS).unref();
  return () => {
    clearInterval(retiring);
    stopSweeping();
    orphans.stop();
  };
}
