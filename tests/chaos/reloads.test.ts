/** Reloads beyond count: what they leave behind, and what never ends loading. */
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { Reloads, startClients } from '../acceptance/failures/reloads.ts';

const RELOADS = 200;
const WARM_UP = 50;
/** Garbage that happens not to be collected yet. */
const TOLERANCE_MB = 40;

test('memory does not grow from the 50th to the 200th reload', async () => {
  await using reloads = await Reloads.start();
  const clients = startClients(reloads, 4);
  const sizes: number[] = [];
  for (let reload = 0; reload < RELOADS; reload++) {
    await reloads.kinds.handler();
    if (reload >= WARM_UP && reload % 10 === 0) sizes.push(await memoryOf(reloads));
  }
  await clients.stop();
  expect(clients.failures).toEqual([]);
  const [early, late] = [sizes.slice(0, 5), sizes.slice(-5)].map((some) => Math.min(...some)) as [number, number];
  expect(late - early, `MB over the reloads: ${sizes.map(Math.round).join(', ')}`).toBeLessThan(TOLERANCE_MB);
});

test('steps that never finish loading are given up, and the next edit is served', async () => {
  await using reloads = await Reloads.start();
  await reloads.hang();
  await reloads.cli.waitForLog({ action: 'reload_failed' }, 40_000);
  await reloads.kinds.handler();
});

/** Resident memory of all processes of `motia dev`, in MB. */
async function memoryOf(reloads: Reloads): Promise<number> {
  const processes = await reloads.cli.processes();
  const sizes = await Promise.all(
    processes.map(async ({ pid }) => {
      const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
