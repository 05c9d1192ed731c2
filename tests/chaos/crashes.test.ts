/** The long form of the crash test: ten crashes of the broker, 50,000 events. */
import { expect, test } from 'vitest';
import { startCluster } from '../acceptance/failures/cluster.ts';
import { crashUnderLoad } from '../acceptance/failures/crash-under-load.ts';

test('ten crashes under 32 publishers: every acknowledged event of 50,000 is handled', async () => {
  await using cluster = await startCluster(2);
  const { acked, handled, statuses } = await crashUnderLoad(cluster, { kills: 10, events: 50_000, publishers: 32 });
  expect(acked.size).toBeGreaterThanOrEqual(50_000);
  expect([...acked].filter((id) => !handled.has(id))).toEqual([]);
  expect([...statuses.keys()].filter((status) => ![200, 502, 503].includes(status))).toEqual([]);
  expect((await cluster.gateway.fetch('/quick')).status).toBe(200);
});

test('workers that are killed one after the other, ten times, while events come: all are handled', async () => {
  await using cluster = await startCluster(2);
  const ids = new Set<string>();
  let worker = await cluster.startWorker();
  for (let kill = 0; kill < 10; kill++) {
    const batch = Array.from({ length: 200 }, (_, i) => `${kill}.${i}`);
    await cluster.emit(
      'work',
      batch.map((id) => ({ id, ms: 300 })),
    );
    for (const id of batch) ids.add(id);
    const next = await cluster.startWorker();
    await worker.stop('SIGKILL');
    worker = next;
  }
  await expect
    .poll(async () => new Set((await cluster.facts('work ended')).map(({ id }) => id)).size, {
      timeout: 60_000,
      interval: 500,
    })
    .toBe(ids.size);
  const dead = await cluster.deadLetters();
  expect(dead).toEqual([]);
});
