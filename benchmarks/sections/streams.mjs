// Realtime streams: from the set in a handler to the frame at each of 1, 100 and 1,000 clients of one group, and what idle clients cost.
import { setTimeout as sleep } from 'node:timers/promises';
import { startBroker } from '../lib/broker.mjs';
import { proportionalMemory } from '../lib/memory.mjs';
import { createProject, post, startMotia } from '../lib/motia.mjs';
import { ask, freePort, untilOk } from '../lib/processes.mjs';
import { atMost } from '../lib/report.mjs';
import { median, round } from '../lib/stats.mjs';

const CLIENTS = [1, 100, 1_000];
/** Sets a second while ages are taken: far below what the gateway can do for that many clients. */
const RATES = { 1: 200, 100: 100, 1000: 10 };
/** Frames of a burst, over all clients. */
const BURST = { 1: 2_000, 100: 40_000, 1000: 100_000 };
const IDLE_CLIENTS = 1_000;
const SETTLE_MS = 1_000;

/** @param {import('../lib/processes.mjs').Scope} scope @param {{ rounds: number, duration: number }} options */
export async function streams(scope, { rounds, duration }) {
  const broker = await startBroker(scope);
  const { url, start } = await startMotia(scope, {
    natsUrl: broker.url,
    project: createProject(scope, 'stream-app'),
  });
  const clients = await scope.fork(new URL('../lib/stream-clients.mjs', import.meta.url));

  const measured = [];
  for (let number = 0; number <= rounds; number++) {
    for (const count of CLIENTS) {
      const group = `${count} clients, round ${number}`;
      await open(clients, url, count, group);
      const steady = await measure(
        clients,
        url,
        { group, count: Math.ceil(RATES[count] * duration), perSecond: RATES[count] },
        count,
      );
      const burst = await measure(clients, url, { group, count: BURST[count] / count }, count);
      await ask(clients, { do: 'close' });
      if (number === 0) continue; // warm-up
      measured.push({ round: number, clients: count, p50: steady.p50, p99: steady.p99, perSecond: burst.perSecond });
    }
  }

  const idleMb = await memoryOfIdle(start, clients);
  const of = (count, key) => median(measured.filter((row) => row.clients === count).map((row) => row[key]));
  return {
    title: 'Realtime streams',
    tables: [
      {
        columns: ['clients of a group', 'sets/s', 'p50 ms', 'p99 ms', 'frames/s in a burst'],
        rows: CLIENTS.map((count) => [
          count,
          RATES[count],
          round(of(count, 'p50')),
          round(of(count, 'p99')),
          Math.round(of(count, 'perSecond')),
        ]),
      },
      { columns: ['idle clients', 'MB more in the gateway'], rows: [[IDLE_CLIENTS, idleMb]] },
    ],
    checks: [
      atMost('set → frame with 1 client, p50 ms', round(of(1, 'p50')), 5),
      atMost(`MB in the gateway for ${IDLE_CLIENTS} idle clients`, idleMb, 40),
    ],
    notes: [
      'From the set in a handler to the frame at each client, all clients in one process that does not parse what it gets, by the clock of the machine.',
      'Sets of a burst are made one after the other: with 1 client they are what is measured.',
    ],
    rounds: measured,
  };
}

const open = (clients, url, count, group) =>
  ask(clients, { do: 'open', url: url.replace('http', 'ws'), clients: count, group });

/** In a gateway that has done nothing else. */
async function memoryOfIdle(start, clients) {
  const port = await freePort();
  const gateway = start('gateway', '--host', '127.0.0.1', '--port', String(port));
  const url = `http://127.0.0.1:${port}`;
  await untilOk(`${url}/hello`, [gateway]);
  const memory = () => [...proportionalMemory([gateway.child.pid]).values()][0];
  await open(clients, url, 1, 'idle');
  await sleep(SETTLE_MS);
  const before = memory();
  await open(clients, url, IDLE_CLIENTS, 'idle');
  await sleep(SETTLE_MS);
  const megabytes = round(memory() - before, 1);
  await ask(clients, { do: 'close' });
  return megabytes;
}

/** Has items set, each its own, since of sets of one that come at once only the last may be told; and waits for the frames at all clients. */
async function measure(clients, url, order, followers) {
  await ask(clients, { do: 'expect', frames: order.count * followers });
  await post(`${url}/set`, order);
  return ask(clients, { do: 'result' });
}
