// The test kit: how long until a project runs for a test, on a broker of its own. Each file of a test runner has a process, which makes a first tester.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createLoadProject } from '../lib/motia.mjs';
import { atMost } from '../lib/report.mjs';
import { median } from '../lib/stats.mjs';

const SCRIPT = fileURLToPath(new URL('../lib/time-testers.mjs', import.meta.url));
const TESTERS = 4;

/** @param {import('../lib/processes.mjs').Scope} scope @param {{ starts: number }} options */
export async function testKit(scope, { starts }) {
  const project = createLoadProject(scope);
  timeTesters(project); // compiles the steps: the others find that done
  const processes = Array.from({ length: 2 * starts }, () => timeTesters(project));
  const loaded = processes.map((one) => one.loaded);
  const first = processes.map(({ ready }) => ready[0]);
  const later = processes.flatMap(({ ready }) => ready.slice(1));
  const row = (what, times) => [
    what,
    Math.round(median(times)),
    Math.round(Math.min(...times)),
    Math.round(Math.max(...times)),
  ];
  return {
    title: `The test kit, ${processes.length} processes with ${TESTERS} testers each`,
    tables: [
      {
        columns: ['ms', 'median', 'least', 'most'],
        rows: [
          row('`motia/testing` is loaded', loaded),
          row('the first tester of a process is ready', first),
          row('a later one is ready', later),
        ],
      },
    ],
    checks: [
      atMost('a first tester is ready, ms', Math.round(median(first)), 100),
      atMost('a later tester is ready, ms', Math.round(median(later)), 100),
    ],
    notes: [
      'Ready: the steps are served over HTTP and take events. One after the other, without a pause, and the steps were compiled before.',
    ],
    rounds: processes,
  };
}

const timeTesters = (project) =>
  JSON.parse(execFileSync(process.execPath, [SCRIPT, String(TESTERS)], { cwd: project, encoding: 'utf8' }));
