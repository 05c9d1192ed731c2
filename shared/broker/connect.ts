/** One connection to the broker, with what every role needs around it. */
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { connect, createInbox, errors, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node';
import type { BrokerAddress } from '../config.ts';
import { MotiaError } from '../errors.ts';
import { compareVersions, OLDEST_SERVER } from '../versions.ts';
import { LOGIN_SETTINGS, loginOptions } from './login.ts';
import { ReplyMux } from './mux.ts';
import { createSender, type Send } from './sender.ts';
import { StallWatch } from './stall.ts';

export interface BrokerEvents {
  /** The connection dropped; it will be made again by itself. */
  onDisconnect?: () => void;
  /** It is back. Memory streams may be gone. */
  onReconnect?: () => void;
  /** Something to tell a person: refused permissions, slow consumption. */
  onError?: (message: string) => void;
}

export interface Broker {
  readonly nc: NatsConnection;
  readonly jsm: JetStreamManager;
  readonly mux: ReplyMux;
  /**
   * Publishes at the end of this turn of the event loop, together with whatever else is sent in it: one write to the socket
   * for many messages. For what nobody waits for within this turn.
   */
  send: Send;
  /** Resolves when everything published so far has reached the server, and what it had sent by then is here. */
  flush(): Promise<void>;
  /** Whether the connection stands right now. */
  connected(): boolean;
  /** Whether it was closed, by us or for good by the client library, so that it will never stand again. */
  closed(): boolean;
  /** Resolves when it stands, or after `timeoutMs`. */
  whenConnected(timeoutMs: number): Promise<void>;
  /** Calls these back as well. Stop with the returned function. */
  listen(events: BrokerEvents): () => void;
  /** Whether a message with this ack wait that arrives now may be somebody else's, since this process stood still meanwhile. */
  mayBeStale(ackWaitMs: number): boolean;
  /** On how many servers each broker stream is to be kept, as {@link BrokerAddress.replicas}. */
  readonly replicas: number | undefined;
  /** Whether broker streams are kept in memory, as {@link BrokerAddress.inMemory}. */
  readonly inMemory: boolean;
  /** Largest message the server takes, in bytes. */
  maxPayload(): number;
  /** Nothing is made here, as {@link BrokerAddress.locked}. */
  readonly locked: boolean;
  /** A subject that nobody else has, and that this user may listen to. */
  newInbox(): string;
  /** Flushes what was published and closes. */
  close(): Promise<void>;
}

/**
 * Connects and checks the server; or takes the connection that somebody else has made, who closes it.
 * @throws {MotiaError} `BROKER_UNREACHABLE`, `BROKER_AUTH` or `BROKER_TOO_OLD`, with the setting to look at.
 */
export async function connectBroker(
  to: BrokerAddress | Promise<BrokerAddress | Broker>,
  options: { name: string; timeoutMs?: number } & BrokerEvents,
): Promise<Broker> {
  const address = await to;
  if ('nc' in address) return lend(address, options);
  const login = loginOptions(address);
  const nc = await dial(address, { ...login, name: options.name }, options.timeoutMs ?? 10_000);
  try {
    checkVersion(nc);
    const send = createSender(nc);
    const newInbox = () => createInbox(login.inboxPrefix);
    const mux = new ReplyMux({ nc, newInbox }, send);
    const flush = async () => {
      await new Promise((resolve) => setImmediate(resolve)); // what was sent in this turn is on its way first
      await nc.flush();
    };
    const stalls = new StallWatch((ms) => {
      tellError(`this process stood still for ${ms} ms; what was handed to it meanwhile is left to others`);
    });
    let up = true;
    const waiting = new Set<() => void>();
    const listeners = new Set<BrokerEvents>([options]);
    const tellError = (message: string) => {
      for (const { onError } of listeners) onError?.(message);
    };
    void (async () => {
      for await (const status of nc.status()) {
        if (status.type === 'disconnect') {
          up = false;
          mux.rejectAll('the connection to the broker dropped');
          for (const { onDisconnect } of listeners) onDisconnect?.();
        } else if (status.type === 'reconnect') {
          up = true;
          for (const resume of waiting) resume();
          waiting.clear();
          for (const { onReconnect } of listeners) onReconnect?.();
        } else if (status.type === 'error') {
          const { error } = status;
          if (error instanceof errors.PermissionViolationError && error.operation === 'publish')
            mux.refuse(error.subject);
          tellError(error.message);
        } else if (status.type === 'slowConsumer') {
          tellError(`a subscription holds ${status.pending} messages`);
        }
      }
    })();
    return {
      nc,
      mux,
      replicas: address.replicas,
      inMemory: address.inMemory ?? false,
      locked: address.locked ?? false,
      newInbox,
      jsm: await jetstreamManager(nc, { checkAPI: false }),
      send,
      flush,
      connected: () => up,
      closed: () => nc.isClosed(),
      whenConnected: (timeoutMs) =>
        up
          ? Promise.resolve()
          : new Promise((resolve) => {
              const timer = setTimeout(done, timeoutMs).unref();
              function done() {
                clearTimeout(timer);
                waiting.delete(done);
                resolve();
              }
              waiting.add(done);
            }),
      listen: (events) => {
        listeners.add(events);
        return () => void listeners.delete(events);
      },
      mayBeStale: (ackWaitMs) => stalls.mayBeStale(ackWaitMs),
      maxPayload: () => nc.info?.max_payload ?? 1_048_576,
      close: async () => {
        stalls.stop();
        mux.rejectAll('the connection to the broker was closed');
        if (nc.isClosed()) return;
        if (up) await flushAtLast(flush);
        await nc.close();
      },
    };
  } catch (error) {
    await nc.close();
    throw error;
  }
}

/** The same connection for somebody else in this process, who hears of it and does not close it. */
function lend(broker: Broker, events: BrokerEvents): Broker {
  const stop = broker.listen(events);
  return {
    ...broker,
    close: async () => {
      stop();
      if (broker.connected()) await flushAtLast(broker.flush);
    },
  };
}

const flushAtLast = (flush: Broker['flush']) =>
  Promise.race([flush().catch(() => {}), new Promise((resolve) => setTimeout(resolve, 2_000).unref())]);

async function dial(address: BrokerAddress, login: NodeConnectionOptions, timeoutMs: number): Promise<NatsConnection> {
  const options: NodeConnectionOptions = {
    ...login,
    servers: address.servers.split(',').map((server) => server.trim()),
    noAsyncTraces: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 50,
    reconnectJitter: 50,
    // A hung host is noticed after 10 to 15 s instead of the client's six minutes.
    pingInterval: 5_000,
    maxPingOut: 2,
    timeout: 2_000,
  };
  const giveUp = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await connect(options);
    } catch (error) {
      if (error instanceof errors.AuthorizationError || error instanceof errors.UserAuthenticationExpiredError) {
        throw new MotiaError(
          'BROKER_AUTH',
          `the broker at ${redact(address.servers)} refused the credentials: check ${LOGIN_SETTINGS}`,
          { cause: error },
        );
      }
      if (Date.now() >= giveUp) {
        throw new MotiaError(
          'BROKER_UNREACHABLE',
          `no broker answers at ${redact(address.servers)} (${(error as Error).message}): is nats-server running, and is NATS_URL right?`,
          { cause: error },
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}

function checkVersion(nc: NatsConnection): void {
  const version = nc.info?.version ?? '0';
  if (compareVersions(version, OLDEST_SERVER) < 0) {
    throw new MotiaError('BROKER_TOO_OLD', `nats-server ${version} is too old: ${OLDEST_SERVER} or newer is needed`);
  }
  if (nc.info?.jetstream !== true) {
    throw new MotiaError(
      'BROKER_TOO_OLD',
      'the nats-server runs without JetStream: start it with --jetstream, or enable JetStream for the account',
    );
  }
}

const redact = (servers: string) => servers.replace(/\/\/[^@/]*@/g, '//***@');
