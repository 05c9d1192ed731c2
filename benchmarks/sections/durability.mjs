// What it costs to be sure: the store of an emit by where the broker keeps it, in turn.
import { setTimeout as sleep } from 'node:timers/promises';
import { startBroker, startCluster } from '../lib/broker.mjs';
import { ask } from '../lib/processes.mjs';
import { median, percentiles, round } from '../lib/stats.mjs';

/** As events are kept where nothing is said. */
const USUAL = '1 server, file';
const CLUSTER_WITHIN_MS = 60_000;
const CONCURRENCY = 64;

/** @param {import('../lib/processes.mjs').Scope} scope @param {{ rounds: number, operations: number }} options */
export async function durability(scope, { rounds, operations }) {
  const systems = [];
  for (const syncAlways of [false, true]) {
    const one = await startBroker(scope, { syncAlways });
    const three = await startCluster(scope, { syncAlways });
    for (const [url, replicas] of [
      [one.url, 1],
      [three.url, 3],
    ]) {
      for (const storage of syncAlways ? ['file'] : ['memory', 'file']) {
        const place = `${replicas} server${replicas > 1 ? 's' : ''}, ${storage}${syncAlways ? ', synced always' : ''}`;
        systems.push({ name: place, client: await startPublisher(scope, { url, replicas, storage }) });
      }
    }
  }
  const orders = [
    { concurrency: 1, count: Math.ceil(operations / 40) },
    { concurrency: CONCURRENCY, count: Math.ceil(operations / 4) },
  ];
  const measured = [];
  for (let number = 0; number <= rounds; number++) {
    for (const order of orders) {
      for (const { name, client } of systems) {
        const { seconds, times } = await ask(client, order);
        if (number === 0) continue; // warm-up
        measured.push({
          round: number,
          system: name,
          ...order,
          perSecond: order.count / seconds,
          ...percentiles(times),
        });
      }
    }
  }

  const of = (system, concurrency) =>
    measured.filter((one) => one.system === system && one.concurrency === concurrency);
  const ratio = (system, concurrency) => {
    const usual = of(USUAL, concurrency);
    return round(median(of(system, concurrency).map(({ perSecond }, i) => perSecond / usual[i].perSecond)));
  };
  const cells = (system, concurrency) => {
    const some = of(system, concurrency);
    const middle = (field) => median(some.map((one) => one[field]));
    return [Math.round(middle('perSecond')), ratio(system, concurrency), round(middle('p50')), round(middle('p99'))];
  };
  const columns = (title) => [title, 'stored/s', `/ ${USUAL}`, 'p50 ms', 'p99 ms'];
  return {
    title: 'Durability: the store of an emit, by where it is kept',
    tables: [1, CONCURRENCY].map((concurrency) => ({
      columns: columns(concurrency === 1 ? 'one by one' : `${concurrency} at a time`),
      rows: systems.map(({ name }) => [name, ...cells(name, concurrency)]),
    })),
    checks: [],
    notes: [
      'An event of 150 bytes with a message id, stored as `ctx.emit` stores it. All servers share this machine and its disk: separate ones add the way between them, and sync side by side.',
    ],
    rounds: measured,
  };
}

async function startPublisher(scope, settings) {
  const client = await scope.fork(new URL('../peers/publisher.mjs', import.meta.url), [JSON.stringify(settings)]);
  for (const giveUp = Date.now() + CLUSTER_WITHIN_MS; ; await sleep(250)) {
    const { error } = await ask(client, 'make the stream');
    if (error === undefined) return client;
    if (Date.now() > giveUp) throw new Error(error);
  }
}
