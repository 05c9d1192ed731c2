// HTTP: fastify alone, a bare fastify → JetStream → worker loop in two manners, and ours, in turn.
import { startBroker } from '../lib/broker.mjs';
import { Collector } from '../lib/collector.mjs';
import { Load } from '../lib/load.mjs';
import { startMotia } from '../lib/motia.mjs';
import { cpuSeconds, freePort } from '../lib/processes.mjs';
import { atLeast, atMost } from '../lib/report.mjs';
import { median, round } from '../lib/stats.mjs';

export const CONNECTIONS = 64;
const WARM_UP_SECONDS = 2;
export const REQUESTS = [
  { method: 'GET', path: '/hello' },
  {
    method: 'POST',
    path: '/order',
    body: JSON.stringify({ id: 'order-1', price: 2.5, count: 4, customer: 'a customer with a name' }),
  },
];
const ANSWERS = { '/hello': '{"message":"hello"}', '/order': '{"id":"order-1","total":10}' };

/** @typedef {{ name: string, port: number, pids: Record<string, number> }} HttpSystem */

/** @param {import('../lib/processes.mjs').Scope} scope @param {{ rounds: number, duration: number }} options */
export async function http(scope, { rounds, duration }) {
  const load = await Load.start(scope);
  const collector = await Collector.start(scope);
  const systems = [
    await startFastify(scope),
    await startBare(scope, 'plain'),
    await startBare(scope, 'batched'),
    await startOurs(scope, collector.url),
  ];
  for (const system of systems) {
    for (const request of REQUESTS) {
      await expectAnswer(system, request);
      await load.run({ ...request, port: system.port, connections: CONNECTIONS, seconds: WARM_UP_SECONDS });
    }
  }

  const loads = [
    ...REQUESTS.map((request) => ({ name: `${request.method} ${CONNECTIONS}`, request, connections: CONNECTIONS })),
    { name: 'GET 1', request: REQUESTS[0], connections: 1 },
  ];
  const measured = [];
  for (let number = 1; number <= rounds; number++) {
    for (const { name, request, connections } of loads) {
      for (const system of systems) {
        const spansBefore = await collector.spans();
        const cpuBefore = cpuOf(system);
        const result = await load.run({ ...request, port: system.port, connections, seconds: duration });
        const cpuMicros = Object.fromEntries(
          Object.entries(cpuOf(system)).map(([role, now]) => [role, ((now - cpuBefore[role]) / result.requests) * 1e6]),
        );
        const spans = (await collector.spans()) - spansBefore;
        measured.push({ round: number, load: name, system: system.name, ...result, cpuMicros, spans });
      }
    }
  }
  return report(measured, loads, systems);
}

/** @returns {Promise<HttpSystem>} */
async function startFastify(scope) {
  const port = await freePort();
  const server = await scope.fork(new URL('../peers/fastify.mjs', import.meta.url), [port]);
  return { name: 'fastify', port, pids: { gateway: server.pid } };
}

/** @returns {Promise<HttpSystem>} */
async function startBare(scope, manner) {
  const broker = await startBroker(scope);
  const port = await freePort();
  const gateway = await scope.fork(new URL('../peers/bare-gateway.mjs', import.meta.url), [broker.url, port, manner]);
  const worker = await scope.fork(new URL('../peers/bare-worker.mjs', import.meta.url), [broker.url, manner]);
  return {
    name: manner === 'plain' ? 'bare' : 'bare, batched',
    port,
    pids: { gateway: gateway.pid, worker: worker.pid, broker: broker.pid },
  };
}

/** @returns {Promise<HttpSystem>} */
async function startOurs(scope, otlpUrl) {
  const broker = await startBroker(scope);
  const { port, gateway, worker } = await startMotia(scope, { natsUrl: broker.url, otlpUrl });
  return { name: 'ours', port, pids: { gateway: gateway.pid, worker: worker.pid, broker: broker.pid } };
}

async function expectAnswer({ name, port }, { method, path, body }) {
  const headers = body ? { 'content-type': 'application/json' } : {};
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method, body, headers });
  const text = await answer.text();
  if (text !== ANSWERS[path]) throw new Error(`${name} answered ${method} ${path} with ${answer.status} ${text}`);
}

const cpuOf = ({ pids }) => Object.fromEntries(Object.entries(pids).map(([role, pid]) => [role, cpuSeconds(pid)]));

function report(measured, loads, systems) {
  const of = (load, system) => measured.filter((one) => one.load === load && one.system === system);
  const medianOf = (load, system, read) => median(of(load, system).map(read));
  const ratio = (load, above, below) => {
    const others = of(load, below);
    return round(median(of(load, above).map((one, i) => one.perSecond / others[i].perSecond)));
  };
  const rows = loads.flatMap(({ name: load }) =>
    systems.map(({ name, pids }) => [
      load,
      name,
      Math.round(medianOf(load, name, (one) => one.perSecond)),
      round(medianOf(load, name, (one) => one.p50)),
      round(medianOf(load, name, (one) => one.p99)),
      ...['gateway', 'worker', 'broker'].map((role) =>
        pids[role] ? Math.round(medianOf(load, name, (one) => one.cpuMicros[role])) : '',
      ),
      of(load, name).reduce((sum, one) => sum + one.failed, 0),
    ]),
  );
  const throughput = loads.filter(({ connections }) => connections > 1).map(({ name }) => name);
  const unloaded = (system) => medianOf('GET 1', system, (one) => one.p50);
  const ours = measured.filter(({ system }) => system === 'ours');
  const exported = ours.reduce((sum, { spans }) => sum + spans, 0) / ours.reduce((sum, one) => sum + one.requests, 0);
  return {
    title: `HTTP, ${CONNECTIONS} connections and 1`,
    tables: [
      {
        columns: [
          'load',
          'system',
          'req/s',
          'p50 ms',
          'p99 ms',
          'gateway µs/req',
          'worker µs/req',
          'broker µs/req',
          'failed',
        ],
        rows,
      },
      {
        columns: ['ratio of req/s', 'ours / bare', 'ours / bare, batched', 'bare / fastify', 'ours / fastify'],
        rows: throughput.map((load) => [
          load,
          ratio(load, 'ours', 'bare'),
          ratio(load, 'ours', 'bare, batched'),
          ratio(load, 'bare', 'fastify'),
          ratio(load, 'ours', 'fastify'),
        ]),
      },
    ],
    checks: [
      ...throughput.map((load) => atLeast(`${load}: ours / bare`, ratio(load, 'ours', 'bare'), 0.7)),
      atMost('unloaded p50, ms above fastify', round(unloaded('ours') - unloaded('fastify')), 1),
      atMost(
        'failed requests',
        rows.reduce((sum, row) => sum + row.at(-1), 0),
        0,
      ),
    ],
    notes: [
      'The µs columns are CPU time per request of each process. “Bare, batched” writes the messages of one turn of the event loop at once, as ours does; the target is held against the loop with the client as it comes.',
      `Ours exports its traces: ${round(exported)} spans per request reached the collector.`,
    ],
    rounds: measured,
  };
}
