/** One scheduler: learns the cron steps from the broker, and fires their ticks while it is the leader. */
import type pino from 'pino';
import { connectBroker } from '../shared/broker/connect.ts';
import { CronStore } from '../shared/broker/cron-store.ts';
import { watchManifest } from '../shared/broker/manifest-store.ts';
import { startTelemetryStore } from '../shared/broker/telemetry-store.ts';
import { ensureTopology } from '../shared/broker/topology.ts';
import type { BrokerAddress } from '../shared/config.ts';
import { Lifecycle } from '../shared/lifecycle.ts';
import { createNames } from '../shared/protocol/subjects.ts';
import { Leader } from './leader.ts';
import { Scheduler } from './scheduler.ts';

export interface SchedulerOptions {
  broker: BrokerAddress;
  /** Sanitised app name. */
  app: string;
  /** Partitions of message groups. */
  partitions: number;
  log: pino.Logger;
  /** Whether it stores what it logs. Default false: the gateway of the same process does. */
  storeLog?: boolean;
}

/**
 * Starts a scheduler; resolves once it competes for the lead. Any number may run.
 * @throws {MotiaError} `BROKER_*`.
 */
export async function startScheduler(options: SchedulerOptions): Promise<{ close(): Promise<void> }> {
  const { app, log } = options;
  const names = createNames(app, options.partitions);
  const lifecycle = new Lifecycle();
  try {
    const broker = await connectBroker(options.broker, {
      name: `${app} scheduler`,
      onError: (message) => log.warn({ action: 'broker_error' }, `Broker: ${message}`),
    });
    lifecycle.defer('broker connection', () => broker.close());
    await ensureTopology(broker, names);
    if (options.storeLog) lifecycle.defer('telemetry', startTelemetryStore(broker, names, 'scheduler', log).close);
    const leader = new Leader(broker, names, log);
    lifecycle.defer('leader', () => leader.stop());
    const scheduler = new Scheduler({ names, cron: new CronStore(broker, names), leader, log });
    lifecycle.defer('ticks', async () => {
      const stopped = scheduler.stop();
      if (broker.connected()) await stopped; // otherwise it waits for the connection, and nothing is lost without it
    });
    const stopWatch = await watchManifest(broker, names, (manifest) => scheduler.serve(manifest));
    lifecycle.defer('manifest watch', stopWatch);
    leader.start();
    scheduler.start();
  } catch (error) {
    await lifecycle.close();
    throw error;
  }
  return {
    close: async () => {
      for (const error of await lifecycle.close()) log.error({ action: 'close_failed', err: error }, error.message);
    },
  };
}
