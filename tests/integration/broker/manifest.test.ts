/** The manifest on the broker: gateways learn of every version, also after the server was away. */
import { afterEach, expect, test } from 'vitest';
import type { Broker } from '../../../shared/broker/connect.ts';
import { publishManifest, readManifest, watchManifest } from '../../../shared/broker/manifest-store.ts';
import { provisionManifest, removeOrphans } from '../../../shared/broker/provision.ts';
import { createLogger } from '../../../shared/logger.ts';
import type { Names } from '../../../shared/protocol/subjects.ts';
import type { Manifest, StepEntry } from '../../../shared/steps/manifest.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { useNatsServer } from './harness.ts';

const harness = useNatsServer();
const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

function manifest(version: string, steps: Partial<StepEntry>[] = []): Manifest {
  return { version, steps } as unknown as Manifest;
}

async function watch(broker: Broker, names: Names): Promise<string[]> {
  const seen: string[] = [];
  stops.push(await watchManifest(broker, names, ({ version }) => seen.push(version)));
  return seen;
}

test('a gateway learns of the version that is there, and of every later one', async () => {
  const { broker, names } = await harness.app();
  const early = await watch(broker, names);
  expect(await readManifest(broker, names)).toBeUndefined();
  await publishManifest(broker, names, manifest('1'));
  await waitFor(() => early.includes('1'));
  const late = await watch(await harness.connect(), names);
  await waitFor(() => late.includes('1'));
  await publishManifest(broker, names, manifest('2'));
  await waitFor(() => early.at(-1) === '2' && late.at(-1) === '2');
  expect((await readManifest(broker, names, '1'))?.version).toBe('1');
  expect((await readManifest(broker, names))?.version).toBe('2');
});

test('the watch goes on after three crashes of the server', async () => {
  const { broker, names } = await harness.app();
  const watcher = await harness.connect();
  await publishManifest(broker, names, manifest('0'));
  const seen = await watch(watcher, names);
  await waitFor(() => seen.at(-1) === '0');
  for (const version of ['1', '2', '3']) {
    await harness.crash();
    await publishManifest(broker, names, manifest(version));
    await waitFor(() => seen.at(-1) === version, { within: 15_000 });
  }
});

test('a version that was published while the gateway was cut off is learnt of', async () => {
  const { broker, names } = await harness.app();
  const watcher = await harness.connect();
  await publishManifest(broker, names, manifest('1'));
  const seen = await watch(watcher, names);
  await waitFor(() => seen.at(-1) === '1');
  await watcher.nc.reconnect();
  await publishManifest(broker, names, manifest('2'));
  await waitFor(() => seen.at(-1) === '2', { within: 15_000 });
});

test('a manifest of 5,000 steps', async () => {
  const { broker, names } = await harness.app();
  const steps = Array.from({ length: 5_000 }, (_, i) => ({ id: `step ${i}`, file: `src/folder/step-${i}.step.ts` }));
  await publishManifest(broker, names, manifest('large', steps));
  expect((await readManifest(broker, names))?.steps).toHaveLength(5_000);
});

const subscriber = (id: string, topic: string): StepEntry =>
  ({
    id,
    name: id,
    file: `src/${id}.step.ts`,
    language: 'node',
    type: 'event',
    subscribes: [topic],
    emits: [],
  }) as unknown as StepEntry;

test('the subscriptions of a manifest are there before it is published, and lose nothing', async () => {
  const { broker, names } = await harness.app();
  const seen: string[][] = [];
  stops.push(
    await watchManifest(broker, names, async () => {
      seen.push((await broker.jsm.consumers.list(names.streams.events).next()).map(({ name }) => name));
    }),
  );
  await provisionManifest(broker, names, manifest('1', [subscriber('a', 't'), subscriber('b', 't')]));
  await waitFor(() => seen.length > 0);
  expect(seen[0]?.sort()).toEqual([names.subscription('a', 't'), names.subscription('b', 't')]);
});

test('a subscription that no step has any more goes when it is empty, and is reported while something waits in it', async () => {
  const { broker, names } = await harness.app();
  const lines: string[] = [];
  const log = createLogger({
    level: 'info',
    pretty: false,
    destination: { write: (line: string) => lines.push(line) },
  });
  await provisionManifest(
    broker,
    names,
    manifest('1', [subscriber('kept', 'a'), subscriber('empty', 'b'), subscriber('waiting', 'c')]),
  );
  await broker.nc.request(names.event('c'), '1');
  await removeOrphans(broker, names, manifest('2', [subscriber('kept', 'a')]), log);
  const left = (await broker.jsm.consumers.list(names.streams.events).next()).map(({ name }) => name);
  expect(left.sort()).toEqual([names.subscription('kept', 'a'), names.subscription('waiting', 'c')]);
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ action: 'orphaned_subscription', waiting: 1 }]);
});
