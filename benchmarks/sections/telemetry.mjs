// What it costs to see everything: the same app without traces and logs, with what is stored by default, with 1 % and all of the traces.
import { startBroker } from '../lib/broker.mjs';
import { Load } from '../lib/load.mjs';
import { startMotia } from '../lib/motia.mjs';
import { cpuSeconds } from '../lib/processes.mjs';
import { atLeast } from '../lib/report.mjs';
import { median, round } from '../lib/stats.mjs';
import { CONNECTIONS, REQUESTS } from './http.mjs';

const WARM_UP_SECONDS = 2;
const MANNERS = {
  off: { MOTIA_TELEMETRY: 'off' },
  default: {},
  '1 %': { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.01' },
  all: { OTEL_TRACES_SAMPLER: 'parentbased_always_on' },
};
const ROLES = ['gateway', 'worker', 'broker'];

/** @param {import('../lib/processes.mjs').Scope} scope @param {{ rounds: number, duration: number }} options */
export async function telemetry(scope, { rounds, duration }) {
  const load = await Load.start(scope);
  const [request] = REQUESTS;
  const systems = [];
  for (const [name, env] of Object.entries(MANNERS)) {
    const broker = await startBroker(scope);
    const { port, gateway, worker } = await startMotia(scope, { natsUrl: broker.url, env });
    systems.push({ name, port, pids: { gateway: gateway.pid, worker: worker.pid, broker: broker.pid } });
    await load.run({ ...request, port, connections: CONNECTIONS, seconds: WARM_UP_SECONDS });
  }
  const measured = [];
  for (let number = 1; number <= rounds; number++) {
    for (const { name, port, pids } of systems) {
      const before = ROLES.map((role) => cpuSeconds(pids[role]));
      const result = await load.run({ ...request, port, connections: CONNECTIONS, seconds: duration });
      const cpuMicros = ROLES.map((role, i) => ((cpuSeconds(pids[role]) - before[i]) / result.requests) * 1e6);
      measured.push({ round: number, system: name, ...result, cpuMicros });
    }
  }
  const of = (system) => measured.filter((one) => one.system === system);
  const ratio = (system) => round(median(of(system).map((one, i) => one.perSecond / of('off')[i].perSecond)));
  return {
    title: `Traces and logs stored, ${request.method} ${request.path}, ${CONNECTIONS} connections`,
    tables: [
      {
        columns: ['traces', 'req/s', 'p99 ms', ...ROLES.map((role) => `${role} µs/req`), 'req/s / off', 'failed'],
        rows: systems.map(({ name }) => [
          name,
          Math.round(median(of(name).map((one) => one.perSecond))),
          round(median(of(name).map((one) => one.p99))),
          ...ROLES.map((_, i) => Math.round(median(of(name).map((one) => one.cpuMicros[i])))),
          ratio(name),
          of(name).reduce((sum, one) => sum + one.failed, 0),
        ]),
      },
    ],
    checks: [atLeast('default / off', ratio('default'), 0.9), atLeast('1 % / off', ratio('1 %'), 0.9)],
    notes: [
      'Default: the first 100 traces of each second. “All” are recorded, and thinned out before they are stored.',
    ],
    rounds: measured,
  };
}
