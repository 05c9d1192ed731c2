/** Every role on one machine: a nats-server child unless NATS_URL is set, the gateway in this process, worker children. */
import type { Logger } from 'pino';
import type { BrokerAddress } from '../shared/config.ts';
import type { Lifecycle } from '../shared/lifecycle.ts';
import { acquireDevLock, type DevLock } from './dev-lock.ts';
import { startEmbeddedServer } from './embedded-server.ts';
import { GRACE_MS } from './grace.ts';
import { findNatsServer } from './nats-server.ts';
import { launchNodeWorker } from './node-worker.ts';
import type { CommandOptions } from './options.ts';
import { PythonSteps } from './python/python-steps.ts';
import { runUntilShutdown } from './run-until-shutdown.ts';
import { OTHERS_READY } from './worker-messages.ts';
import { WorkerProcess } from './worker-process.ts';

export interface Supervision {
  options: CommandOptions;
  log: Logger;
  host: string;
  port: number;
  /** How many further ports to try when the port is taken. */
  portFallback: number;
  /** Reload steps when their files change. Otherwise a step that cannot be loaded ends the start. */
  watch: boolean;
  /** The first requests can be answered. */
  onReady(address: { url: string; port: number }): void;
}

/** Runs until a signal or a failure. @returns the exit code. */
export function supervise(supervision: Supervision): Promise<number> {
  const { options, log } = supervision;
  return runUntilShutdown(log, async (life, fail) => {
    const lock = await acquireDevLock(options.dataDir);
    life.defer('lock', () => lock.release());

    const { watch } = supervision;
    const worker = new WorkerProcess('worker', launchNodeWorker, log, fail);
    const python = new PythonSteps({ options, watch, graceMs: GRACE_MS.supervisedWorker - 1_000, log, fail });
    python.prepare();
    const gatewayModule = import('../gateway/main.ts');
    const broker = options.env.broker ?? (await startBroker(options, log, life, lock));

    const { app, root, motiaDir, threads, logging, env } = options;
    const { host, port, portFallback } = supervision;
    const { telemetry } = env;
    life.defer('workers', () => Promise.all([worker.stop(), python.stop()]), GRACE_MS.supervisedWorker + 1_000);
    let othersReady = false;
    const settings = { broker, app, root, motiaDir, threads, watch, telemetry, logging };
    const workerStarted = worker.start(() => ({ ...settings, awaitsOthers: !othersReady }));
    const pythonStarted = python.start(broker).then(() => {
      othersReady = true;
      worker.send({ type: OTHERS_READY });
    });
    pythonStarted.catch(fail);

    const { startGateway } = await gatewayModule;
    const gateway = await startGateway({ broker, app, host, port, portFallback, log, telemetry: env.telemetry });
    life.defer('gateway', () => gateway.close(), GRACE_MS.supervisedGateway);
    await lock.setUrl(gateway.url);
    await Promise.all([gateway.ready, workerStarted, pythonStarted]); // until then the gateway serves what an earlier run has left
    supervision.onReady(gateway);
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
  const server = await startEmbeddedServer({ binary, dataDir, log, onStart: (pid) => lock.setBroker(pid) });
  life.defer('nats-server', () => server.stop(), GRACE_MS.embeddedServer);
  return server.address;
}
