// Hot reload of `motia dev`: from writing a file to the first answer of the new code, under a light load elsewhere.
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Load } from '../lib/load.mjs';
import { atMost } from '../lib/report.mjs';
import { createSampleProject, route, typeScript } from '../lib/sample-project.mjs';
import { median, round } from '../lib/stats.mjs';
import { startDev } from './cold-start.mjs';

const PATIENCE_MS = 10_000;
const POLL_MS = 2;
const SETTLE_MS = 300;
const CONFIRMATIONS = 20;

/** @param {import('../lib/processes.mjs').Scope} scope @param {{ stepEdits: number, helperEdits: number }} options */
export async function reload(scope, options) {
  const { rows, step, shared, failed, stale, requests } = await measureEdits(scope, typeScript, options);
  return {
    title: 'Hot reload of `motia dev`, 20 steps',
    tables: [{ columns: ['edit of', 'times', 'median ms', 'slowest ms'], rows }],
    checks: [
      atMost('edit of a step → new behaviour, ms', round(median(step), 0), 300),
      atMost('edit of a helper → new behaviour, ms', round(median(shared), 0), 300),
      atMost('failed requests', failed, 0),
      atMost('answers of the old code after the first of the new', stale, 0),
    ],
    notes: [`Beside the edits, ${requests.toLocaleString('en')} requests went to another route.`],
    rounds: { step, helper: shared },
  };
}

/**
 * Edits a sample project while it is served.
 *
 * @param {import('../lib/processes.mjs').Scope} scope
 * @param {import('../lib/sample-project.mjs').Sources} sources
 * @param {{ stepEdits: number, helperEdits: number }} options
 * @param {Record<string, string>} [env]
 */
export async function measureEdits(scope, sources, { stepEdits, helperEdits }, env) {
  const project = createSampleProject(scope, sources);
  const { port, url } = await startDev(scope, project, env);
  const load = await Load.start(scope);
  const loadResult = load.run({ method: 'GET', path: route(1), port, connections: 2, pauseMs: 20, seconds: 3600 });
  await sleep(SETTLE_MS);

  const tally = { failed: 0, stale: 0 };
  const edit = async (file, text, key, version) => {
    const startedAt = performance.now();
    fs.writeFileSync(path.join(project, file), text);
    const isNew = (body) => body?.[key] === version;
    for (const deadline = startedAt + PATIENCE_MS; !isNew(await read(url, tally)); await sleep(POLL_MS)) {
      if (performance.now() > deadline) throw new Error(`the edit of ${file} is not served after ${PATIENCE_MS} ms`);
    }
    const milliseconds = performance.now() - startedAt;
    for (let i = 0; i < CONFIRMATIONS; i++) if (!isNew(await read(url, tally))) tally.stale++;
    await sleep(SETTLE_MS);
    return milliseconds;
  };
  const step = [];
  for (let version = 1; version <= stepEdits; version++) {
    step.push(await edit(sources.apiFile(0), sources.apiStep(0, version), 'version', version));
  }
  const shared = [];
  for (let version = 1; version <= helperEdits; version++) {
    shared.push(await edit(sources.helperFile, sources.helper(version), 'helperVersion', version));
  }
  load.stop();
  const { requests, failed } = await loadResult;

  const row = (name, list) => [name, list.length, Math.round(median(list)), Math.round(Math.max(...list))];
  const rows = [row('a step', step), row('a helper of all steps', shared)];
  return { rows, step, shared, failed: failed + tally.failed, stale: tally.stale, requests };
}

async function read(url, tally) {
  const answer = await fetch(url + route(0)).catch(() => undefined);
  if (answer?.status === 200) return answer.json();
  tally.failed++;
  return undefined;
}
