/** Whether somebody has made the broker ready for an app: what a process looks at that may not do so itself. */
import { MotiaError } from '../errors.ts';
import type { Names } from '../protocol/subjects.ts';
import type { Broker } from './connect.ts';
import { readManifest } from './manifest-store.ts';

/**
 * Makes sure that there is a manifest: it is published when everything else is in place.
 * @throws {MotiaError} `NOT_PROVISIONED`
 */
export async function checkProvisioned(broker: Broker, names: Names): Promise<void> {
  let cause: unknown;
  try {
    if (await readManifest(broker, names)) return;
  } catch (error) {
    if (!isNotThere(error)) throw error;
    cause = error;
  }
  throw notProvisioned(`the broker has not been made ready for ${names.app}`, cause);
}

export const notProvisioned = (what: string, cause?: unknown): MotiaError =>
  new MotiaError('NOT_PROVISIONED', `${what}, and MOTIA_PROVISION is off here: run motia provision`, { cause });

/** Nobody listens where the manifest would be: its bucket is not there. */
const isNotThere = (error: unknown): boolean =>
  error instanceof MotiaError && (error.code === 'BROKER_LOST' || error.code === 'BROKER_TIMEOUT');
