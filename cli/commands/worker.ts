/** `motia worker`: runs the project's steps, against the broker of NATS_URL. */
import { requiredBroker } from '../broker-address.ts';
import { findBuild } from '../build/freshness.ts';
import { GRACE_MS } from '../grace.ts';
import { opsAddress } from '../ops-address.ts';
import { commandLogger, commandOptions, type Flags } from '../options.ts';
import { runWorker } from '../run-worker.ts';

export async function worker(flags: Flags): Promise<number> {
  const options = commandOptions(flags, 'json');
  const broker = requiredBroker(options, 'worker');
  const { app, root, motiaDir, threads, part, concurrency, logging, env } = options;
  const { telemetry, partitions } = env;
  const settings = {
    broker,
    app,
    partitions,
    root,
    motiaDir,
    built: await findBuild(options),
    threads,
    part,
    ...(concurrency !== undefined && { concurrency }),
    watch: false,
    telemetry,
    logging,
    ops: opsAddress(options),
    awaitsOthers: false,
  };
  const log = commandLogger(options);
  return runWorker(settings, GRACE_MS.role, {
    onStarted: () => log.info({ action: 'ready' }, 'The worker takes work'),
  });
}
