/** One project on a broker, as `motia start` would run it, within this process: gateway, worker, and the process of Python steps. */
import { randomBytes } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import type pino from 'pino';
import { commandOptions } from '../cli/options.ts';
import { type Gateway, startGateway } from '../gateway/main.ts';
import { type Broker, connectBroker } from '../shared/broker/connect.ts';
import { ensureTopology } from '../shared/broker/topology.ts';
import type { BrokerAddress } from '../shared/config.ts';
import { MotiaError } from '../shared/errors.ts';
import { Lifecycle } from '../shared/lifecycle.ts';
import { createLogger } from '../shared/logger.ts';
import { ownPackage } from '../shared/package-root.ts';
import { createNames, type Names } from '../shared/protocol/subjects.ts';
import { openProject, type ProjectCode } from '../shared/steps/built-project.ts';
import { discoverSteps } from '../shared/steps/discover.ts';
import type { Manifest } from '../shared/steps/manifest.ts';
import { startWorker } from '../worker/main.ts';
import { keepBlankThread } from '../worker/threads/blank-thread.ts';
import { shareServer } from './shared-server.ts';

export interface ProjectAppOptions {
  project?: string | undefined;
  threads?: number | undefined;
  /** Whether spans and log records are stored. */
  stored: boolean;
  /** Takes the lines of the log, the handlers' among them. */
  sink: pino.DestinationStream;
}

/** One that is starting: its streams are there, and its gateway listens. */
export interface ProjectApp {
  broker: Broker;
  names: Names;
  gateway: Gateway;
  /** Resolves with the steps when all are served. @throws {MotiaError} `PROJECT_INVALID` when one cannot be loaded. */
  ready: Promise<Manifest>;
  close(): Promise<void>;
}

/** So long runs that go on may take to end when the app is closed, and as long again when they are ended. */
const GRACE_MS = 1_000;
/** Of message groups: each takes a while to make, and a test has few groups. */
const PARTITIONS = 8;
const PORT = { host: '127.0.0.1', port: 0, portFallback: 0 };

/** Starts an app, which is used when it is `ready`. @throws {MotiaError} `BROKER_*` */
export async function startProjectApp({ project, threads = 1, stored, sink }: ProjectAppOptions): Promise<ProjectApp> {
  const life = new Lifecycle();
  const close = async () => {
    const [error] = await life.close();
    if (error) throw error;
  };
  try {
    keepBlankThread(); // starts while the rest does
    const server = shareServer();
    life.defer('server', async () => (await server).release());
    server.catch(() => {}); // told below, as what other promises come to
    const root = realpathSync(resolve(project ?? '.'));
    const settings = commandOptions({}, 'json', root);
    const { motiaDir } = settings;
    const app = `test-${randomBytes(6).toString('hex')}`; // on a broker that others share
    const telemetry = { ...settings.env.telemetry, stored };
    const { streams } = settings.env;
    const logging = { level: settings.logging.level, pretty: false, destination: sink };
    const log = createLogger(logging);
    const partitions = PARTITIONS;
    const names = createNames(app, partitions);
    const code = compiled({ root, motiaDir });
    life.defer('bundler', () => code.close());
    const address = server.then(({ servers }): BrokerAddress => ({ servers, inMemory: true }));
    const connecting = address.then((broker) => connectBroker(broker, { name: `${app} tester` }));
    connecting.catch(() => {});
    life.defer('broker connection', async () => {
      const broker = await connecting.catch(() => undefined);
      if (broker) await removeStreams(broker, names);
      await broker?.close();
    });
    const topology = connecting.then((broker) => ensureTopology(broker, names));
    topology.catch(() => {});
    const common = { app, partitions, topology, log, telemetry };
    const installation = { mode: 'start' as const, motiaVersion: ownPackage().version };
    const admin = { openOnLoopback: true };
    const starting = startGateway({ ...common, ...PORT, broker: connecting, streams, admin, installation });
    starting.catch(() => {});
    const broker = await address;
    const python = startPython(
      { ...settings, app, env: { ...settings.env, telemetry, partitions }, logging },
      broker,
      log,
      life,
    );
    python.catch(() => {});
    const worker = startWorker({
      ...common,
      ...{ broker, connection: connecting, root, motiaDir, code, threads, sink, logLevel: settings.logging.level },
      ...{ watch: false, provision: true, graceMs: GRACE_MS, skipWaits: true },
      othersReady: python,
    });
    worker.catch(() => {});
    life.defer('worker', async () => (await worker.catch(() => undefined))?.close(), GRACE_MS + 5_000);
    life.defer('gateway', async () => (await starting.catch(() => undefined))?.close());
    const [gateway, connected] = await Promise.all([starting, connecting]);
    const ready = Promise.all([gateway.ready, worker, python]).then(async ([manifest, , hasPython]) => {
      if (!hasPython) return manifest;
      return (await gateway.refresh()) ?? manifest; // the first one may lack the steps of one language
    });
    return { broker: connected, names, gateway, ready, close };
  } catch (error) {
    await life.close();
    throw error;
  }
}

/** The project, which is compiled from now on: it is served as it is, so once is enough. */
function compiled(project: Parameters<typeof openProject>[0]): ProjectCode {
  const code = openProject(project);
  const bundle = code.build();
  bundle.catch(() => {}); // told to whoever awaits it
  return {
    build: () => bundle,
    revert: (files) => code.revert(files),
    confirm: () => code.confirm(),
    close: () => code.close(),
  };
}

/** Resolves when the Python steps take work, with whether there are any. */
async function startPython(
  options: ReturnType<typeof commandOptions>,
  broker: BrokerAddress,
  log: pino.Logger,
  life: Lifecycle,
): Promise<boolean> {
  if (discoverSteps(options.root).python.length === 0) return false;
  const { PythonSteps } = await import('../cli/python/python-steps.ts');
  let failure: Error | undefined;
  const fail = (error: Error) => {
    failure ??= error;
  };
  const python = new PythonSteps({ options, watch: false, skipWaits: true, graceMs: GRACE_MS, log, fail });
  life.defer('Python steps', () => python.stop(), GRACE_MS + 5_000);
  const runs = await python.start(broker);
  if (failure) throw failure;
  if (!runs) throw new MotiaError('PROJECT_INVALID', 'the Python steps cannot run: the log says why');
  return true;
}

/** The server lives on for other testers. */
async function removeStreams(broker: Broker, names: Names): Promise<void> {
  const buckets = Object.values(names.buckets).flatMap((bucket) => [`KV_${bucket}`, `OBJ_${bucket}`]);
  const streams = [...Object.values(names.streams), ...buckets];
  await Promise.allSettled(streams.map((stream) => broker.jsm.streams.delete(stream)));
}
