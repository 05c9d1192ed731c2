// State: get and set from a handler against the bare KV client in a process of its own, in turn.
import { startBroker } from '../lib/broker.mjs';
import { Collector } from '../lib/collector.mjs';
import { post, startMotia } from '../lib/motia.mjs';
import { ask } from '../lib/processes.mjs';
import { atLeast } from '../lib/report.mjs';
import { median, round } from '../lib/stats.mjs';

const CONCURRENCY = 64;

/** @param {import('../lib/processes.mjs').Scope} scope @param {{ rounds: number, operations: number }} options */
export async function state(scope, { rounds, operations }) {
  const systems = [await startBare(scope), await startOurs(scope)];
  const loops = [CONCURRENCY, 1].flatMap((concurrency) =>
    ['set', 'get'].map((operation) => ({
      name: `${operation}, ${concurrency === 1 ? 'one by one' : `${concurrency} at a time`}`,
      order: { operation, concurrency, count: concurrency === 1 ? Math.ceil(operations / 10) : operations },
    })),
  );
  for (const system of systems) for (const { order } of loops) await system.run(order); // warm-up
  const measured = [];
  for (let number = 1; number <= rounds; number++) {
    for (const { name, order } of loops) {
      for (const system of systems) {
        const { seconds } = await system.run(order);
        measured.push({ round: number, loop: name, system: system.name, perSecond: order.count / seconds });
      }
    }
  }

  const perSecond = (loop, system) =>
    measured.filter((one) => one.loop === loop && one.system === system).map((one) => one.perSecond);
  const ratio = (loop) => {
    const bare = perSecond(loop, 'bare');
    return round(median(perSecond(loop, 'ours').map((value, i) => value / bare[i])));
  };
  return {
    title: 'State, on file',
    tables: [
      {
        columns: ['operations/s', 'bare', 'ours', 'ours / bare'],
        rows: loops.map(({ name }) => [
          name,
          Math.round(median(perSecond(name, 'bare'))),
          Math.round(median(perSecond(name, 'ours'))),
          ratio(name),
        ]),
      },
    ],
    checks: loops.map(({ name }) => atLeast(`${name}: ours / bare`, ratio(name), 0.5)),
    notes: [`${operations.toLocaleString('en')} operations over 1,000 keys, a tenth of it one by one.`],
    rounds: measured,
  };
}

async function startBare(scope) {
  const broker = await startBroker(scope);
  const client = await scope.fork(new URL('../peers/bare-state.mjs', import.meta.url), [broker.url]);
  const run = (order) => ask(client, order);
  return { name: 'bare', run };
}

async function startOurs(scope) {
  const broker = await startBroker(scope);
  const { url: otlpUrl } = await Collector.start(scope);
  const { url } = await startMotia(scope, { natsUrl: broker.url, otlpUrl });
  return { name: 'ours', run: (order) => post(`${url}/state`, order) };
}
