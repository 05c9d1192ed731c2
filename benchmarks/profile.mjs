// Where gateway and worker spend their time under load:
// `node benchmarks/profile.mjs [--load http|events|fifo] [--untraced] [--workers 1] [--duration 5] [--keep DIR]`.
// Samples are of wall-clock time: on a busy machine, system calls look longer than they are. The profiles themselves
// can be kept and opened in a browser's developer tools.
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { build } from '../scripts/prepare.mjs';
import { startBroker } from './lib/broker.mjs';
import { Collector } from './lib/collector.mjs';
import { selfTimes } from './lib/cpu-profile.mjs';
import { Load } from './lib/load.mjs';
import { createLoadProject, post, startMotia } from './lib/motia.mjs';
import { end, Scope } from './lib/processes.mjs';
import { fanOut, measureBurst } from './sections/events.mjs';
import { createFifoProject, measureFlow } from './sections/fifo.mjs';
import { CONNECTIONS, REQUESTS } from './sections/http.mjs';

const TOP = 25;
const WARM_UP_SECONDS = 2;
const BURST = 10_000;
const MAIN_THREAD = '0';

/** Each gives a function that loads the system for some seconds and tells how many units of work were done. */
const LOADS = {
  http: async (scope, { port }) => {
    const load = await Load.start(scope);
    return async (seconds) => {
      let requests = 0;
      for (const request of REQUESTS) {
        const order = { ...request, port, connections: CONNECTIONS, seconds: seconds / REQUESTS.length };
        requests += (await load.run(order)).requests;
      }
      return requests;
    };
  },
  events: async (_, { url, handledFile }) => {
    return async (seconds) => {
      let events = 0;
      for (const deadline = performance.now() + seconds * 1000; performance.now() < deadline; events += BURST) {
        await measureBurst({ handledFile, emit: (order) => fanOut(url, order) }, BURST);
      }
      return events;
    };
  },
  fifo: async (_, { url, handledFile }) => {
    return async (seconds) => {
      let events = 0;
      for (const deadline = performance.now() + seconds * 1000; performance.now() < deadline; events += BURST) {
        await measureFlow({ handledFile, emit: (order) => post(`${url}/emit-ordered`, order) }, BURST);
      }
      return events;
    };
  },
};

/** @param {Scope} scope @param {string} folder that the profiles go to */
async function profile(scope, folder) {
  const broker = await startBroker(scope);
  const otlpUrl = flags.untraced ? undefined : (await Collector.start(scope)).url;
  const handledFile = path.join(scope.temporaryFolder(), 'handled');
  const nodeFlags = (role) => ['--cpu-prof', '--cpu-prof-dir', path.join(folder, role)];
  const project = flags.load === 'fifo' ? createFifoProject(scope) : createLoadProject(scope);
  const workers = Number(flags.workers);
  const motia = await startMotia(scope, { natsUrl: broker.url, project, workers, otlpUrl, handledFile, nodeFlags });
  const run = await LOADS[flags.load](scope, { ...motia, handledFile });
  await run(WARM_UP_SECONDS);
  const from = monotonicMicros();
  const units = await run(Number(flags.duration));
  const window = { from, to: monotonicMicros() };
  await end(motia.gateway);
  await Promise.all(motia.workers.map(({ child }) => end(child))); // a process writes its profile when it exits

  const threads = profiles(path.join(folder, 'worker'));
  const groups = {
    gateway: profiles(path.join(folder, 'gateway')),
    'worker, broker thread': threads.filter((file) => threadOf(file) === MAIN_THREAD),
    'worker, handler threads': threads.filter((file) => threadOf(file) !== MAIN_THREAD),
  };
  for (const [title, files] of Object.entries(groups)) printGroup(title, selfTimes(files, window), units);
}

function printGroup(title, functions, units) {
  const total = functions.reduce((sum, { micros }) => sum + micros, 0);
  const lines = functions
    .slice(0, TOP)
    .map(({ name, place, micros }) => `${(micros / units).toFixed(2).padStart(8)}  ${name}  ${place}`);
  const unit = flags.load === 'http' ? 'request' : 'event';
  process.stdout.write(`\n${title}: ${(total / units).toFixed(1)} µs/${unit}\n${lines.join('\n')}\n`);
}

const profiles = (folder) => fs.readdirSync(folder).map((file) => path.join(folder, file));

/** Node names a profile `CPU.<date>.<time>.<pid>.<thread>.<sequence>.cpuprofile`. */
const threadOf = (file) => path.basename(file).split('.')[4];

/** The clock that V8 stamps its samples with. */
const monotonicMicros = () => Number(process.hrtime.bigint() / 1000n);

const { values: flags } = parseArgs({
  options: {
    load: { type: 'string', default: 'http' },
    untraced: { type: 'boolean', default: false },
    duration: { type: 'string', default: '5' }, // seconds
    workers: { type: 'string', default: '1' },
    keep: { type: 'string' }, // a folder for the profiles
  },
});
if (!Object.hasOwn(LOADS, flags.load))
  throw new Error(`no load ${flags.load}; there are ${Object.keys(LOADS).join(', ')}`);
build();
const scope = new Scope();
try {
  await profile(scope, flags.keep ?? scope.temporaryFolder());
} finally {
  await scope.close();
}
