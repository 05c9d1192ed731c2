/** Stored traces and logs on a real broker: what is told is found again, by whoever asks and however late it was told. */
import { createHash } from 'node:crypto';
import pino from 'pino';
import { describe, expect, test } from 'vitest';
import type { Broker } from '../../../shared/broker/connect.ts';
import { TelemetryAdmin } from '../../../shared/broker/telemetry-admin.ts';
import { limitTelemetry } from '../../../shared/broker/telemetry-limits.ts';
import { ReadBudget } from '../../../shared/broker/telemetry-reader.ts';
import { TelemetryStore } from '../../../shared/broker/telemetry-store.ts';
import { ensureTopology } from '../../../shared/broker/topology.ts';
import type { Names } from '../../../shared/protocol/subjects.ts';
import { TelemetryBuffer } from '../../../shared/telemetry-buffer.ts';
import type { SpanRecord } from '../../../shared/telemetry-records.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { useNatsServer } from './harness.ts';

const harness = useNatsServer();
const silent = pino({ level: 'silent' });

const random = (seed: string, digits: number) => createHash('sha1').update(seed).digest('hex').slice(0, digits);
/** The id of a trace that began then. */
const traceId = (began: number, seed: string) => began.toString(16).padStart(12, '0') + random(seed, 20);

function span(id: string, name: string, more: Partial<SpanRecord> = {}): string {
  const start = Number.parseInt(id.slice(0, 12), 16);
  const record = { traceId: id, spanId: random(id + name, 16), name, kind: 'internal', start, end: start + 5 };
  return JSON.stringify({ ...record, ...more });
}

const log = (msg: string, more: object = {}) =>
  `${JSON.stringify({ level: 'info', time: new Date().toISOString(), ...more, msg })}\n`;

const storeOf = (broker: Broker, names: Names) => new TelemetryStore(broker, names, 'test', silent);

async function tell(broker: Broker, names: Names, spans: string[], logs: string[] = []): Promise<void> {
  const store = storeOf(broker, names);
  store.addSpanLines(spans, 0);
  for (const line of logs) store.addLogLine(line);
  await store.close();
}

describe('a trace', () => {
  test('is found whole: what was told at once, and what was told much later, after a crash of the broker', async () => {
    const { broker, names } = await harness.app();
    const now = Date.now();
    const young = traceId(now, 'young');
    const old = traceId(now - 3_600_000, 'old');
    const foreign = 'f'.repeat(32);
    const child = { parentId: random(`${old}root`, 16), error: 'late' };
    await tell(
      broker,
      names,
      [span(young, 'root'), span(old, 'root'), span(foreign, 'root')],
      [log('one', { traceId: old })],
    );
    await harness.crash();
    await tell(broker, names, [span(old, 'child', child)], [log('two', { traceId: old }), log('none')]);
    const admin = new TelemetryAdmin(broker, names);
    expect(await admin.trace(young)).toMatchObject({ status: 'completed', roots: [{ name: 'root', children: [] }] });
    expect(await admin.trace(foreign)).toMatchObject({ status: 'completed', roots: [{ name: 'root' }] });
    expect(await admin.trace(old)).toMatchObject({
      status: 'failed',
      complete: true,
      roots: [{ name: 'root', node: expect.stringMatching(/^test-/), children: [{ name: 'child', error: 'late' }] }],
      logs: [{ msg: 'one' }, { msg: 'two' }],
    });
    await expect(admin.trace(traceId(now, 'other'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(admin.trace('x')).rejects.toMatchObject({ code: 'INVALID_VALUE' });
    const subjects = (await broker.jsm.streams.info(names.streams.telemetry, { subjects_filter: '>' })).state.subjects;
    expect(Object.keys(subjects ?? {}).filter((subject) => subject.includes('.late.'))).not.toEqual([]);
  });

  test('with a parent that is not stored keeps its spans together, and a span that goes on is replaced by its end', async () => {
    const { broker, names } = await harness.app();
    const id = traceId(Date.now(), 'parts');
    const parent = { parentId: 'b'.repeat(16) };
    const { end: _, ...going } = JSON.parse(span(id, 'slow', parent));
    await tell(broker, names, [span(id, 'quick', parent), JSON.stringify(going)]);
    const admin = new TelemetryAdmin(broker, names);
    expect(await admin.trace(id)).toMatchObject({
      status: 'running',
      roots: [{ missing: true, children: [{ name: 'quick' }, { name: 'slow', running: true }] }],
    });
    expect((await admin.traces({ status: 'running' }, {})).traces).toMatchObject([{ traceId: id }]);
    await tell(broker, names, [span(id, 'slow', { ...parent, end: going.start + 2_000 })]);
    expect(await admin.trace(id)).toMatchObject({ status: 'completed', durationMs: 2_000 });
    expect((await admin.traces({ status: 'completed' }, {})).traces).toMatchObject([{ traceId: id, spans: 2 }]);
  });
});

test('traces are listed newest first, page by page, each once, while more come', async () => {
  const { broker, names } = await harness.app();
  const now = Date.now();
  const ids = Array.from({ length: 25 }, (_, n) => traceId(now - n * 100, `trace ${n}`));
  // Each is a batch of its own, and none comes in the order of its time.
  for (const n of [3, 1, 4, 0, 2]) {
    const some = ids.filter((_, index) => index % 5 === n);
    await tell(
      broker,
      names,
      some.map((id, i) =>
        span(id, 'request', { attributes: { 'motia.step.name': `S${i % 2}` }, ...(i === 0 && { error: 'no' }) }),
      ),
    );
  }
  const admin = new TelemetryAdmin(broker, names);
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await admin.traces({}, { cursor, limit: 10 });
    seen.push(...page.traces.map((trace) => trace.traceId));
    if (cursor === undefined) await tell(broker, names, [span(traceId(now + 1_000, 'newer'), 'newer')]);
    cursor = page.next;
  } while (cursor !== undefined);
  expect(seen).toEqual(ids);
  expect((await admin.traces({ status: 'failed' }, {})).traces).toHaveLength(5);
  expect((await admin.traces({ step: 'S1' }, {})).traces).toHaveLength(10);
  expect((await admin.traces({ since: now - 350, until: now }, {})).traces).toHaveLength(4);
  expect((await admin.traces({ text: ids[7]?.slice(-8) }, {})).traces).toMatchObject([{ traceId: ids[7] }]);
  expect((await admin.traces({ minDurationMs: 6 }, {})).traces).toEqual([]);
  await expect(admin.traces({}, { cursor: 'x' })).rejects.toMatchObject({ code: 'INVALID_VALUE' });
});

test('the log is read from the newest on, page by page, by what its records say', async () => {
  const { broker, names } = await harness.app();
  const time = (n: number) => new Date(Date.now() - 60_000 + n * 10).toISOString();
  for (let batch = 0; batch < 3; batch++) {
    const lines = Array.from({ length: 10 }, (_, i) => {
      const n = batch * 10 + i;
      return log(`line ${n}`, { time: time(n), level: n % 3 === 0 ? 'error' : 'info', step: n % 2 ? 'Odd' : 'Even' });
    });
    await tell(broker, names, [], lines);
  }
  const admin = new TelemetryAdmin(broker, names);
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await admin.logs({}, { cursor, limit: 7 });
    seen.push(...page.logs.map(({ msg }) => msg));
    cursor = page.next;
  } while (cursor !== undefined);
  expect(seen).toEqual(Array.from({ length: 30 }, (_, n) => `line ${29 - n}`));
  expect((await admin.logs({ level: 'warn' }, {})).logs).toHaveLength(10);
  expect((await admin.logs({ step: 'Odd', level: 'error' }, {})).logs).toHaveLength(5);
  expect((await admin.logs({ text: 'LINE 12' }, {})).logs).toMatchObject([{ msg: 'line 12' }]);
  expect((await admin.logs({ since: Date.now() - 1 }, {})).logs).toEqual([]);
  await expect(admin.logs({}, { cursor: '-1' })).rejects.toMatchObject({ code: 'INVALID_VALUE' });

  const ended = new AbortController();
  const followed: string[] = [];
  const following = (async () => {
    for await (const { msg } of admin.follow({ level: 'error' }, ended.signal)) followed.push(msg);
  })();
  await waitFor(async () => {
    await tell(broker, names, [], [log('unheard'), log('heard', { level: 'error' })]);
    return followed.length > 0;
  });
  ended.abort();
  await following;
  expect(new Set(followed)).toEqual(new Set(['heard']));
  const { consumer_count } = (await broker.jsm.streams.info(names.streams.telemetry)).state;
  expect(consumer_count, 'nothing is left behind by whoever looked').toBe(0);
});

test('without a broker nobody waits: a bounded number of records does, the newest, and how many were dropped is told', async () => {
  const { broker, names } = await harness.app();
  const store = new TelemetryStore(broker, names, 'test', silent, { records: 100 });
  await harness.server.kill('SIGKILL');
  await waitFor(() => !broker.connected());
  for (let n = 0; n < 1_000; n++) store.addLogLine(log(`line ${n}`));
  await harness.server.restart();
  const admin = new TelemetryAdmin(broker, names);
  const { logs } = await waitFor(
    async () => {
      const page = await admin.logs({ text: 'line ' }, { limit: 1_000 });
      return page.logs.length > 0 ? page : undefined;
    },
    { within: 15_000 },
  );
  expect(logs.map(({ msg }) => msg).sort()).toEqual(Array.from({ length: 100 }, (_, n) => `line ${900 + n}`).sort());
  const message = await broker.jsm.streams.getMessage(names.streams.telemetry, { last_by_subj: names.allTelemetry });
  expect(message?.header.get('Motia-Dropped')).toBe('900');
  await store.close();
});

test('a buffer is bounded by what its records hold as well, and keeps the last one however large it is', () => {
  const buffer = new TelemetryBuffer<string>((text) => text.length, { records: 10, characters: 20 });
  for (const text of ['a'.repeat(8), 'b'.repeat(8), 'c'.repeat(8)]) buffer.add(text);
  expect(buffer.take()).toEqual({ records: ['b'.repeat(8), 'c'.repeat(8)], dropped: 1 });
  buffer.add('d'.repeat(50));
  expect(buffer.take()).toEqual({ records: ['d'.repeat(50)], dropped: 0 });
  for (let n = 0; n < 35; n++) buffer.add(String(n % 10));
  expect(buffer.take()).toEqual({ records: [...'5678901234'], dropped: 25 });
  const budget = new ReadBudget(1, 100);
  budget.spend([{ size: 1 } as never]);
  expect(budget.isSpent).toBe(true);
});

test('its limits are those of the project, and stay when the topology is ensured again', async () => {
  const { broker, names } = await harness.app();
  const config = async () => (await broker.jsm.streams.info(names.streams.telemetry)).config;
  expect(await config()).toMatchObject({ max_age: 3 * 86_400 * 1e9, max_msgs: 1_000_000, num_replicas: 1 });
  await limitTelemetry(broker, names, { days: 1, bytes: 50 * 1024 ** 2 });
  expect(await config()).toMatchObject({ max_age: 86_400 * 1e9, max_bytes: 50 * 1024 ** 2 });
  await ensureTopology(broker, names);
  expect(await config()).toMatchObject({ max_age: 86_400 * 1e9, max_bytes: 50 * 1024 ** 2 });
});
