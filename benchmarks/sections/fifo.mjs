// Events in order, over three workers: ours against the bare client with the same partitions.
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startBroker } from '../lib/broker.mjs';
import { createProject, post, startMotia } from '../lib/motia.mjs';
import { ask } from '../lib/processes.mjs';
import { atLeast, atMost } from '../lib/report.mjs';
import { measureRounds } from '../lib/rounds.mjs';
import { median, round } from '../lib/stats.mjs';
import { untilLines } from './events.mjs';

const GROUPS = 1000;
const WORKERS = 3;
const WINDOW = 500;
const PARTITIONS = 64;
const LATE_DUPLICATES_MS = 500;

/** @param {import('../lib/processes.mjs').Scope} scope @param {{ rounds: number, events: number }} options */
export async function fifo(scope, { rounds, events: count }) {
  const systems = [await startBare(scope), await startOurs(scope)];
  const measured = await measureRounds(systems, { rounds, events: count }, measureFlow);

  const of = (name) => measured.filter(({ system }) => system === name);
  const ratio = (name) =>
    round(median(of(name).map(({ perSecond }, i) => perSecond / of(systems[0].name)[i].perSecond)));
  const medianOf = (name, key) => Math.round(median(of(name).map((row) => row[key])));
  const sum = (rows, key) => rows.reduce((total, row) => total + row[key], 0);
  return {
    title: `Order: ${count.toLocaleString('en')} events of ${GROUPS.toLocaleString('en')} groups, ${WORKERS} workers, on file`,
    tables: [
      {
        columns: [
          'system',
          'handled/s',
          'stored/s',
          'handled / bare',
          'client µs/event',
          'broker µs/event',
          'out of order',
        ],
        rows: systems.map(({ name }) => [
          name,
          medianOf(name, 'perSecond'),
          medianOf(name, 'storedPerSecond'),
          ratio(name),
          medianOf(name, 'clientMicros'),
          medianOf(name, 'brokerMicros'),
          sum(of(name), 'outOfOrder'),
        ]),
      },
    ],
    checks: [
      atLeast('events in order per second: ours / bare', ratio('ours'), 0.5),
      atMost('events out of order', sum(of('ours'), 'outOfOrder'), 0),
      atMost('events not handled, or handled twice', sum(of('ours'), 'faults'), 0),
    ],
    notes: [
      `Both have ${PARTITIONS} partitions, made by the broker, with one event of each out at a time. ${WINDOW} emits are under way, those of a group one`,
      'after the other, from one of the three workers. A handler appends group and number to a file. The µs columns are CPU time.',
    ],
    rounds: measured,
  };
}

async function startBare(scope) {
  const handledFile = path.join(scope.temporaryFolder(), 'handled');
  const broker = await startBroker(scope);
  const start = () =>
    scope.fork(new URL('../peers/bare-fifo.mjs', import.meta.url), [broker.url, PARTITIONS, handledFile]);
  const loops = await Promise.all(Array.from({ length: WORKERS }, start));
  const clients = loops.map(({ pid }) => pid);
  return { name: 'bare', handledFile, emit: (order) => ask(loops[0], order), clients, broker: broker.pid };
}

async function startOurs(scope) {
  const handledFile = path.join(scope.temporaryFolder(), 'handled');
  const broker = await startBroker(scope);
  const project = createFifoProject(scope);
  const env = { MOTIA_PARTITIONS: String(PARTITIONS) };
  const motia = await startMotia(scope, { natsUrl: broker.url, project, handledFile, workers: WORKERS, env });
  const clients = [motia.gateway, ...motia.workers.map(({ child }) => child)].map(({ pid }) => pid);
  const emit = (order) => post(`${motia.url}/emit-ordered`, order);
  return { name: 'ours', handledFile, emit, clients, broker: broker.pid };
}

/** @param {import('../lib/processes.mjs').Scope} scope */
export const createFifoProject = (scope) => createProject(scope, 'fifo-app', 'emit-ordered.mjs');

/** From the first emit to the last event handled. */
export async function measureFlow({ handledFile, emit }, count) {
  fs.writeFileSync(handledFile, '');
  const { startedAt, storedAt } = await emit({ count, groups: GROUPS, window: WINDOW });
  await untilLines(handledFile, count);
  await sleep(LATE_DUPLICATES_MS);
  const lines = fs.readFileSync(handledFile, 'utf8').trimEnd().split('\n');
  const last = new Map();
  const seen = new Set();
  let outOfOrder = 0;
  let handledAt = 0;
  for (const line of lines) {
    const [group, number, at] = line.split(' ');
    handledAt = Math.max(handledAt, Number(at));
    const event = `${group} ${number}`;
    if (!seen.has(event)) {
      if (Number(number) < (last.get(group) ?? -1)) outOfOrder++;
      last.set(group, Number(number));
    }
    seen.add(event);
  }
  return {
    perSecond: (count / (handledAt - startedAt)) * 1000,
    storedPerSecond: (count / (storedAt - startedAt)) * 1000,
    outOfOrder,
    faults: count - seen.size + (lines.length - seen.size),
  };
}
