/** `motia gateway`: the HTTP side alone, against the broker of NATS_URL. */
import { startGateway } from '../../gateway/main.ts';
import { ownPackage } from '../../shared/package-root.ts';
import { requiredBroker } from '../broker-address.ts';
import { GRACE_MS } from '../grace.ts';
import { opsAddress } from '../ops-address.ts';
import { commandLogger, commandOptions, DEFAULT_PORT, type Flags } from '../options.ts';
import { runUntilShutdown } from '../run-until-shutdown.ts';
import { deployedWorkbench } from '../workbench.ts';

export async function gateway(flags: Flags): Promise<number> {
  const options = commandOptions(flags, 'json');
  const broker = requiredBroker(options, 'gateway');
  const workbench = deployedWorkbench(options.env);
  const log = commandLogger(options);
  return runUntilShutdown(log, async (life) => {
    const { app, host = '0.0.0.0', port = DEFAULT_PORT } = options;
    const started = await startGateway({
      broker,
      app,
      partitions: options.env.partitions,
      host,
      port,
      portFallback: 0,
      streams: options.env.streams,
      drainMs: options.env.drainMs,
      admin: { openOnLoopback: false, token: options.env.adminToken },
      workbench,
      installation: { mode: 'gateway', motiaVersion: ownPackage().version },
      ops: opsAddress(options),
      log,
      telemetry: options.env.telemetry,
    });
    life.defer('gateway', () => started.close(), options.env.drainMs + GRACE_MS.role);
    await started.ready;
    log.info({ action: 'ready', url: started.url }, `Ready at ${started.url}`);
  });
}
