/** The process that `motia dev` and `motia start` run the worker in. It ends when its parent is gone. */
import { loadDotEnv } from '../shared/config.ts';
import type { RunningWorker } from '../worker/main.ts';
import { GRACE_MS } from './grace.ts';
import { runWorker, type WorkerSettings } from './run-worker.ts';
import { ASK_METRICS, type FromWorker, OTHERS_READY } from './worker-messages.ts';

const tell = (message: FromWorker, told = () => {}) => process.send?.(message, told);

let worker: RunningWorker | undefined;

const othersReady = new Promise<void>((resolve) => {
  process.on('message', ({ type }: { type?: string }) => {
    if (type === OTHERS_READY) resolve();
    else if (type === ASK_METRICS) void tellMetrics();
  });
});

function onStarted(started: RunningWorker): void {
  worker = started;
  tell({ type: 'started' });
}

/** What cannot be told is left out: whoever asked does not wait for long. */
async function tellMetrics(): Promise<void> {
  const families = await worker?.collect().catch(() => undefined);
  tell({ type: 'metrics', families: families ?? [] });
}

/** Settings come by message and not in the environment or the arguments, where others could read the password. */
process.once('message', async (settings: WorkerSettings) => {
  try {
    loadDotEnv(settings.root); // this process may have been started before its parent had read the file
    process.exit(await runWorker(settings, GRACE_MS.supervisedWorker, { onStarted, othersReady }));
  } catch (error) {
    const { message, stack, code } = error as Error & { code?: string };
    tell({ type: 'failed', message, stack, code }, () => process.exit(1)); // the last word, so it waits to be written
  }
});
