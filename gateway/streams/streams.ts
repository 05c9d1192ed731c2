/** Realtime streams of a gateway: hub, sockets and SSE, put together. */
import type { FastifyInstance } from 'fastify';
import type pino from 'pino';
import type { Broker } from '../../shared/broker/connect.ts';
import type { Names } from '../../shared/protocol/subjects.ts';
import type { Manifest } from '../../shared/steps/manifest.ts';
import type { StreamAccess } from './access.ts';
import { ConnectedClients } from './connected.ts';
import { StreamHub } from './hub.ts';
import { DEFAULT_STREAM_LIMITS, type StreamLimits } from './limits.ts';
import { serveSockets } from './socket-server.ts';
import { serveSse } from './sse.ts';

export interface StreamsOptions {
  broker: Broker;
  names: Names;
  manifest: () => Manifest | undefined;
  access: StreamAccess;
  limits?: Partial<StreamLimits> | undefined;
  log: pino.Logger;
}

export interface Streams {
  /** How many there are now. */
  clients(): number;
  /** How many of them follow something of a stream; who follows several groups counts for each. */
  followers(stream: string): number;
  /** Streams may have come to the app. */
  onManifest(): void;
  /** Sends the clients away. */
  close(): Promise<void>;
}

/** Serves the realtime streams on an HTTP server that does not listen yet. */
export function startStreams(app: FastifyInstance, options: StreamsOptions): Streams {
  const { broker, names, manifest, access, log } = options;
  const limits = { ...DEFAULT_STREAM_LIMITS, ...options.limits };
  const hub = new StreamHub(broker, names, limits);
  const clients = new ConnectedClients(limits, log);
  const isKnown = (stream: string) => manifest()?.streams?.some(({ name }) => name === stream) === true;
  const served = { hub, access, limits, isKnown, clients, log };
  serveSockets(app.server, served);
  serveSse(app, { ...served, corsOrigins: () => manifest()?.settings.corsOrigins ?? [] });
  return {
    clients: () => clients.count,
    followers: (stream) => hub.followers(stream),
    onManifest: () => clients.onManifest(),
    close: async () => {
      await clients.close();
      hub.close();
    },
  };
}
