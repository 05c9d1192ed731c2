// Python steps: calls behind our gateway against a bare nats-py responder, events against a bare nats-py consumer, and what a
// project with both languages costs.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CLI } from '../../scripts/prepare.mjs';
import { testPython } from '../../scripts/python.mjs';
import { startBroker } from '../lib/broker.mjs';
import { Load } from '../lib/load.mjs';
import { proportionalMemory } from '../lib/memory.mjs';
import { installInto } from '../lib/motia.mjs';
import { commandLine, cpuSeconds, end, freePort, processTree, untilOk } from '../lib/processes.mjs';
import { atLeast, atMost } from '../lib/report.mjs';
import { python as pythonSources } from '../lib/sample-project.mjs';
import { median, round } from '../lib/stats.mjs';
import { CONNECTIONS, REQUESTS } from './http.mjs';
import { measureEdits } from './reload.mjs';

const APP = 'bench';
const WARM_UP_SECONDS = 2;
const SETTLE_MS = 3000;
const PATIENCE_MS = 120_000;

/** @param {import('../lib/processes.mjs').Scope} scope @param {{ rounds: number, duration: number, events: number, starts: number }} options */
export async function python(scope, { rounds, duration, events, starts, ...edits }) {
  const interpreter = await testPython();
  if (!interpreter) return { title: 'Python', tables: [], checks: [], notes: ['Not measured: there is no Python.'] };
  const calls = await measureCalls(scope, interpreter, rounds, duration);
  const handled = await measureEvents(scope, interpreter, rounds, events);
  const cold = await measureStart(scope, interpreter, starts);
  const reload = await measureEdits(scope, pythonSources, edits, { MOTIA_PYTHON: interpreter });
  return {
    title: 'Python steps',
    tables: [
      calls.table,
      handled.table,
      cold.table,
      { columns: ['edit of', 'times', 'median ms', 'slowest ms'], rows: reload.rows },
    ],
    checks: [
      ...calls.checks,
      ...handled.checks,
      ...cold.checks,
      atMost('edit of a Python step → new behaviour, ms', round(median(reload.step), 0), 500),
      atMost('edit of a Python helper → new behaviour, ms', round(median(reload.shared), 0), 500),
      atMost('failed requests, answers of old code', reload.failed + reload.stale, 0),
    ],
    notes: [
      'Calls: both workers are one process for the handler behind our own gateway; ours has its broker process besides.',
      'The bare responder pulls, runs its handler in line, acks and replies, with nats-py on uvloop and orjson.',
      'Events: those that wait are handled, from the first handled to the last; the bare consumer fetches 256 at a time.',
      'Memory of the Python worker is the proportional set size, with shared pages divided among its processes only.',
    ],
    rounds: { calls: calls.rounds, events: handled.rounds, cold: cold.rounds, reload },
  };
}

/** A project with its steps known to a broker, and what its roles are started with. */
async function createApp(scope, interpreter) {
  const project = scope.temporaryFolder();
  fs.cpSync(new URL('../fixtures/python-app/', import.meta.url), project, { recursive: true });
  installInto(project);
  const handledFile = path.join(scope.temporaryFolder(), 'handled');
  const broker = await startBroker(scope);
  const env = {
    NATS_URL: broker.url,
    MOTIA_APP: APP,
    MOTIA_PYTHON: interpreter,
    LOG_LEVEL: 'warn',
    BENCH_HANDLED_FILE: handledFile,
  };
  const provisioned = spawnSync(process.execPath, [CLI, 'provision'], {
    cwd: project,
    env: { ...process.env, ...env },
  });
  if (provisioned.status !== 0) throw new Error(String(provisioned.stderr));
  const start = (role, ...flags) =>
    scope.spawn(process.execPath, [CLI, role, ...flags], { cwd: project, env, log: path.join(project, `${role}.log`) });
  const startPeer = (script, ...args) => {
    const file = new URL(`../peers/${script}`, import.meta.url).pathname;
    return scope.spawn(interpreter, [file, ...args], { cwd: project, log: path.join(project, 'peer.log') });
  };
  return { project, broker, handledFile, start, startPeer };
}

async function measureCalls(scope, interpreter, rounds, duration) {
  const load = await Load.start(scope);
  const ours = await createApp(scope, interpreter);
  const bare = await createApp(scope, interpreter);
  const systems = [];
  for (const [name, app, workers] of [
    [
      'bare',
      bare,
      () =>
        ['Hello', 'Order'].map((step) => bare.startPeer('bare_worker.py', bare.broker.url, `${APP}_REQUESTS`, step)),
    ],
    ['ours', ours, () => [ours.start('python-worker')]],
  ]) {
    const port = await freePort();
    const gateway = app.start('gateway', '--host', '127.0.0.1', '--port', String(port));
    const started = workers();
    await untilOk(`http://127.0.0.1:${port}/hello`, [gateway, ...started]);
    const pids = () => started.flatMap(({ child }) => processTree(child.pid).map(({ pid }) => pid));
    systems.push({ name, port, pids });
    for (const request of REQUESTS) {
      await load.run({ ...request, port, connections: CONNECTIONS, seconds: WARM_UP_SECONDS });
    }
  }
  const measured = [];
  for (let number = 1; number <= rounds; number++) {
    for (const request of REQUESTS) {
      for (const { name, port, pids } of systems) {
        const cpu = () => pids().reduce((sum, pid) => sum + cpuSeconds(pid), 0);
        const before = cpu();
        const result = await load.run({ ...request, port, connections: CONNECTIONS, seconds: duration });
        const micros = ((cpu() - before) / result.requests) * 1e6;
        measured.push({ round: number, load: `${request.method} ${CONNECTIONS}`, system: name, ...result, micros });
      }
    }
  }
  const loads = REQUESTS.map(({ method }) => `${method} ${CONNECTIONS}`);
  const of = (load, system) => measured.filter((one) => one.load === load && one.system === system);
  const medianOf = (load, system, key) => median(of(load, system).map((one) => one[key]));
  const ratio = (load) =>
    round(median(of(load, 'ours').map((one, i) => one.perSecond / of(load, 'bare')[i].perSecond)));
  return {
    table: {
      columns: ['load', 'Python worker', 'req/s', 'p50 ms', 'p99 ms', 'worker µs/req', 'failed'],
      rows: loads.flatMap((load) =>
        systems.map(({ name }) => [
          load,
          name,
          Math.round(medianOf(load, name, 'perSecond')),
          round(medianOf(load, name, 'p50')),
          round(medianOf(load, name, 'p99')),
          Math.round(medianOf(load, name, 'micros')),
          of(load, name).reduce((sum, one) => sum + one.failed, 0),
        ]),
      ),
    },
    checks: [
      ...loads.map((load) => atLeast(`Python, ${load}: ours / bare nats-py responder`, ratio(load), 0.5)),
      atMost(
        'failed requests',
        measured.reduce((sum, { failed }) => sum + failed, 0),
        0,
      ),
    ],
    rounds: measured,
  };
}

async function measureEvents(scope, interpreter, rounds, count) {
  const app = await createApp(scope, interpreter);
  const { handledFile, broker } = app;
  const systems = [
    [
      'bare nats-py, fetch(256)',
      'order.placed',
      () => app.startPeer('bare_events.py', broker.url, `${APP}_EVENTS`, 'OnOrder=_order=2Eplaced', handledFile),
    ],
    ['ours, async def', 'order.placed', () => app.start('python-worker')],
    ['ours, def', 'order.plain', () => app.start('python-worker')],
  ];
  const measured = [];
  for (let number = 1; number <= rounds; number++) {
    for (const [name, topic, start] of systems) {
      fs.writeFileSync(handledFile, '');
      await publish(broker.url, topic, count);
      const worker = start();
      const lines = await untilHandled(handledFile, count, worker);
      await end(worker.child);
      const ids = new Set(lines.map((line) => line.split(' ')[0]));
      const times = lines.map((line) => Number(line.split(' ')[1]));
      const seconds = (times.reduce((a, b) => Math.max(a, b)) - times.reduce((a, b) => Math.min(a, b))) / 1000;
      measured.push({
        round: number,
        system: name,
        perSecond: count / seconds,
        faults: 2 * count - ids.size - lines.length,
      });
    }
  }
  const of = (system) => measured.filter((one) => one.system === system);
  const ratio = (system) =>
    round(median(of(system).map(({ perSecond }, i) => perSecond / of(systems[0][0])[i].perSecond)));
  return {
    table: {
      columns: [`${count.toLocaleString('en')} waiting events`, 'handled/s', 'handled / bare'],
      rows: systems.map(([name]) => [
        name,
        Math.round(median(of(name).map(({ perSecond }) => perSecond))),
        ratio(name),
      ]),
    },
    checks: [
      atLeast('Python events, async def: ours / bare nats-py fetch(256)', ratio('ours, async def'), 0.4),
      atMost(
        'events not handled, or handled twice',
        measured.reduce((sum, { faults }) => sum + Math.abs(faults), 0),
        0,
      ),
    ],
    rounds: measured,
  };
}

async function publish(url, topic, count) {
  const { connect, Inbox, publishStored } = await import('../peers/bare.mjs');
  const nc = await connect(url);
  const inbox = new Inbox(nc);
  const subject = `${APP}.ev._.${topic}`;
  for (let first = 0; first < count; first += 512) {
    const ids = Array.from({ length: Math.min(512, count - first) }, (_, offset) => first + offset);
    await Promise.all(
      ids.map((id) => publishStored(nc, inbox, subject, JSON.stringify({ id, sku: 'tea', price: 2.5 }))),
    );
  }
  await nc.close();
}

async function untilHandled(file, count, { log }) {
  for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline; await sleep(100)) {
    const lines = fs.readFileSync(file, 'utf8').trimEnd().split('\n');
    if (lines.length < count) continue;
    await sleep(500); // what is handled twice comes a little later
    return fs.readFileSync(file, 'utf8').trimEnd().split('\n');
  }
  throw new Error(`the events were not handled:\n${fs.readFileSync(log, 'utf8').slice(-3000)}`);
}

async function measureStart(scope, interpreter, starts) {
  const project = scope.temporaryFolder();
  fs.cpSync(new URL('../fixtures/python-app/', import.meta.url), project, { recursive: true });
  installInto(project);
  const milliseconds = [];
  let memory = [];
  for (let number = 0; number <= starts; number++) {
    const port = await freePort();
    const startedAt = performance.now();
    const dev = scope.spawn(process.execPath, [CLI, 'dev', '--host', '127.0.0.1', '--port', String(port)], {
      cwd: project,
      env: { LOG_LEVEL: 'warn', MOTIA_PYTHON: interpreter },
      log: path.join(project, 'dev.log'),
    });
    await untilOk(`http://127.0.0.1:${port}/hello`, [dev]);
    await untilOk(`http://127.0.0.1:${port}/index`, [dev]);
    if (number > 0) milliseconds.push(performance.now() - startedAt); // the first one fills the caches
    if (number === starts) {
      await sleep(SETTLE_MS);
      const tree = processTree(dev.child.pid).map(({ pid }) => pid);
      const workers = tree.filter((pid) => commandLine(pid).includes('motia.worker'));
      memory = [...proportionalMemory(workers).values()];
    }
    await end(dev.child);
  }
  const sum = round(
    memory.reduce((total, one) => total + one, 0),
    1,
  );
  return {
    table: {
      columns: ['project with both languages', ''],
      rows: [
        [`cold start to the first 200 of both, ms, median of ${starts}`, Math.round(median(milliseconds))],
        ['idle Python worker, MB', sum],
      ],
    },
    checks: [
      atMost('cold start with both languages, ms', Math.round(median(milliseconds)), 2000),
      atMost('idle memory of the Python worker, MB', sum, 70),
    ],
    rounds: { milliseconds, memory },
  };
}
