// Ours as a job queue against BullMQ on Redis: the same job, the same concurrency, the same adds under way. How many jobs a second,
// and at a steady rate how long from the add to the handler.
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { testPython } from '../../scripts/python.mjs';
import { startBroker } from '../lib/broker.mjs';
import { createProject, post, startMotia } from '../lib/motia.mjs';
import { ask, untilOk } from '../lib/processes.mjs';
import { installBullmq, NoRedis, startRedis } from '../lib/redis.mjs';
import { atLeast, atMost } from '../lib/report.mjs';
import { median, percentiles, round } from '../lib/stats.mjs';
import { untilLines } from './events.mjs';

const WINDOW = 512;
/** Runs at a time in the worker: what a step of ours has by default. */
const CONCURRENCY = 10;
/** Far below what either can do, so that nothing waits. */
const RATE = 500;
const LATE_DUPLICATES_MS = 500;
const TITLE = 'Queue: ours against BullMQ on Redis';

/** @param {import('../lib/processes.mjs').Scope} scope @param {{ rounds: number, duration: number, events: number }} options */
export async function queue(scope, { rounds, duration, events: count }) {
  let peer;
  try {
    peer = await startBullmq(scope);
  } catch (error) {
    if (!(error instanceof NoRedis)) throw error;
    return { title: TITLE, tables: [], checks: [], notes: [`**NOT MEASURED**: ${error.message}.`] };
  }
  const systems = [peer, await startOurs(scope), ...(await startPython(scope))];
  const burst = { count, window: WINDOW };
  const steady = { count: Math.round(RATE * duration), perSecond: RATE };
  for (const system of systems) for (const order of [burst, steady]) await measure(system, order); // warm-up
  const measured = [];
  for (let number = 1; number <= rounds; number++) {
    for (const system of systems) {
      const { perSecond, faults } = await measure(system, burst);
      const { p50, p99, faults: late } = await measure(system, steady);
      measured.push({ round: number, system: system.name, perSecond, p50, p99, faults: faults + late });
    }
  }

  const of = (name) => measured.filter(({ system }) => system === name);
  const medianOf = (name, key) => median(of(name).map((row) => row[key]));
  const ratio = (name, key) => round(median(of(name).map((row, i) => row[key] / of(peer.name)[i][key])));
  const faults = measured.reduce((sum, row) => sum + row.faults, 0);
  return {
    title: TITLE,
    tables: [
      {
        columns: ['system', 'jobs/s', '/ BullMQ', 'p50 ms', '/ BullMQ', 'p99 ms', '/ BullMQ'],
        rows: systems.map(({ name }) => [
          name,
          Math.round(medianOf(name, 'perSecond')),
          ratio(name, 'perSecond'),
          round(medianOf(name, 'p50')),
          ratio(name, 'p50'),
          round(medianOf(name, 'p99')),
          ratio(name, 'p99'),
        ]),
      },
    ],
    checks: [
      atLeast('jobs per second: ours / BullMQ', ratio('ours', 'perSecond'), 1),
      atMost('emit → handled, p50: ours / BullMQ', ratio('ours', 'p50'), 1),
      atMost('emit → handled, p99: ours / BullMQ', ratio('ours', 'p99'), 1),
      atMost('jobs not handled, or handled twice', faults, 0),
    ],
    notes: [
      `${count.toLocaleString('en')} jobs with ${WINDOW} adds under way; then times from add to handler at ${RATE} jobs a second. A job appends its`,
      `id to a file; ${CONCURRENCY} run at a time in one worker. Both as they are by default: ours on file, synced by the broker every two minutes;`,
      'Redis with an append-only file that is synced every second, as BullMQ recommends. Jobs are added by our own API step in the worker, and by a',
      'process of its own for BullMQ.',
    ],
    rounds: measured,
  };
}

async function startBullmq(scope) {
  const folder = installBullmq(scope);
  const { port } = await startRedis(scope);
  const handledFile = path.join(scope.temporaryFolder(), 'handled');
  const peer = (script, ...more) => scope.fork(new URL(`../peers/${script}`, import.meta.url), [folder, port, ...more]);
  await peer('bullmq-worker.mjs', CONCURRENCY, handledFile);
  const producer = await peer('bullmq-producer.mjs');
  return { name: 'BullMQ', handledFile, add: (order) => ask(producer, order) };
}

async function startOurs(scope) {
  const { url, handledFile } = await startApp(scope);
  return { name: 'ours', handledFile, add: (order) => post(`${url}/add-jobs`, { topic: 'job.node', ...order }) };
}

/** None where there is no Python. */
async function startPython(scope) {
  const interpreter = await testPython();
  if (!interpreter) return [];
  const { url, handledFile, start } = await startApp(scope, { MOTIA_PYTHON: interpreter });
  await untilOk(`${url}/python`, [start('python-worker')]);
  const add = (order) => post(`${url}/add-jobs`, { topic: 'job.python', ...order });
  return [{ name: 'ours, Python', handledFile, add }];
}

async function startApp(scope, env) {
  const project = createProject(scope, 'queue-app', 'add-jobs.mjs');
  const handledFile = path.join(scope.temporaryFolder(), 'handled');
  const broker = await startBroker(scope);
  return { handledFile, ...(await startMotia(scope, { natsUrl: broker.url, project, handledFile, env })) };
}

/** Adds jobs, and waits until all are handled. */
async function measure({ handledFile, add }, order) {
  fs.writeFileSync(handledFile, '');
  const { startedAt } = await add(order);
  await untilLines(handledFile, order.count);
  await sleep(LATE_DUPLICATES_MS);
  const lines = fs.readFileSync(handledFile, 'utf8').trimEnd().split('\n');
  const jobs = lines.map((line) => line.split(' ').map(Number));
  const distinct = new Set(jobs.map(([id]) => id)).size;
  const handledAt = jobs.reduce((last, [, , at]) => Math.max(last, at), 0);
  return {
    perSecond: (order.count / (handledAt - startedAt)) * 1000,
    ...percentiles(jobs.map(([, sentAt, at]) => at - sentAt)),
    faults: order.count - distinct + (lines.length - distinct),
  };
}
