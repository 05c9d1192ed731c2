// `motia dev` in a project of 20 steps: from its start to the first answer, and what it costs while idle.
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CLI } from '../../scripts/prepare.mjs';
import { proportionalMemory } from '../lib/memory.mjs';
import { commandLine, cpuSeconds, end, freePort, processTree, untilOk } from '../lib/processes.mjs';
import { atMost } from '../lib/report.mjs';
import { createSampleProject, route } from '../lib/sample-project.mjs';
import { median, round } from '../lib/stats.mjs';

/** By then the engine has compiled and collected what the start has left it. */
const SETTLE_MS = 30_000;
const IDLE_SECONDS = 20;

/** @param {import('../lib/processes.mjs').Scope} scope @param {{ starts: number }} options */
export async function coldStart(scope, { starts }) {
  const project = createSampleProject(scope);
  const withoutCaches = await startDev(scope, project);
  await end(withoutCaches.child);
  const milliseconds = [];
  let dev;
  for (let number = 1; number <= starts; number++) {
    dev = await startDev(scope, project);
    milliseconds.push(dev.milliseconds);
    if (number < starts) await end(dev.child);
  }
  const idle = await measureIdle(dev.child.pid);
  return {
    title: 'Cold start and idle cost of `motia dev`, 20 steps',
    tables: [
      {
        columns: ['from spawn to the first 200', 'ms'],
        rows: [
          [`median of ${starts}, caches warm`, Math.round(median(milliseconds))],
          ['slowest, caches warm', Math.round(Math.max(...milliseconds))],
          ['first start of the project', Math.round(withoutCaches.milliseconds)],
        ],
      },
      {
        columns: ['idle process', 'memory MB', 'CPU %'],
        rows: [
          ...idle.processes.map(({ name, memory, cpu }) => [name, round(memory, 1), cpu]),
          ['sum', idle.memory, idle.cpu],
        ],
      },
    ],
    checks: [
      atMost('cold start, ms', Math.round(median(milliseconds)), 1000),
      atMost('idle memory, MB', idle.memory, 220),
      atMost('idle CPU, % of a core', idle.cpu, 2),
    ],
    notes: [
      `Idle: ${SETTLE_MS / 1000} s after the first answer, CPU over ${IDLE_SECONDS} s, in percent of one core.`,
      'Memory is the proportional set size, with shared pages divided within the tree only.',
    ],
    rounds: { milliseconds, withoutCaches: withoutCaches.milliseconds, idle },
  };
}

/** @param {import('../lib/processes.mjs').Scope} scope @param {string} project @param {Record<string, string>} [env] */
export async function startDev(scope, project, env) {
  const port = await freePort();
  const startedAt = performance.now();
  const started = scope.spawn(process.execPath, [CLI, 'dev', '--host', '127.0.0.1', '--port', String(port)], {
    cwd: project,
    env: { LOG_LEVEL: 'warn', ...env },
    log: path.join(project, 'dev.log'),
  });
  const url = `http://127.0.0.1:${port}`;
  await untilOk(`${url}${route(0)}`, [started]);
  return { child: started.child, port, url, milliseconds: performance.now() - startedAt };
}

async function measureIdle(root) {
  await sleep(SETTLE_MS);
  const before = processTree(root);
  await sleep(IDLE_SECONDS * 1000);
  const memory = proportionalMemory(before.map(({ pid }) => pid));
  const list = before.map(({ pid, cpuSeconds: used }) => ({
    name: commandLine(pid),
    memory: memory.get(pid),
    cpu: round(((cpuSeconds(pid) - used) / IDLE_SECONDS) * 100, 1),
  }));
  const sum = (key) =>
    round(
      list.reduce((total, one) => total + one[key], 0),
      1,
    );
  return { processes: list, memory: sum('memory'), cpu: sum('cpu') };
}
