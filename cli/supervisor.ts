/** Every role on one machine: a nats-server child unless NATS_URL is set, gateway and scheduler here, worker children. */
import type { Logger } from 'pino';
import type { RunningScheduler } from '../scheduler/main.ts';
import type { BrokerAddress } from '../shared/config.ts';
import type { Lifecycle } from '../shared/lifecycle.ts';
import { ownPackage } from '../shared/package-root.ts';
import type { Manifest } from '../shared/steps/manifest.ts';
import { acquireDevLock, type DevLock } from './dev-lock.ts';
import { startEmbeddedServer } from './embedded-server.ts';
import { GRACE_MS } from './grace.ts';
import { findNatsServer } from './nats-server.ts';
import { supervisedOpsAddress } from './ops-address.ts';
import type { CommandOptions } from './options.ts';
import { runUntilShutdown } from './run-until-shutdown.ts';
import { sayIfSlow } from './say-if-slow.ts';
import { Workers } from './workers.ts';

export interface Supervision {
  options: CommandOptions;
  log: Logger;
  host: string;
  port: number;
  /** How many further ports to try when the port is taken. */
  portFallback: number;
  /** Absolute path of what `motia build` has made; without it the sources are served. */
  built?: string | undefined;
  /** Reload steps when their files change. Otherwise a step that cannot be loaded ends the start. */
  watch: boolean;
  /** Folder of the built Workbench, if there is to be one. */
  workbench: string | undefined;
  /** Told of each new list of steps. */
  onManifest?: (manifest: Manifest) => void;
  /** The first requests can be answered. */
  onReady(address: { url: string; port: number }): void;
}

/** While files are edited, no other version of the app runs beside this one. */
const DEV_ORPHAN_GRACE_MS = 5_000;

/** Runs until a signal or a failure. @returns the exit code. */
export function supervise(supervision: Supervision): Promise<number> {
  const { options, log } = supervision;
  return runUntilShutdown(log, async (life, fail) => {
    const lock = await acquireDevLock(options.dataDir);
    life.defer('lock', () => lock.release());

    const { built, watch, host, port, portFallback, workbench } = supervision;
    const workers = new Workers({ options, built, watch, log, fail });
    const gatewayModule = import('../gateway/main.ts');
    const broker = options.env.broker ?? (await startBroker(options, log, life, lock));

    life.defer('workers', () => workers.stop(), GRACE_MS.supervisedWorker + 1_000);
    const workersStarted = workers.start(broker);
    workersStarted.catch(fail);

    const { startGateway } = await gatewayModule;
    const { app, env } = options;
    const { telemetry, partitions, streams, drainMs } = env;
    let stopping = false;
    let scheduler: Promise<RunningScheduler> | undefined;
    const otherMetrics = async () => {
      const scheduled = scheduler?.then((started) => started.collect());
      return (await Promise.all([scheduled ?? [], workers.metrics()])).flat();
    };
    const ops = supervisedOpsAddress(options, host);
    const admin = { openOnLoopback: watch, token: env.adminToken };
    const gateway = await startGateway({
      ...{
        broker,
        app,
        partitions,
        host,
        port,
        portFallback,
        admin,
        ops,
        otherMetrics,
        streams,
        drainMs,
        log,
        telemetry,
        workbench,
        installation: {
          mode: watch ? ('dev' as const) : ('start' as const),
          motiaVersion: ownPackage().version,
          root: options.root,
        },
      },
      ...(watch && { orphanGraceMs: DEV_ORPHAN_GRACE_MS }),
      ...(supervision.onManifest && { onManifest: supervision.onManifest }),
    });
    const close = () => {
      stopping = true;
      return Promise.all([scheduler?.then((started) => started.close()), gateway.close()]);
    };
    life.defer('gateway and scheduler', close, drainMs + GRACE_MS.supervisedGateway);
    await lock.setUrl(gateway.url);
    // Until then the gateway serves what an earlier run has left.
    const ready = Promise.all([gateway.ready, workersStarted]);
    await sayIfSlow('Compiling and loading the steps …', ready, (line) => log.info({ action: 'starting' }, line));
    await gateway.refresh();
    supervision.onReady(gateway);

    const { startScheduler } = await import('../scheduler/main.ts'); // nobody waits for it to be ready
    if (stopping) return;
    scheduler = startScheduler({ broker, app, partitions, log });
    await scheduler;
  });
}

async function startBroker(
  options: CommandOptions,
  log: Logger,
  life: Lifecycle,
  lock: DevLock,
): Promise<BrokerAddress> {
  const { natsServer: configured, searchPath, cacheDir } = options.env;
  const progress = (line: string) => console.error(line);
  const { path: binary } = await findNatsServer({ configured, searchPath, cacheDir, progress });
  const { dataDir } = options;
  const server = await startEmbeddedServer({
    binary,
    dataDir,
    log,
    onStart: (pid, address) => lock.setBroker(pid, address),
  });
  life.defer('nats-server', () => server.stop(), GRACE_MS.embeddedServer);
  return server.address;
}
