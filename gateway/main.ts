/** One gateway: learns the routes from the broker and answers HTTP until it is closed. */
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type pino from 'pino';
import { BlobStore } from '../shared/broker/blobs.ts';
import { type Broker, connectBroker } from '../shared/broker/connect.ts';
import { readManifest, watchManifest } from '../shared/broker/manifest-store.ts';
import { followTelemetrySettings } from '../shared/broker/telemetry-limits.ts';
import { startTelemetryStore } from '../shared/broker/telemetry-store.ts';
import { ensureTopology } from '../shared/broker/topology.ts';
import type { BrokerAddress, TelemetryEnvironment } from '../shared/config.ts';
import { MotiaError } from '../shared/errors.ts';
import { Lifecycle } from '../shared/lifecycle.ts';
import { type CollectMetrics, Ops } from '../shared/ops.ts';
import { type OpsAddress, serveOps } from '../shared/ops-server.ts';
import { createPayloads, type Payloads } from '../shared/payloads.ts';
import { createNames } from '../shared/protocol/subjects.ts';
import { startSpanExport } from '../shared/span-export/span-export.ts';
import type { Manifest } from '../shared/steps/manifest.ts';
import type { TelemetrySettings } from '../shared/steps/telemetry-settings.ts';
import { createTracing } from '../shared/tracing.ts';
import type { AdminAccess } from './admin/access.ts';
import type { Installation } from './admin/app.ts';
import { createAdminServices } from './admin/services.ts';
import { createApp } from './app.ts';
import { startHousekeeping } from './housekeeping/housekeeping.ts';
import { KeyedCalls } from './keyed-calls.ts';
import { RequestMetrics } from './request-metrics.ts';
import { RequestReplays } from './request-replays.ts';
import { StepCalls } from './step-calls.ts';
import { type Served, toServed } from './step-route.ts';
import type { StreamLimits } from './streams/limits.ts';
import { type Streams, startStreams } from './streams/streams.ts';
import { WorkerAccess } from './streams/worker-access.ts';

export interface GatewayOptions {
  /** May still be coming: what needs no broker is made meanwhile. A connection is that of somebody else, who closes it. */
  broker: BrokerAddress | Promise<BrokerAddress | Broker>;
  /** Sanitised app name. */
  app: string;
  /** Partitions that message groups are spread over. */
  partitions: number;
  host: string;
  /** 0 takes any free port. */
  port: number;
  /** How many of the following ports to try when that one is taken. */
  portFallback: number;
  /** Who may use the admin API. */
  admin: AdminAccess;
  installation: Installation;
  /** Resolves when the broker has the app's streams, if somebody else sees to it at the start. */
  topology?: Promise<void>;
  /** Folder of the built Workbench. Without it there is none. */
  workbench?: string | undefined;
  /** How long a consumer has to be unused to be taken away. Default 60 s. */
  orphanGraceMs?: number;
  /** Told of each new list of steps that is served. */
  onManifest?: (manifest: Manifest) => void;
  /** Where metrics and health are served besides the gateway's own port. */
  ops?: OpsAddress | undefined;
  /** Metrics of other roles, to be shown with those of the gateway. */
  otherMetrics?: CollectMetrics;
  /** A client that takes nothing for this long of an answer that is streamed to it is cut off. Default 60 s. */
  stalledAfterMs?: number;
  /** Limits of realtime streams that differ from `DEFAULT_STREAM_LIMITS`. */
  streams?: Partial<StreamLimits> | undefined;
  /** How long it goes on serving, not ready any more, before it closes: until who sends requests here has noticed. Default 0. */
  drainMs?: number;
  log: pino.Logger;
  telemetry: TelemetryEnvironment;
}

export interface Gateway {
  url: string;
  port: number;
  /** Resolves with the first manifest that is served. */
  ready: Promise<Manifest>;
  /** Serves the newest manifest at once, without waiting to be told of it. Resolves with it, if there is one. */
  refresh(): Promise<Manifest | undefined>;
  /** Serves for `drainMs` more, answers what is under way, then closes. */
  close(): Promise<void>;
}

const GRACE_MS = 25_000;

/**
 * Starts a gateway; resolves once it listens.
 * @throws {MotiaError} `PORT_BUSY` or `BROKER_*`.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { log } = options;
  const names = createNames(options.app, options.partitions);
  const lifecycle = new Lifecycle();
  let served: Served | undefined;
  const ops = new Ops(options.app, 'gateway');
  ops.health.readyIf(() => (served ? undefined : 'no steps are served yet'));
  if (options.otherMetrics) ops.include(options.otherMetrics);
  const requests = new RequestMetrics(ops.metrics);
  let markReady: (manifest: Manifest) => void = () => {};
  const ready = new Promise<Manifest>((resolve) => {
    markReady = resolve;
  });
  let streams: Streams | undefined;
  let payloads: Payloads | undefined;
  const serve = (manifest: Manifest) => {
    if (manifest.version !== served?.manifest.version) {
      served = toServed(manifest, log);
      onSettings(manifest.settings.telemetry);
      payloads = createPayloads(manifest.settings.telemetry, options.telemetry);
      options.onManifest?.(manifest);
      streams?.onManifest();
    }
    markReady(manifest);
  };
  let onSettings = (_: TelemetrySettings | undefined) => {};
  try {
    await serveOps(ops, options.ops, lifecycle, log);
    const app = createApp(log, options.workbench);
    let calls: StepCalls | undefined;
    const broker = await connectBroker(options.broker, {
      name: `${options.app} gateway`,
      onDisconnect: () => calls?.onDisconnect(),
      onReconnect: () => {
        calls?.onReconnect(); // at once: where the stream has to be made, they are sent until it is there
        // The requests stream lives in the server's memory and may be gone.
        ensureTopology(broker, names).catch((error) =>
          log.warn({ action: 'topology_failed', err: error }, 'The broker streams could not be checked'),
        );
      },
      onError: (message) => log.warn({ action: 'broker_error' }, `Broker: ${message}`),
    });
    lifecycle.defer('broker connection', () => broker.close());
    ops.watch(broker);
    const topology = options.topology ?? ensureTopology(broker, names);
    topology.catch(() => {}); // awaited below: what serves is made while the broker works
    const { telemetry } = options;
    const telling = telemetry.stored ? startTelemetryStore(broker, names, 'gateway', log) : undefined;
    lifecycle.defer('telemetry', () => telling?.close());
    const spanExport = startSpanExport(telemetry, { name: options.app, role: 'gateway' }, log);
    lifecycle.defer('span export', () => spanExport?.close());
    const tracing = await createTracing(telemetry, { store: telling?.store.addSpan, exportTo: spanExport?.connect() });
    lifecycle.defer('tracing', () => tracing.close());
    onSettings = (settings) => followTelemetrySettings(broker, names, settings, telemetry, log);
    calls = new StepCalls(broker, names, new BlobStore(broker, names.buckets.bodies), log);
    ops.metrics.gauge('motia_http_calls_in_flight', () => calls?.size ?? 0);
    ops.metrics.gauge('motia_stream_clients', () => streams?.clients() ?? 0);
    const keyedCalls = new KeyedCalls(calls, broker, names, log);
    lifecycle.defer('calls', () => calls?.close());
    const manifest = () => served?.manifest;
    const followers = (stream: string) => streams?.followers(stream) ?? 0;
    const services = createAdminServices(broker, names, tracing, () => payloads);
    const { installation } = options;
    const replays = new RequestReplays((request) => app.server.inject(request));
    const admin = {
      app: options.app,
      access: options.admin,
      services,
      log,
      manifest,
      installation,
      telemetry,
      requests: replays,
      followers,
    };
    const { stalledAfterMs } = options;
    app.serve({
      ...{ served: () => served, calls, keyedCalls, tracing },
      ...{ admin, ops, requests, stalledAfterMs, payloads: () => payloads, replays },
    });
    lifecycle.defer('http server', () => app.server.close(), GRACE_MS);
    streams = startStreams(app.server, {
      broker,
      names,
      manifest,
      access: new WorkerAccess({ calls, manifest, tracing, log }),
      limits: options.streams,
      log,
    });
    lifecycle.defer('realtime streams', () => streams?.close());
    await Promise.all([topology, app.server.ready()]);
    lifecycle.defer('manifest watch', await watchManifest(broker, names, serve));
    const housekeeping = broker.locked ? undefined : startHousekeeping(broker, names, log, options.orphanGraceMs);
    lifecycle.defer('housekeeping', () => housekeeping?.());
    const port = await listen(app.server, options);
    const shownHost = options.host === '0.0.0.0' || options.host === '::' ? 'localhost' : options.host;
    return {
      url: `http://${shownHost.includes(':') ? `[${shownHost}]` : shownHost}:${port}`,
      port,
      ready,
      refresh: async () => {
        const manifest = await readManifest(broker, names);
        if (manifest) serve(manifest);
        return manifest;
      },
      close: async () => {
        ops.health.drain();
        await sleep(options.drainMs ?? 0);
        for (const error of await lifecycle.close()) log.error({ action: 'close_failed', err: error }, error.message);
      },
    };
  } catch (error) {
    await lifecycle.close();
    throw error;
  }
}

async function listen(app: FastifyInstance, { host, port, portFallback }: GatewayOptions): Promise<number> {
  for (let candidate = port; ; candidate++) {
    try {
      await app.listen({ host, port: candidate });
      return (app.server.address() as AddressInfo).port;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      if (candidate < port + portFallback) continue;
      const tried = portFallback > 0 ? `ports ${port} to ${candidate} are` : `port ${port} is`;
      throw new MotiaError('PORT_BUSY', `${tried} in use on ${host}: choose another one with --port`, { cause: error });
    }
  }
}
