/** One number that eight processes of two languages change at the same time. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Broker, connectBroker } from '../../../shared/broker/connect.ts';
import { StateStore } from '../../../shared/broker/state.ts';
import { ensureTopology } from '../../../shared/broker/topology.ts';
import { createNames } from '../../../shared/protocol/subjects.ts';
import { type NatsServer, startNatsServer } from '../../../testing/nats-server.ts';
import { REPOSITORY } from '../../helpers/project.ts';
import { pythonEnvironment } from '../../helpers/python.ts';

const TIMES = 1_000;
const names = createNames('contention');
const script = (name: string) => fileURLToPath(new URL(`./contenders/${name}`, import.meta.url));

let server: NatsServer;
let broker: Broker;
beforeAll(async () => {
  server = await startNatsServer();
  broker = await connectBroker({ servers: server.url }, { name: 'test' });
  await ensureTopology(broker, names);
});
afterAll(async () => {
  await broker?.close();
  await server?.stop();
});

/** Has processes do their work at the same time, and tells how many changes were made in a second. */
async function contend(key: string, commands: [program: string, script: string][]): Promise<number> {
  const processes = commands.map(([program, file]) => {
    const args = [file, server.url, names.app, 'contended', key, String(TIMES)];
    const env = { ...process.env, PYTHONPATH: join(REPOSITORY, 'python-worker') };
    return spawn(program, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
  });
  try {
    const ends = Promise.all(processes.map(exitCode));
    await Promise.all(processes.map(({ stdout }) => once(stdout, 'data'))); // each is ready
    const began = performance.now();
    for (const { stdin } of processes) stdin.write('go\n');
    expect(await ends).toEqual(processes.map(() => 0));
    return Math.round((commands.length * TIMES * 1_000) / (performance.now() - began));
  } finally {
    for (const one of processes) one.kill('SIGKILL');
  }
}

const exitCode = (child: ChildProcess) => once(child, 'exit').then(([code]) => code as number | null);

async function check(languages: string, programs: [program: string, script: string][]): Promise<void> {
  const rate = await contend(languages, programs);
  expect(await new StateStore(broker, names).get('contended', languages)).toBe(8 * TIMES);
  console.log(`8 processes of ${languages} on one key: ${rate} changes/s`);
}

const inNode: [string, string] = [process.execPath, script('contender.mjs')];

test('8,000 changes by eight processes are 8,000', async () => {
  await check('Node', Array(8).fill(inNode));
});

test('so they are when half of the processes are of another language', async (context) => {
  const { MOTIA_PYTHON } = await pythonEnvironment(context);
  await check('Node and Python', [...Array(4).fill(inNode), ...Array(4).fill([MOTIA_PYTHON, script('contender.py')])]);
});
