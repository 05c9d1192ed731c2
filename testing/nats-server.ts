/** A real JetStream server for a test: random loopback port, a store of its own, about 20 ms to start. */
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startNatsProcess } from '../cli/nats-process.ts';
import { findNatsServer, natsServerAtHand } from '../cli/nats-server.ts';
import { readEnvironment } from '../shared/config.ts';

export interface NatsServer extends AsyncDisposable {
  /** `nats://127.0.0.1:<port>`. Stays the same over `restart()`. */
  readonly url: string;
  readonly port: number;
  readonly storeDir: string;
  /** Process id of the server that runs now. */
  readonly pid: number;
  /** Ends the server and removes its store, if the store was made for this test. */
  stop(): Promise<void>;
  /** Sends a signal, and waits for the end of the process if it is SIGKILL or SIGTERM. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Ends the server if it still runs, then starts it again on the same port and store. */
  restart(): Promise<void>;
}

export interface NatsServerOptions {
  /** An existing store to use; it is kept at the end. */
  storeDir?: string;
  port?: number;
  /** Bytes. Default 8 MB. */
  maxPayload?: number;
  /** Each write is on the disk before it is acknowledged. */
  syncAlways?: boolean;
  /** Bytes of streams in memory, counted by what they may have. */
  memory?: number;
  /** More text for the configuration file, in the server's own syntax. */
  config?: string;
  /** Path of the program. Default: what `motia dev` would run. */
  binary?: string;
}

let foundBinary: Promise<string> | undefined;

export async function startNatsServer(options: NatsServerOptions = {}): Promise<NatsServer> {
  const binary = options.binary ?? (await findBinaryOnce());
  const dir = mkdtempSync(join(tmpdir(), 'motia-nats-'));
  const storeDir = options.storeDir ?? join(dir, 'store');
  const start = (port: number) =>
    startNatsProcess(binary, dir, {
      ...{ port, storeDir, maxPayload: options.maxPayload, extra: options.config, temporary: true },
      ...(options.syncAlways && { syncAlways: true }),
      ...(options.memory !== undefined && { memory: options.memory }),
    });
  const remove = () => rm(dir, { recursive: true, force: true });
  let running = await start(options.port ?? -1).catch(async (error) => {
    await remove();
    throw error;
  });
  const { port } = running;

  const server: NatsServer = {
    url: `nats://127.0.0.1:${port}`,
    port,
    storeDir,
    get pid() {
      return running.pid;
    },
    async stop() {
      await running.stop();
      await remove();
    },
    kill: (signal) => running.kill(signal),
    async restart() {
      await running.stop();
      running = await start(port);
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
  return server;
}

/** What `motia dev` would run, if it is at hand: nothing has to be asked or fetched. */
export const binaryAtHand = (): string | undefined => natsServerAtHand(whereToLook());

function findBinaryOnce(): Promise<string> {
  foundBinary ??= findBinary();
  return foundBinary;
}

async function findBinary(): Promise<string> {
  const progress = (line: string) => void process.stderr.write(`${line}\n`);
  return (await findNatsServer({ ...whereToLook(), progress })).path;
}

function whereToLook() {
  const { natsServer: configured, searchPath, cacheDir } = readEnvironment();
  return { configured, searchPath, cacheDir };
}
