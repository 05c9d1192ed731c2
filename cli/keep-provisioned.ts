/** Keeps the broker ready for an app whose other processes may make nothing there: `motia provision --keep`. */
import { setTimeout as sleep } from 'node:timers/promises';
import type pino from 'pino';
import { startHousekeeping } from '../gateway/housekeeping/housekeeping.ts';
import { type Broker, connectBroker } from '../shared/broker/connect.ts';
import { endFormerPartition, findFormerPartitions } from '../shared/broker/former-partitions.ts';
import { readManifest, watchManifest } from '../shared/broker/manifest-store.ts';
import { ensureSources } from '../shared/broker/provision.ts';
import { followTelemetrySettings } from '../shared/broker/telemetry-limits.ts';
import { ensureTopology } from '../shared/broker/topology.ts';
import type { BrokerAddress, TelemetryEnvironment } from '../shared/config.ts';
import type { Lifecycle } from '../shared/lifecycle.ts';
import type { Ops } from '../shared/ops.ts';
import { createNames, type Names } from '../shared/protocol/subjects.ts';

export interface KeepOptions {
  broker: BrokerAddress;
  app: string;
  partitions: number;
  telemetry: TelemetryEnvironment;
  ops: Ops;
  log: pino.Logger;
}

const TRY_AGAIN_MS = 250;
const END_FORMER_MS = 5_000;

/** Resolves once it is at work: what a server has lost with its memory is made again, and what nobody uses is taken away. */
export async function keepProvisioned(options: KeepOptions, life: Lifecycle): Promise<void> {
  const { app, partitions, telemetry, ops, log } = options;
  const names = createNames(app, partitions);
  let isRestoring = false;
  ops.health.readyIf(() => (isRestoring ? 'it makes again what the broker has lost' : undefined));
  const broker: Broker = await connectBroker(options.broker, {
    name: `${app} provision`,
    onReconnect: () => {
      if (isRestoring) return; // it waits for the connection as well
      isRestoring = true;
      void restore(broker, names, log).finally(() => {
        isRestoring = false;
      });
    },
    onError: (message) => log.warn({ action: 'broker_error' }, `Broker: ${message}`),
  });
  life.defer('broker connection', () => broker.close());
  ops.watch(broker);
  const stopWatch = await watchManifest(broker, names, ({ settings }) =>
    followTelemetrySettings(broker, names, settings.telemetry, telemetry, log),
  );
  life.defer('manifest watch', stopWatch);
  life.defer('housekeeping', startHousekeeping(broker, names, log, undefined));
  const ending = setInterval(() => {
    if (!broker.connected()) return;
    endFormer(broker, names).catch((error) =>
      log.warn({ action: 'partition_left', err: error }, 'Former partitions could not be looked at; trying again'),
    );
  }, END_FORMER_MS).unref();
  life.defer('former partitions', () => clearInterval(ending));
}

/** After a lost connection: the server may have lost its memory, and all that was kept there. */
async function restore(broker: Broker, names: Names, log: pino.Logger): Promise<void> {
  while (!broker.closed()) {
    try {
      await broker.whenConnected(60_000);
      await ensureTopology(broker, names);
      const manifest = await readManifest(broker, names);
      if (manifest) await ensureSources(broker, names, manifest);
      return;
    } catch (error) {
      log.warn({ action: 'recover_failed', err: error }, 'The broker is not ready yet; trying again');
      await sleep(TRY_AGAIN_MS);
    }
  }
}

/** Workers that may take no consumer away leave those of steps that have ceased to be FIFO. */
async function endFormer(broker: Broker, names: Names): Promise<void> {
  const manifest = await readManifest(broker, names);
  const former = await findFormerPartitions(broker, names, manifest?.steps ?? []);
  for (const { left } of former.values()) for (const source of left) await endFormerPartition(broker, names, source);
}
