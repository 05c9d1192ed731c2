/** The manifest on the broker: gateways learn of every version, also after the server was away. */
import { gzipSync } from 'node:zlib';
import { Kvm } from '@nats-io/kv';
import pino from 'pino';
import { afterEach, expect, test } from 'vitest';
import type { Broker } from '../../../shared/broker/connect.ts';
import { writeEntry } from '../../../shared/broker/key-value.ts';
import {
  publishManifest,
  readManifest,
  retireManifests,
  watchManifest,
} from '../../../shared/broker/manifest-store.ts';
import type { Publisher } from '../../../shared/broker/newest-version.ts';
import { provisionManifest } from '../../../shared/broker/provision.ts';
import { WorkerLease } from '../../../shared/broker/worker-lease.ts';
import type { Names } from '../../../shared/protocol/subjects.ts';
import { createManifest, type Manifest, type StepEntry } from '../../../shared/steps/manifest.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { useNatsServer } from './harness.ts';

const harness = useNatsServer();
const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** A manifest of Node steps. */
const nodeSteps = (...steps: StepEntry[]): Manifest => ({ app: 'a', steps, settings: {} }) as unknown as Manifest;

const subscriber = (name: string, topic = 't', language: StepEntry['language'] = 'node'): StepEntry =>
  ({
    id: name,
    name,
    file: `src/${name}.step.${language}`,
    language,
    type: 'event',
    subscribes: [topic],
    emits: [],
  }) as unknown as StepEntry;

const publish = (broker: Broker, names: Names, ...steps: string[]) =>
  publishManifest(broker, names, nodeSteps(...steps.map((name) => subscriber(name))), true, 'editor');

/** What a worker of another language does. */
async function publishPython(broker: Broker, names: Names, name: string): Promise<void> {
  const current = (await readManifest(broker, names)) as Manifest;
  const steps = [...current.steps, subscriber(name, 't', 'python')];
  const manifest = createManifest({ ...current, steps });
  await writeEntry(broker, names.buckets.manifest, `v.${manifest.version}`, gzipSync(JSON.stringify(manifest)));
  await writeEntry(broker, names.buckets.manifest, 'current', manifest.version);
}

/** Names of the steps of each manifest that is seen, as one text. */
async function watch(broker: Broker, names: Names): Promise<string[]> {
  const seen: string[] = [];
  stops.push(await watchManifest(broker, names, ({ steps }) => seen.push(namesOf(steps))));
  return seen;
}

const namesOf = (steps: readonly StepEntry[] = []) => steps.map(({ name }) => name).join(' ');

test('a gateway learns of the version that is there, and of every later one', async () => {
  const { broker, names } = await harness.app();
  const early = await watch(broker, names);
  expect(await readManifest(broker, names)).toBeUndefined();
  const { version } = (await publish(broker, names, '1')).manifest;
  await waitFor(() => early.includes('1'));
  const late = await watch(await harness.connect(), names);
  await waitFor(() => late.includes('1'));
  await publish(broker, names, '2');
  await waitFor(() => early.at(-1) === '2' && late.at(-1) === '2');
  expect(namesOf((await readManifest(broker, names, version))?.steps)).toBe('1');
  expect(namesOf((await readManifest(broker, names))?.steps)).toBe('2');
});

test('the watch goes on after three crashes of the server', async () => {
  const { broker, names } = await harness.app();
  const watcher = await harness.connect();
  await publish(broker, names, '0');
  const seen = await watch(watcher, names);
  await waitFor(() => seen.at(-1) === '0');
  for (const version of ['1', '2', '3']) {
    await harness.crash();
    await publish(broker, names, version);
    await waitFor(() => seen.at(-1) === version, { within: 15_000 });
  }
});

test('a version that was published while the gateway was cut off is learnt of', async () => {
  const { broker, names } = await harness.app();
  const watcher = await harness.connect();
  await publish(broker, names, '1');
  const seen = await watch(watcher, names);
  await waitFor(() => seen.at(-1) === '1');
  await watcher.nc.reconnect();
  await publish(broker, names, '2');
  await waitFor(() => seen.at(-1) === '2', { within: 15_000 });
});

test('steps of other languages stay while the project has such, and Node keeps its names', async () => {
  const { broker, names } = await harness.app();
  await publish(broker, names, 'a');
  await publishPython(broker, names, 'b');
  await publish(broker, names, 'a', 'b');
  const ids = (await readManifest(broker, names))?.steps.map(({ id }) => id);
  expect(ids).toEqual(['a', 'b', 'b@src/b.step.python']);
  await publishManifest(broker, names, nodeSteps(subscriber('a')), false, 'editor');
  expect(namesOf((await readManifest(broker, names))?.steps)).toBe('a');
});

test('a manifest that another tool has removed is published again', async () => {
  const { broker, names } = await harness.app();
  await publish(broker, names, 'a');
  await (await new Kvm(broker.nc).open(names.buckets.manifest)).delete('current');
  await publish(broker, names, 'b');
  expect(namesOf((await readManifest(broker, names))?.steps)).toBe('b');
});

test('eight that publish at the same time lose nothing of what the others wrote', async () => {
  const { broker, names } = await harness.app();
  await publish(broker, names, 'a');
  await publishPython(broker, names, 'p');
  await Promise.all(Array.from({ length: 8 }, (_, i) => publish(broker, names, `n${i}`)));
  const current = (await readManifest(broker, names)) as Manifest;
  expect(namesOf(current.steps)).toMatch(/^n\d p$/);
});

test('an older version that starts again gives way to a newer one that lives; motia provision does not', async () => {
  const { broker, names } = await harness.app();
  const versionOf = (name: string) => ({ ...nodeSteps(subscriber(name)), version: name });
  const publishAs = async (name: string, publisher: Publisher) =>
    (await publishManifest(broker, names, versionOf(name), false, publisher)).gaveWay;
  const current = async () => namesOf((await readManifest(broker, names))?.steps);
  const leases: Record<string, WorkerLease> = {};
  const start = async (name: string) => {
    const lease = new WorkerLease(broker, names, pino({ level: 'silent' }), () => []);
    leases[name] = lease;
    await lease.name([], name);
    return publishAs(name, 'worker');
  };
  expect([await start('old'), await start('new')]).toEqual([false, false]);
  expect([await publishAs('old', 'worker'), await publishAs('new', 'worker'), await current()]).toEqual([
    true,
    false,
    'new',
  ]);
  await leases.new?.stop(); // a rollback: none of its workers is left
  expect([await publishAs('old', 'worker'), await current()]).toEqual([false, 'old']);
  expect([await start('new'), await current()]).toEqual([true, 'old']);

  expect([await publishAs('new', 'provision'), await current()]).toEqual([false, 'new']);
  await leases.new?.stop(); // its workers are still to come
  expect([await publishAs('old', 'worker'), await current()]).toEqual([true, 'new']);
  expect(await start('new')).toBe(false); // the first of them
  await leases.new?.stop();
  expect([await publishAs('old', 'worker'), await current()]).toEqual([false, 'old']);

  expect([await start('new'), await publishAs('new', 'editor'), await current()]).toEqual([true, false, 'new']);
  const started = await Promise.all([publishAs('old', 'worker'), start('third'), publishAs('old', 'worker')]);
  expect([started, await current()]).toEqual([[true, false, true], 'third']);
  await Promise.all(Object.values(leases).map((lease) => lease.stop()));
});

test('manifests that are not current are taken away after a day, and no others', async () => {
  const { broker, names } = await harness.app();
  const [first, second] = [(await publish(broker, names, '1')).manifest, (await publish(broker, names, '2')).manifest];
  const DAY = 24 * 3_600_000;
  await retireManifests(broker, names, Date.now() + DAY - 60_000);
  expect(await readManifest(broker, names, first.version)).toEqual(first);
  await retireManifests(broker, names, Date.now() + DAY + 60_000);
  expect(await readManifest(broker, names, first.version)).toBeUndefined();
  expect(await readManifest(broker, names)).toEqual(second);
  await publish(broker, names, '1');
  expect(await readManifest(broker, names)).toEqual(first);
});

test('a manifest of 5,000 steps', async () => {
  const { broker, names } = await harness.app();
  await publish(broker, names, ...Array.from({ length: 5_000 }, (_, i) => `step ${i}`));
  expect((await readManifest(broker, names))?.steps).toHaveLength(5_000);
});

test('the subscriptions of a manifest are there before it is published, and lose nothing', async () => {
  const { broker, names } = await harness.app();
  const seen: string[][] = [];
  stops.push(
    await watchManifest(broker, names, async () => {
      seen.push((await broker.jsm.consumers.list(names.streams.events).next()).map(({ name }) => name));
    }),
  );
  await provisionManifest(broker, names, nodeSteps(subscriber('a'), subscriber('b')), false);
  await waitFor(() => seen.length > 0);
  expect(seen[0]?.sort()).toEqual([names.subscription('a', 't'), names.subscription('b', 't')]);
});
