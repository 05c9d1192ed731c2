/** One scheduler: learns the cron steps from the broker, and fires their ticks while it is the leader. */
import type pino from 'pino';
import { relayBookings } from '../shared/broker/bookings.ts';
import { connectBroker } from '../shared/broker/connect.ts';
import { CronStore } from '../shared/broker/cron-store.ts';
import { watchManifest } from '../shared/broker/manifest-store.ts';
import { QueueAdmin } from '../shared/broker/queue-admin.ts';
import { startTelemetryStore } from '../shared/broker/telemetry-store.ts';
import { ensureTopology } from '../shared/broker/topology.ts';
import type { BrokerAddress } from '../shared/config.ts';
import { Lifecycle } from '../shared/lifecycle.ts';
import { type CollectMetrics, Ops } from '../shared/ops.ts';
import { type OpsAddress, serveOps } from '../shared/ops-server.ts';
import { createNames } from '../shared/protocol/subjects.ts';
import { Leader } from './leader.ts';
import { QueueMetrics } from './queue-metrics.ts';
import { Scheduler } from './scheduler.ts';

export interface SchedulerOptions {
  broker: BrokerAddress;
  /** Sanitised app name. */
  app: string;
  /** Partitions of message groups. */
  partitions: number;
  /** Where metrics and health are served. */
  ops?: OpsAddress | undefined;
  log: pino.Logger;
  /** Whether it stores what it logs. Default false: the gateway of the same process does. */
  storeLog?: boolean;
}

export interface RunningScheduler {
  /** Its metrics, without those of its process. */
  collect: CollectMetrics;
  close(): Promise<void>;
}

/**
 * Starts a scheduler; resolves once it competes for the lead. Any number may run.
 * @throws {MotiaError} `BROKER_*`.
 */
export async function startScheduler(options: SchedulerOptions): Promise<RunningScheduler> {
  const { app, log } = options;
  const names = createNames(app, options.partitions);
  const lifecycle = new Lifecycle();
  const ops = new Ops(app, 'scheduler');
  let serves = false;
  ops.health.readyIf(() => (serves ? undefined : 'it does not compete for the lead yet'));
  try {
    await serveOps(ops, options.ops, lifecycle, log);
    const broker = await connectBroker(options.broker, {
      name: `${app} scheduler`,
      onError: (message) => log.warn({ action: 'broker_error' }, `Broker: ${message}`),
    });
    lifecycle.defer('broker connection', () => broker.close());
    ops.watch(broker);
    await ensureTopology(broker, names);
    if (options.storeLog) lifecycle.defer('telemetry', startTelemetryStore(broker, names, 'scheduler', log).close);
    const leader = new Leader(broker, names, log);
    lifecycle.defer('leader', () => leader.stop());
    const scheduler = new Scheduler({ names, cron: new CronStore(broker, names), leader, log, metrics: ops.metrics });
    lifecycle.defer('ticks', async () => {
      const stopped = scheduler.stop();
      if (broker.connected()) await stopped; // otherwise it waits for the connection, and nothing is lost without it
    });
    const stopWatch = await watchManifest(broker, names, (manifest) => scheduler.serve(manifest));
    lifecycle.defer('manifest watch', stopWatch);
    if (broker.locked) lifecycle.defer('bookings', relayBookings(broker, names, log));
    leader.start();
    scheduler.start();
    ops.metrics.gauge('motia_scheduler_leader', () => Number(leader.leads()));
    const queues = new QueueMetrics(new QueueAdmin(broker, names), log);
    ops.metrics.readTogether(async () => (leader.leads() ? queues.read() : undefined));
    serves = true;
  } catch (error) {
    await lifecycle.close();
    throw error;
  }
  return {
    collect: () => ops.collectOwn(),
    close: async () => {
      ops.health.drain();
      for (const error of await lifecycle.close()) log.error({ action: 'close_failed', err: error }, error.message);
    },
  };
}
