/** Waits until somebody has made the broker ready: what the processes of a deployment do before they start. */
import { setTimeout as sleep } from 'node:timers/promises';
import { connectBroker } from '../shared/broker/connect.ts';
import { readManifest } from '../shared/broker/manifest-store.ts';
import type { BrokerAddress } from '../shared/config.ts';
import { MotiaError } from '../shared/errors.ts';
import { createNames } from '../shared/protocol/subjects.ts';
import { CliError } from './cli-error.ts';

const LOOK_EVERY_MS = 250;

/**
 * Resolves when the app has a manifest on the broker.
 * @throws CliError when it has none after so many seconds, MotiaError `BROKER_*` for a broker that cannot be used.
 */
export async function waitUntilProvisioned(address: BrokerAddress, app: string, seconds: number): Promise<void> {
  const giveUp = Date.now() + seconds * 1000;
  const broker = await connectBroker(address, { name: `${app} wait`, timeoutMs: seconds * 1000 });
  try {
    for (;;) {
      const left = giveUp - Date.now();
      const read = readManifest(broker, createNames(app)).catch(unlessNotReady);
      if (await Promise.race([read, sleep(left, undefined, { ref: false })])) return;
      if (Date.now() >= giveUp) break;
      await sleep(LOOK_EVERY_MS);
    }
  } finally {
    await broker.close();
  }
  throw new CliError(
    `The broker has not been made ready for ${app} within ${seconds} s: run motia provision, or see why it has failed`,
  );
}

/** Nobody has made the bucket of manifests yet, or the servers do not agree on a leader yet. */
function unlessNotReady(error: unknown): undefined {
  const passes = error instanceof MotiaError && (error.code === 'BROKER_LOST' || error.code === 'BROKER_TIMEOUT');
  if (!passes) throw error;
}
