// Events on file storage, emitted → handled by one step: the bare client loop against ours, without and with traces exported.
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startBroker } from '../lib/broker.mjs';
import { Collector } from '../lib/collector.mjs';
import { post, startMotia } from '../lib/motia.mjs';
import { ask } from '../lib/processes.mjs';
import { atLeast, atMost } from '../lib/report.mjs';
import { measureRounds } from '../lib/rounds.mjs';
import { median, round } from '../lib/stats.mjs';

const WINDOW = 512;
const PATIENCE_MS = 60_000;
const LATE_DUPLICATES_MS = 500;

/** @param {import('../lib/processes.mjs').Scope} scope @param {{ rounds: number, events: number }} options */
export async function events(scope, { rounds, events: count }) {
  const collector = await Collector.start(scope);
  const systems = [
    await startBare(scope),
    await startOurs(scope, 'ours'),
    await startOurs(scope, 'ours, traced', collector.url),
  ];
  const measured = await measureRounds(systems, { rounds, events: count }, measureBurst);

  const [bare, ours, traced] = systems.map(({ name }) => measured.filter(({ system }) => system === name));
  const faults = measured.reduce((sum, { missing, duplicates }) => sum + missing + duplicates, 0);
  const medianOf = (rows, key) => Math.round(median(rows.map((row) => row[key])));
  const ratioOf = (rows) =>
    round(median(rows.map(({ handledPerSecond }, i) => handledPerSecond / bare[i].handledPerSecond)));
  return {
    title: `Events: ${count.toLocaleString('en')} emitted → handled by one step, on file`,
    tables: [
      {
        columns: ['system', 'handled/s', 'stored/s', 'handled / bare', 'client µs/event', 'broker µs/event'],
        rows: [bare, ours, traced].map((rows) => [
          rows[0].system,
          medianOf(rows, 'handledPerSecond'),
          medianOf(rows, 'storedPerSecond'),
          ratioOf(rows),
          medianOf(rows, 'clientMicros'),
          medianOf(rows, 'brokerMicros'),
        ]),
      },
    ],
    checks: [
      atLeast('events handled per second: ours / bare', ratioOf(ours), 0.5),
      atMost('events not handled, or handled twice', faults, 0),
    ],
    notes: [
      `Both emit in windows of ${WINDOW} awaited events; a handler appends the id to a file. The µs columns are CPU time.`,
    ],
    rounds: measured,
  };
}

async function startBare(scope) {
  const handledFile = path.join(scope.temporaryFolder(), 'handled');
  const broker = await startBroker(scope);
  const loop = await scope.fork(new URL('../peers/bare-events.mjs', import.meta.url), [broker.url, handledFile]);
  const emit = (order) => ask(loop, order);
  return { name: 'bare', handledFile, emit, clients: [loop.pid], broker: broker.pid };
}

async function startOurs(scope, name, otlpUrl) {
  const handledFile = path.join(scope.temporaryFolder(), 'handled');
  const broker = await startBroker(scope);
  const { url, gateway, worker } = await startMotia(scope, { natsUrl: broker.url, otlpUrl, handledFile });
  const emit = (order) => fanOut(url, order);
  return { name, handledFile, emit, clients: [gateway.pid, worker.pid], broker: broker.pid };
}

/** Has our API step emit a burst. @param {string} url @param {{ count: number, window: number }} order */
export const fanOut = (url, order) => post(`${url}/fan-out`, order);

/**
 * One burst, from the first emit to the last event handled.
 *
 * @param {{ handledFile: string, emit: (order: { count: number, window: number }) => Promise<any> }} system
 * @param {number} count
 */
export async function measureBurst({ handledFile, emit }, count) {
  fs.writeFileSync(handledFile, '');
  const { startedAt, storedAt } = await emit({ count, window: WINDOW });
  await untilLines(handledFile, count);
  await sleep(LATE_DUPLICATES_MS);
  const lines = fs.readFileSync(handledFile, 'utf8').trimEnd().split('\n');
  const distinct = new Set(lines.map((line) => line.slice(0, line.indexOf(' ')))).size;
  const handledAt = lines.reduce((last, line) => Math.max(last, Number(line.slice(line.indexOf(' ')))), 0);
  return {
    handledPerSecond: (count / (handledAt - startedAt)) * 1000,
    storedPerSecond: (count / (storedAt - startedAt)) * 1000,
    missing: count - distinct,
    duplicates: lines.length - distinct,
  };
}

/** Lines are counted in what was added since the last look, so that waiting costs next to nothing. */
export async function untilLines(file, count) {
  const descriptor = fs.openSync(file, 'r');
  const buffer = Buffer.allocUnsafe(1 << 16);
  let lines = 0;
  for (
    const deadline = performance.now() + PATIENCE_MS;
    lines < count && performance.now() < deadline;
    await sleep(20)
  ) {
    for (let read = fs.readSync(descriptor, buffer); read > 0; read = fs.readSync(descriptor, buffer)) {
      for (let i = 0; i < read; i++) if (buffer[i] === 10) lines++;
    }
  }
  fs.closeSync(descriptor);
}
