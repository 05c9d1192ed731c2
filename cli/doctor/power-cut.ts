/**
 * How many writes that the broker has acknowledged survive a power cut, on the disk that holds a folder. The broker writes to a file system in an image
 * there; the cut is a copy of the image right after the last acknowledgement: it has what was written to the disk by then, and nothing of what the
 * system's caches had.
 */
import { copyFile, mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Broker, connectBroker } from '../../shared/broker/connect.ts';
import { publishStored } from '../../shared/broker/publish.ts';
import { CliError } from '../cli-error.ts';
import { type NatsProcess, startNatsProcess } from '../nats-process.ts';
import { runProgram } from '../run-program.ts';

export interface PowerCut {
  /** What the broker syncs to the disk before it acknowledges: `always` each write, `default` none. */
  sync: 'default' | 'always';
  acknowledged: number;
  kept: number;
  writesPerSecond: number;
}

const IMAGE_BYTES = 256 * 1024 ** 2;
const MOST_WRITES = 2_000;
const LONGEST_MS = 10_000;
const TOOL_TIMEOUT_MS = 60_000;
const STREAM = 'POWER_CUT';
const SUBJECT = 'power-cut';

/** Measures both settings, one after the other. @throws CliError where it cannot be done. */
export async function measurePowerCuts(folder: string, natsServer: string): Promise<PowerCut[]> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    throw new CliError(
      '--power-cut mounts a disk image, which needs Linux and root: sudo npx motia doctor --power-cut',
    );
  }
  await mkdir(folder, { recursive: true });
  const cuts: PowerCut[] = [];
  for (const sync of ['default', 'always'] as const) {
    const work = await mkdtemp(join(folder, 'power-cut-'));
    try {
      cuts.push(await measure(work, natsServer, sync));
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  return cuts;
}

async function measure(work: string, natsServer: string, sync: PowerCut['sync']): Promise<PowerCut> {
  const [image, cut] = [join(work, 'disk.img'), join(work, 'cut.img')];
  const file = await open(image, 'wx');
  await file.truncate(IMAGE_BYTES);
  await file.close();
  await tool('mkfs.ext4', '-q', '-F', image);
  const { acknowledged, seconds } = await withBrokerOn(image, work, natsServer, sync, async (broker) => {
    await broker.jsm.streams.add({ name: STREAM, subjects: [SUBJECT] });
    const written = await write(broker);
    await copyFile(image, cut);
    return written;
  });
  const kept = await withBrokerOn(cut, work, natsServer, sync, async ({ jsm }) => {
    for await (const { config, state } of jsm.streams.list()) if (config.name === STREAM) return state.messages;
    return 0; // not even the stream
  });
  return { sync, acknowledged, kept, writesPerSecond: Math.round(acknowledged / seconds) };
}

/** One write after the other, each acknowledged before the next. */
async function write(broker: Broker): Promise<{ acknowledged: number; seconds: number }> {
  const start = performance.now();
  let acknowledged = 0;
  while (acknowledged < MOST_WRITES && performance.now() - start < LONGEST_MS) {
    await publishStored(broker, SUBJECT, `{"write":${acknowledged}}`, { 'Nats-Msg-Id': String(acknowledged) });
    acknowledged++;
  }
  return { acknowledged, seconds: (performance.now() - start) / 1000 };
}

/** Mounts an image, and has a broker that keeps its data there, for the time that `use` takes. */
async function withBrokerOn<T>(
  image: string,
  work: string,
  binary: string,
  sync: PowerCut['sync'],
  use: (broker: Broker) => Promise<T>,
): Promise<T> {
  const mounted = join(work, 'mounted');
  await mkdir(mounted, { recursive: true });
  await tool('mount', '-o', 'loop', image, mounted);
  let server: NatsProcess | undefined;
  let broker: Broker | undefined;
  try {
    server = await startNatsProcess(binary, join(work, 'broker'), {
      port: -1,
      storeDir: join(mounted, 'store'),
      syncAlways: sync === 'always',
    });
    broker = await connectBroker({ servers: `nats://127.0.0.1:${server.port}` }, { name: 'power cut' });
    return await use(broker);
  } finally {
    await broker?.close();
    await server?.kill('SIGKILL');
    await tool('umount', mounted);
  }
}

async function tool(program: string, ...args: string[]): Promise<void> {
  const { failure, said } = await runProgram(program, args, { timeout: TOOL_TIMEOUT_MS });
  if (failure !== undefined) throw new CliError(`${program} failed (${failure}): ${said.trim()}`);
}
