/** The manifest on the broker: gateways learn of every version, also after the server was away. */
import { gzipSync } from 'node:zlib';
import { Kvm } from '@nats-io/kv';
import { afterEach, expect, test } from 'vitest';
import type { Broker } from '../../../shared/broker/connect.ts';
import { writeEntry } from '../../../shared/broker/key-value.ts';
import { publishManifest, readManifest, watchManifest } from '../../../shared/broker/manifest-store.ts';
import { provisionManifest } from '../../../shared/broker/provision.ts';
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
  publishManifest(broker, names, nodeSteps(...steps.map((name) => subscriber(name))), true);

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
  await publishManifest(broker, names, nodeSteps(subscriber('a')), false);
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
