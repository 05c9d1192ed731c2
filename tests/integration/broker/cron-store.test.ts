/** Cron steps on the broker: ticks as the protocol has them, records and positions that nobody overwrites unseen. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Broker } from '../../../shared/broker/connect.ts';
import { type CronRun, CronStore } from '../../../shared/broker/cron-store.ts';
import { createNames, type Names } from '../../../shared/protocol/subjects.ts';
import { useNatsServer } from './harness.ts';

const harness = useNatsServer();

const { ticks } = JSON.parse(
  readFileSync(new URL('../../../shared/protocol/golden/cron.json', import.meta.url), 'utf8'),
) as { ticks: { what: string; step: string; subject: string; headers: Record<string, string> }[] };

async function stored(broker: Broker, names: Names) {
  const { state } = await broker.jsm.streams.info(names.streams.cron);
  const messages = [];
  for (let seq = state.first_seq; state.messages > 0 && seq <= state.last_seq; seq++) {
    const message = await broker.jsm.streams.getMessage(names.streams.cron, { seq });
    if (message) messages.push(message);
  }
  return messages;
}

const run = (seq: number, changes: Partial<CronRun> = {}): CronRun => ({
  seq,
  tick: seq * 1_000,
  manual: false,
  claim: `c${seq}`,
  times: 1,
  startedAt: seq * 1_000,
  endedAt: seq * 1_000 + 5,
  outcome: 'succeeded',
  ...changes,
});

test('ticks are stored as the golden file has them', async () => {
  const { broker, names } = await harness.app();
  const cron = new CronStore(broker, names);
  const [scheduled, manual] = ticks as [(typeof ticks)[0], (typeof ticks)[0]];
  await cron.fire(scheduled.step, Number(scheduled.headers['Motia-Tick']));
  await cron.trigger(manual.step);
  for (const [index, message] of (await stored(broker, names)).entries()) {
    const example = index === 0 ? scheduled : manual;
    expect(createNames('shop').tick(example.step)).toBe(example.subject);
    expect(message.subject).toBe(names.tick(example.step));
    expect(message.data).toHaveLength(0);
    const headers = Object.fromEntries([...message.header].map(([name, [value]]) => [name, value]));
    if (example === scheduled) expect(headers).toEqual(example.headers);
    else {
      expect(Object.keys(headers).sort()).toEqual(Object.keys(example.headers).sort());
      expect(headers['Motia-Trigger']).toBe('manual');
    }
  }
});

test('a tick that is fired twice is stored once, a run by hand each time', async () => {
  const { broker, names } = await harness.app();
  const cron = new CronStore(broker, names);
  for (let n = 0; n < 3; n++) await cron.fire('Tidy', 5_000);
  for (let n = 0; n < 2; n++) await cron.trigger('Tidy');
  expect(await stored(broker, names)).toHaveLength(3);
});

test('more ticks than may wait are refused, and those of other steps are not', async () => {
  const { broker, names } = await harness.app();
  const cron = new CronStore(broker, names);
  await Promise.all(Array.from({ length: 200 }, (_, n) => cron.fire('Full', n)));
  await expect(cron.fire('Full', 200)).rejects.toMatchObject({ code: 'STORE_FULL' });
  await cron.fire('Other', 200);
  const messages = await stored(broker, names);
  expect(messages.find(({ subject }) => subject === names.tick('Full'))?.header.get('Motia-Tick')).toBe('0');
});

test('a record that has changed is not overwritten', async () => {
  const { broker, names } = await harness.app();
  const cron = new CronStore(broker, names);
  const empty = await cron.readRecord('Tidy');
  expect(empty).toEqual({ runs: [], revision: 0 });
  const writes = await Promise.all([1, 2, 3].map((seq) => cron.replaceRecord('Tidy', { ...empty, runs: [run(seq)] })));
  expect(writes.filter(Boolean)).toHaveLength(1);
  const { runs, revision } = await cron.readRecord('Tidy');
  expect(runs).toEqual([run(writes.indexOf(true) + 1)]);
  expect(await cron.replaceRecord('Tidy', { runs: [run(9)], revision })).toBe(true);
  expect([...(await cron.readRecords())]).toEqual([['cron.Tidy', [run(9)]]]);
});

test('a record keeps the last ended runs, and all that go on', async () => {
  const { broker, names } = await harness.app();
  const cron = new CronStore(broker, names);
  const { endedAt: _, outcome: __, ...going } = run(1);
  const runs = [going, ...Array.from({ length: 40 }, (_, n) => run(n + 2))];
  await cron.replaceRecord('Tidy', { runs, revision: 0 });
  const kept = (await cron.readRecord('Tidy')).runs.map(({ seq }) => seq);
  expect(kept).toEqual([1, ...Array.from({ length: 16 }, (_, n) => n + 26)]);
});

test('a position that another leader has moved is left alone', async () => {
  const { broker, names } = await harness.app();
  const cron = new CronStore(broker, names);
  const first = await cron.replacePosition('Tidy', { tick: 1, cron: '@daily' }, 0);
  expect(await cron.replacePosition('Tidy', { tick: 2, cron: '@daily' }, 0)).toBeUndefined();
  const second = await cron.replacePosition('Tidy', { tick: 3, cron: '@daily' }, first ?? 0);
  expect([...(await cron.readPositions())]).toEqual([['fired.Tidy', { tick: 3, cron: '@daily', revision: second }]]);
  await cron.removePosition('fired.Tidy');
  expect((await cron.readPositions()).size).toBe(0);
});

test('pauses are there until they are taken back, for steps of any name', async () => {
  const { broker, names } = await harness.app();
  const cron = new CronStore(broker, names);
  const steps = ['Tidy', 'a.b', '*', '>', 'Größe: 1'];
  for (const step of steps) await cron.pause(step);
  expect(await cron.readPauses()).toEqual(new Set(steps.map((step) => names.cronPause(step))));
  for (const step of steps.slice(1)) await cron.resume(step);
  expect([...(await cron.readPauses())]).toEqual(['paused.Tidy']);
});
