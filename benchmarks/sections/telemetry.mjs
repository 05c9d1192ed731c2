// What it costs to see everything: the same app with nothing recorded, with what is stored by default, and with 1 % and all of the traces exported.
import path from 'node:path';
import { startBroker } from '../lib/broker.mjs';
import { Collector } from '../lib/collector.mjs';
import { Load } from '../lib/load.mjs';
import { startMotia } from '../lib/motia.mjs';
import { cpuSeconds } from '../lib/processes.mjs';
import { atLeast, atMost } from '../lib/report.mjs';
import { inTurn, measureRounds } from '../lib/rounds.mjs';
import { median, round } from '../lib/stats.mjs';
import { fanOut, measureBurst } from './events.mjs';
import { CONNECTIONS, REQUESTS } from './http.mjs';

/** Of each manner. Two processes of the same program differ by some hundredths for as long as they live. */
const INSTANCES = 2;
/** What is recorded of one trace in a hundred takes its time to be compiled. */
const WARM_UP_SECONDS = 5;
/** What is compared differs by a few hundredths: so it takes a few seconds. */
const BURSTS = 3;
const [REQUEST] = REQUESTS;
const ROLES = ['gateway', 'worker', 'broker'];
const MANNERS = {
  off: { env: { MOTIA_TELEMETRY: 'off' } },
  default: {},
  '1 %': { exports: true, env: { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.01' } },
  all: { exports: true, env: { OTEL_TRACES_SAMPLER: 'parentbased_always_on' } },
};
const COLUMNS = ['traces', '/s', '/ off'];

/** @param {import('../lib/processes.mjs').Scope} scope @param {{ rounds: number, duration: number, events: number }} options */
export async function telemetry(scope, { rounds, duration, events: ofOthers }) {
  const events = ofOthers * BURSTS;
  const load = await Load.start(scope);
  const collector = await Collector.start(scope);
  const systems = [];
  const started = Object.entries(MANNERS).flatMap((manner) => Array(INSTANCES).fill(manner));
  for (const [name, { exports = false, env = {} }] of started) {
    systems.push(await startOurs(scope, name, exports ? collector.url : undefined, env));
    await measureLoad(load, systems.at(-1), WARM_UP_SECONDS);
  }
  const requests = [];
  for (let number = 1; number <= rounds; number++) {
    for (const system of inTurn(systems, number)) {
      requests.push({ round: number, system: system.name, ...(await measureLoad(load, system, duration)) });
    }
  }
  const bursts = await measureRounds(systems, { rounds, events }, measureBurst);

  const http = compare(requests, 'perSecond');
  const handled = compare(bursts, 'handledPerSecond');
  const faults = sum(bursts.map(({ missing, duplicates }) => missing + duplicates));
  const micros = (rows, of) => Math.round(median(rows.map(of)));
  return {
    title: `Traces and logs: ${REQUEST.method} ${REQUEST.path} at ${CONNECTIONS} connections, and ${events.toLocaleString('en')} events`,
    tables: [
      {
        columns: [...COLUMNS, 'p99 ms', ...ROLES.map((role) => `${role} µs/request`), 'failed'],
        rows: Object.keys(MANNERS).map((name) => [
          ...http.row(name),
          round(median(http.of(name).map((one) => one.p99))),
          ...ROLES.map((_, i) => micros(http.of(name), (one) => one.cpuMicros[i])),
          sum(http.of(name).map((one) => one.failed)),
        ]),
      },
      {
        columns: [...COLUMNS, 'client µs/event', 'broker µs/event'],
        rows: Object.keys(MANNERS).map((name) => [
          ...handled.row(name),
          micros(handled.of(name), (one) => one.clientMicros),
          micros(handled.of(name), (one) => one.brokerMicros),
        ]),
      },
    ],
    checks: [
      atLeast('requests, 1 % exported / off', http.ratio('1 %'), 0.95),
      atLeast('requests, all exported / off', http.ratio('all'), 0.75),
      atLeast('events, 1 % exported / off', handled.ratio('1 %'), 0.95),
      atLeast('events, all exported / off', handled.ratio('all'), 0.75),
      atMost('events not handled, or handled twice', faults, 0),
    ],
    notes: [
      `Each manner is run by ${INSTANCES} apps. Default: stored, a part of a busy process. 1 % and all: exported by OTLP to a stand-in for a collector, and stored. The µs columns are CPU time.`,
    ],
    rounds: { requests, bursts },
  };
}

async function startOurs(scope, name, otlpUrl, env) {
  const handledFile = path.join(scope.temporaryFolder(), 'handled');
  const broker = await startBroker(scope);
  const { url, port, gateway, worker } = await startMotia(scope, { natsUrl: broker.url, otlpUrl, handledFile, env });
  const emit = (order) => fanOut(url, order);
  return { name, port, handledFile, emit, clients: [gateway.pid, worker.pid], broker: broker.pid };
}

async function measureLoad(load, { port, clients, broker }, seconds) {
  const pids = [...clients, broker];
  const before = pids.map(cpuSeconds);
  const result = await load.run({ ...REQUEST, port, connections: CONNECTIONS, seconds });
  return { ...result, cpuMicros: pids.map((pid, i) => ((cpuSeconds(pid) - before[i]) / result.requests) * 1e6) };
}

/** Of each manner, how its instances together compare to those of the one that records nothing, round by round. */
function compare(measured, key) {
  const of = (name) => measured.filter(({ system }) => system === name);
  const inRound = (name, number) =>
    sum(
      of(name)
        .filter((one) => one.round === number)
        .map((one) => one[key]),
    );
  const numbers = [...new Set(measured.map((one) => one.round))];
  const ratio = (name) => round(median(numbers.map((number) => inRound(name, number) / inRound('off', number))));
  const row = (name) => [name, Math.round(median(of(name).map((one) => one[key]))), ratio(name)];
  return { of, ratio, row };
}

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
