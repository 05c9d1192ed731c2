/** `motia scheduler`: fires the project's cron steps, against the broker of NATS_URL. Several may run: one leads. */
import { startScheduler } from '../../scheduler/main.ts';
import { requiredBroker } from '../broker-address.ts';
import { GRACE_MS } from '../grace.ts';
import { opsAddress } from '../ops-address.ts';
import { commandLogger, commandOptions, type Flags } from '../options.ts';
import { runUntilShutdown } from '../run-until-shutdown.ts';

export async function scheduler(flags: Flags): Promise<number> {
  const options = commandOptions(flags, 'json');
  const broker = requiredBroker(options, 'scheduler');
  const log = commandLogger(options);
  return runUntilShutdown(log, async (life) => {
    const { app, env } = options;
    const { partitions, telemetry } = env;
    const ops = opsAddress(options);
    const started = await startScheduler({ broker, app, partitions, ops, log, storeLog: telemetry.stored });
    life.defer('scheduler', () => started.close(), GRACE_MS.role);
    log.info({ action: 'ready' }, 'The scheduler is ready');
  });
}
