/** What schedulers fire: each tick once, whoever leads, and what was missed as the step wants it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { startScheduler } from '../../../scheduler/main.ts';
import type { Broker } from '../../../shared/broker/connect.ts';
import { CronStore } from '../../../shared/broker/cron-store.ts';
import { publishManifest } from '../../../shared/broker/manifest-store.ts';
import { createLogger } from '../../../shared/logger.ts';
import { Header } from '../../../shared/protocol/headers.ts';
import { DEFAULT_PARTITIONS, type Names } from '../../../shared/protocol/subjects.ts';
import { createManifest, describeStep } from '../../../shared/steps/manifest.ts';
import { resolveSettings } from '../../../shared/steps/project-settings.ts';
import type { CronConfig } from '../../../shared/types.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { useNatsServer } from '../broker/harness.ts';

const harness = useNatsServer();
const running: { close(): Promise<void> }[] = [];
let lines: Record<string, unknown>[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((scheduler) => scheduler.close()));
  lines = [];
});

const log = createLogger({
  level: 'debug',
  pretty: false,
  destination: { write: (line: string) => void lines.push(JSON.parse(line)) },
});

const EVERY_SECOND: CronConfig = { type: 'cron', name: 'Tick', cron: '* * * * * *', timezone: 'UTC', emits: [] };
const HOUR = 60 * 60_000;

async function start(names: Names): Promise<{ close(): Promise<void> }> {
  const scheduler = await startScheduler({
    broker: { servers: harness.server.url },
    app: names.app,
    partitions: DEFAULT_PARTITIONS,
    log,
  });
  running.push(scheduler);
  return scheduler;
}

const publish = (broker: Broker, names: Names, ...configs: CronConfig[]) => {
  const steps = configs.map((config) => describeStep(`steps/${config.name}.step.ts`, 'node', config));
  const manifest = createManifest({ app: names.app, settings: resolveSettings({}), steps });
  return publishManifest(broker, names, manifest, false, 'editor');
};

/** The ticks that wait for a worker: there is none in these tests. */
async function ticks(broker: Broker, names: Names): Promise<number[]> {
  const { state } = await broker.jsm.streams.info(names.streams.cron);
  const found: number[] = [];
  for (let seq = state.first_seq; state.messages > 0 && seq <= state.last_seq; seq++) {
    const message = await broker.jsm.streams.getMessage(names.streams.cron, { seq });
    if (message) found.push(Number(message.header.get(Header.tick)));
  }
  return found;
}

/** Each second once, from the first to the last. */
function expectEverySecond(found: number[]): void {
  const first = found[0] ?? 0;
  expect(found).toEqual(found.map((_, n) => first + n * 1_000));
}

test('two schedulers fire each tick once, also when the leader stops', async () => {
  const { broker, names } = await harness.app();
  await publish(broker, names, EVERY_SECOND);
  const first = await start(names);
  await waitFor(() => lines.some(({ action }) => action === 'leader'));
  await start(names);
  await waitFor(async () => (await ticks(broker, names)).length >= 3);
  await first.close();
  await waitFor(async () => (await ticks(broker, names)).length >= 7);
  expectEverySecond(await ticks(broker, names));
});

test('a leader whose connection is lost is replaced, and no tick is lost', async () => {
  const { broker, names } = await harness.app();
  await publish(broker, names, EVERY_SECOND);
  await start(names);
  await waitFor(async () => (await ticks(broker, names)).length >= 2);
  await harness.crash(2_500);
  await broker.whenConnected(10_000);
  const before = (await ticks(broker, names)).length;
  await waitFor(async () => (await ticks(broker, names)).length >= before + 5, { within: 15_000 });
  expectEverySecond(await ticks(broker, names));
});

test('a paused step is not fired within a second, and after it is resumed nothing is made up for', async () => {
  const { broker, names } = await harness.app();
  const cron = new CronStore(broker, names);
  await publish(broker, names, EVERY_SECOND);
  await start(names);
  await waitFor(async () => (await ticks(broker, names)).length >= 1);
  await cron.pause('Tick');
  const pausedAt = Date.now();
  await sleep(3_000);
  const paused = await ticks(broker, names);
  expect(paused.filter((tick) => tick > pausedAt)).toEqual([]);
  await cron.resume('Tick');
  const resumedAt = Date.now();
  await waitFor(async () => (await ticks(broker, names)).length >= paused.length + 2);
  const since = (await ticks(broker, names)).slice(paused.length);
  expect(since[0]).toBeGreaterThan(resumedAt - 1_000);
  expectEverySecond(since);
});

test('what is later than a minute is left out and told; what is not comes at once', async () => {
  const { broker, names } = await harness.app();
  const config: CronConfig = { ...EVERY_SECOND, cron: '*/20 * * * * *' };
  await new CronStore(broker, names).replacePosition(
    'Tick',
    { tick: Date.now() - HOUR, cron: config.cron, timezone: 'UTC' },
    0,
  );
  await publish(broker, names, config);
  await start(names);
  const told = await waitFor(() => lines.find(({ action }) => action === 'ticks_missed'));
  expect(told).toMatchObject({ level: 'warn', step: 'Tick', count: 100 });
  const found = await waitFor(async () => {
    const all = await ticks(broker, names);
    return all.length >= 3 ? all : undefined;
  });
  expect(found.length).toBeLessThanOrEqual(4);
  expect(found[0]).toBeGreaterThan(Date.now() - 62_000);
});

test('a step that catches up gets all that it has missed, in their order', async () => {
  const { broker, names } = await harness.app();
  const config: CronConfig = { ...EVERY_SECOND, cron: '0 * * * *', missed: 'catchUp' };
  const from = Date.now() - 150 * HOUR;
  await new CronStore(broker, names).replacePosition('Tick', { tick: from, cron: config.cron, timezone: 'UTC' }, 0);
  await publish(broker, names, config);
  await start(names);
  const found = await waitFor(async () => {
    const all = await ticks(broker, names);
    return all.length >= 150 ? all : undefined;
  });
  const first = Math.ceil(from / HOUR) * HOUR;
  expect(found.slice(0, 150)).toEqual(Array.from({ length: 150 }, (_, n) => first + n * HOUR));
});

test('a step that catches up loses nothing to a full queue', async () => {
  const { broker, names } = await harness.app();
  const config: CronConfig = { ...EVERY_SECOND, cron: '0 * * * *', missed: 'catchUp' };
  const from = Date.now() - 250 * HOUR;
  await new CronStore(broker, names).replacePosition('Tick', { tick: from, cron: config.cron, timezone: 'UTC' }, 0);
  await publish(broker, names, config);
  await start(names);
  await waitFor(() => lines.some(({ action }) => action === 'tick_refused'));
  await sleep(1_000);
  expect(lines.filter(({ action }) => action === 'tick_refused')).toHaveLength(1);
  const waiting = await ticks(broker, names);
  await broker.jsm.streams.purge(names.streams.cron); // workers take them
  const rest = await waitFor(async () => {
    const all = await ticks(broker, names);
    return all.length >= 50 ? all : undefined;
  });
  const first = Math.ceil(from / HOUR) * HOUR;
  const all = [...waiting, ...rest].slice(0, 250);
  expect(all).toEqual(Array.from({ length: 250 }, (_, n) => first + n * HOUR));
});

test('a new schedule of a step begins now, and not where the old one was', async () => {
  const { broker, names } = await harness.app();
  const cron = new CronStore(broker, names);
  await cron.replacePosition('Tick', { tick: Date.now() - HOUR, cron: '0 0 * * *' }, 0);
  await publish(broker, names, { ...EVERY_SECOND, cron: '*/5 * * * * *', missed: 'catchUp' });
  const startedAt = Date.now();
  await start(names);
  const [first] = await waitFor(async () => {
    const all = await ticks(broker, names);
    return all.length > 0 ? all : undefined;
  });
  expect(first).toBeGreaterThanOrEqual(startedAt);
});

test('steps come and go with the manifest, and what cannot be read is told and disturbs no other', async () => {
  const { broker, names } = await harness.app();
  const cron = new CronStore(broker, names);
  await start(names);
  await publish(
    broker,
    names,
    EVERY_SECOND,
    { ...EVERY_SECOND, name: 'Odd', cron: '0 0 12 * * * *' },
    {
      ...EVERY_SECOND,
      name: 'Wrong',
      timezone: 'Mars',
    },
  );
  await waitFor(async () => (await ticks(broker, names)).length >= 2);
  const told = lines.filter(({ action }) => action === 'schedule_odd').map(({ msg }) => msg);
  expect(told).toEqual([
    'steps/Odd.step.ts: the seventh field of "0 0 12 * * * *" has no meaning',
    'steps/Wrong.step.ts: Wrong will not run: Expected the name of a time zone, such as Europe/Berlin, and not "Mars"',
  ]);
  expect([...(await cron.readPositions()).keys()].sort()).toEqual(['fired.Odd', 'fired.Tick']);
  await publish(broker, names, { ...EVERY_SECOND, name: 'Odd', cron: '0 0 12 * * * *' });
  await waitFor(async () => !(await cron.readPositions()).has('fired.Tick'));
  const before = await ticks(broker, names);
  await sleep(1_500);
  expect(await ticks(broker, names)).toEqual(before);
});
