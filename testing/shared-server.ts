/** The real broker of all testers in one process: started with the first, and ended soon after the last one was closed. */
import { binaryAtHand, type NatsServer, startNatsServer } from './nats-server.ts';

/** The streams of an app may have some GB together, and many apps may share the server. None comes near that in a test. */
const MEMORY = 1024 ** 4;
/** So long it waits for another tester: they often come one after the other. The process does not wait for it. */
const LINGERS_MS = 1_000;

let server: Promise<NatsServer> | undefined;
let users = 0;
let ending: NodeJS.Timeout | undefined;

/** Starts it ahead of its time, with what is at hand. It waits for a tester as long as the process lives. */
export function startServerAhead(): void {
  const binary = binaryAtHand();
  if (binary !== undefined && !server) void start({ binary });
}

/** Takes a share in the server. @returns its address, and what gives the share back. */
export async function shareServer(): Promise<{ servers: string; release: () => void }> {
  users++;
  clearTimeout(ending);
  try {
    const { url } = await (server ?? start());
    return { servers: url, release: once(giveBack) };
  } catch (error) {
    users--;
    throw error;
  }
}

function start(options: { binary?: string } = {}): Promise<NatsServer> {
  const started = startNatsServer({ memory: MEMORY, ...options });
  server = started;
  started.catch(() => {
    if (server === started) server = undefined; // the next one tries again
  });
  return started;
}

function giveBack(): void {
  if (--users > 0) return;
  ending = setTimeout(() => {
    const ended = server;
    server = undefined;
    void ended?.then((running) => running.stop());
  }, LINGERS_MS).unref();
}

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (!done) act();
    done = true;
  };
}
