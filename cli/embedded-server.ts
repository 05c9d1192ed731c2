/** The broker of `motia dev` and `motia start` when no NATS_URL is given: a nats-server child on this machine. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { BrokerAddress } from '../shared/config.ts';
import { type NatsProcess, startNatsProcess } from './nats-process.ts';

export interface EmbeddedServerOptions {
  /** Path of the `nats-server` program. */
  binary: string;
  /** The server's files are kept in `<dataDir>/broker`. */
  dataDir: string;
  log: Logger;
  /** Told the process id and the address at every start. */
  onStart?: (pid: number, address: BrokerAddress) => unknown;
}

export interface EmbeddedServer {
  /** Stays the same when the server has to be started again. */
  readonly address: BrokerAddress;
  readonly pid: number;
  stop(): Promise<void>;
}

const FIRST_RESTART_MS = 50;
const LONGEST_RESTART_MS = 5_000;
/** A server that ran this long was well: the next failure is the first one again. */
const HEALTHY_MS = 30_000;

/**
 * Resolves when JetStream is ready, after 20 to 50 ms. A server that ends by itself is reported and started again on the same
 * port and store, with waits that double up to five seconds.
 */
export async function startEmbeddedServer(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const dir = join(options.dataDir, 'broker');
  const login = { user: 'motia', password: randomBytes(24).toString('base64url') };
  const addressOf = (port: number) => ({ servers: `nats://127.0.0.1:${port}`, ...login });
  const start = async (port: number) => {
    const started = await startNatsProcess(options.binary, dir, { port, storeDir: dir, login });
    await options.onStart?.(started.pid, addressOf(started.port));
    return started;
  };
  let server = await start(-1);
  const { port } = server;
  const stopping = new AbortController();

  const supervise = async () => {
    for (let wait = FIRST_RESTART_MS; ; wait = Math.min(wait * 2, LONGEST_RESTART_MS)) {
      const startedAt = Date.now();
      const how = await server.exited;
      if (stopping.signal.aborted) return;
      if (Date.now() - startedAt > HEALTHY_MS) wait = FIRST_RESTART_MS;
      options.log.error({ action: 'broker_ended' }, `nats-server ended (${how}); starting it again`);
      await sleep(wait, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return;
      server = await start(port).catch((error: Error) => endedProcess(server, error.message));
      if (stopping.signal.aborted) await server.stop();
    }
  };
  const supervision = supervise();

  return {
    address: addressOf(port),
    get pid() {
      return server.pid;
    },
    async stop() {
      stopping.abort();
      await server.stop();
      await supervision;
    },
  };
}

/** A start that failed, as a process that ended at once. */
const endedProcess = (last: NatsProcess, why: string): NatsProcess => ({ ...last, exited: Promise.resolve(why) });
