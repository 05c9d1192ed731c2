// The benchmark suite: `npm run bench -- [--quick] [--only http,events] [--rounds 5] [--duration 4] [--strict]`.
// A full run writes RESULTS.md and results.json beside this file; --quick and --only just print.
import fs from 'node:fs';
import { parseArgs } from 'node:util';
import { build, install } from '../scripts/prepare.mjs';
import { brokerVersion, startBroker } from './lib/broker.mjs';
import { describeMachine, describeMoment, watchForeignCpu } from './lib/machine.mjs';
import { Scope } from './lib/processes.mjs';
import { headMarkdown, sectionMarkdown } from './lib/report.mjs';
import { coldStart } from './sections/cold-start.mjs';
import { durability } from './sections/durability.mjs';
import { events } from './sections/events.mjs';
import { fifo } from './sections/fifo.mjs';
import { http } from './sections/http.mjs';
import { python } from './sections/python.mjs';
import { queue } from './sections/queue.mjs';
import { reload } from './sections/reload.mjs';
import { state } from './sections/state.mjs';
import { streams } from './sections/streams.mjs';
import { telemetry } from './sections/telemetry.mjs';
import { testKit } from './sections/test-kit.mjs';
import { workbench } from './sections/workbench.mjs';

const SECTIONS = {
  http,
  events,
  queue,
  fifo,
  state,
  durability,
  streams,
  'cold-start': coldStart,
  'test-kit': testKit,
  reload,
  python,
  telemetry,
  workbench,
};
const FULL = { rounds: 5, duration: 4, events: 30_000, operations: 20_000, starts: 5, stepEdits: 20, helperEdits: 10 };
const QUICK = { rounds: 3, duration: 1.5, events: 10_000, operations: 5000, starts: 3, stepEdits: 8, helperEdits: 4 };

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false }, // about three minutes, for CI
    only: { type: 'string' }, // names of sections, separated by commas
    rounds: { type: 'string' },
    duration: { type: 'string' }, // seconds of each HTTP load
    strict: { type: 'boolean', default: false }, // a missed target fails the run
  },
});
const defaults = flags.quick ? QUICK : FULL;
const options = {
  ...defaults,
  rounds: Number(flags.rounds ?? defaults.rounds),
  duration: Number(flags.duration ?? defaults.duration),
};
const names = flags.only?.split(',') ?? Object.keys(SECTIONS);
const unknown = names.filter((name) => !Object.hasOwn(SECTIONS, name));
if (unknown.length > 0) throw new Error(`no section ${unknown}; there are ${Object.keys(SECTIONS).join(', ')}`);

install();
build();
const machine = describeMachine(await inScope(async (scope) => brokerVersion((await startBroker(scope)).port)));
const before = await describeMoment();
const results = {};
for (const name of names) {
  const foreignCpu = watchForeignCpu();
  results[name] = await inScope((scope) => SECTIONS[name](scope, options));
  results[name].notes.push(`Other processes used ${foreignCpu()} % of the machine meanwhile.`);
  process.stdout.write(`\n${sectionMarkdown(results[name])}`);
}
const after = await describeMoment();

const head = headMarkdown({ machine, before, after, options });
if (!flags.quick && !flags.only) {
  const here = (file) => new URL(file, import.meta.url);
  fs.writeFileSync(here('results.json'), `${JSON.stringify({ machine, before, after, options, results }, null, 1)}\n`);
  fs.writeFileSync(here('RESULTS.md'), [head, ...Object.values(results).map(sectionMarkdown)].join('\n'));
} else {
  process.stdout.write(`\n${head}`);
}
const missed = Object.values(results).flatMap(({ checks }) => checks.filter(({ pass }) => !pass));
if (flags.strict && missed.length > 0) process.exitCode = 1;

async function inScope(work) {
  const scope = new Scope();
  try {
    return await work(scope);
  } finally {
    await scope.close();
  }
}
