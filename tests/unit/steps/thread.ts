/** Loads bundles where they are loaded in production: in a worker thread, by Node itself and not by the test runner. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import { afterAll } from 'vitest';
import type { Bundle, StepFailure } from '../../../shared/steps/bundle.ts';
import type { StepEntry } from '../../../shared/steps/manifest.ts';
import type { ProjectSettings } from '../../../shared/steps/project-settings.ts';

export interface ThreadAnswer {
  entries: StepEntry[];
  /** What each handler returned, by name of the step. */
  values: Record<string, unknown>;
  failures: StepFailure[];
  settings: ProjectSettings;
}

const THREAD = `
const { parentPort, workerData } = require('node:worker_threads');
parentPort.on('message', async (bundle) => {
  const { loadBundle } = await import(workerData);
  const { steps, failures, settings } = await loadBundle(bundle);
  const values = {};
  for (const { entry, handler } of steps) values[entry.name] = await handler();
  parentPort.postMessage({ entries: steps.map(({ entry }) => entry), values, failures, settings });
});
`;

/** One thread per test file: every project has a folder of its own, so nothing that was loaded meets again. */
let thread: Promise<{ worker: Worker; folder: string }> | undefined;

afterAll(async () => {
  const started = await thread;
  await started?.worker.terminate();
  if (started) rmSync(started.folder, { recursive: true, force: true });
});

/** Loads the bundle and calls every handler without arguments. Not to be called while a call is under way. */
export async function loadInThread(bundle: Bundle): Promise<ThreadAnswer> {
  thread ??= startThread();
  const { worker } = await thread;
  worker.postMessage(bundle);
  const [answer] = await once(worker, 'message');
  return answer;
}

async function startThread() {
  const folder = mkdtempSync(join(tmpdir(), 'motia-loader-'));
  const outfile = join(folder, 'load.mjs');
  const entryPoints = ['shared/steps/load.ts'];
  await build({ entryPoints, outfile, bundle: true, platform: 'node', format: 'esm', logLevel: 'silent' });
  return { worker: new Worker(THREAD, { eval: true, workerData: outfile }), folder };
}
