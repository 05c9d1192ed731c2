/** A step that is FIFO no longer: what waits in its groups is run, and so is what comes, each once. */
import { writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { pythonEnvironment } from '../../helpers/python.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { eventStep, type Language, type SharedWork, startSharedWork, stepFile } from './shared-work.ts';

/** Emits events of ten groups, numbered from `first`. */
async function emitGrouped({ broker, names }: SharedWork, first: number, count: number): Promise<void> {
  for (let n = first; n < first + count; n++) {
    const event = JSON.stringify({ topic: 'work', n, ms: 0 });
    await broker.mux.request(names.event('work', `group ${n % 10}`), event);
  }
}

const consumers = async ({ broker, names }: SharedWork) =>
  (await broker.jsm.consumers.list(names.streams.events).next()).map(({ name }) => name);

describe.each<Language>(['node', 'python'])('%s', (language) => {
  test('a FIFO step becomes an ordinary one, and FIFO again', async (context) => {
    const env = { ...(language === 'python' ? await pythonEnvironment(context) : {}), MOTIA_PARTITIONS: '8' };
    const file = stepFile(language, 'work');
    const [fifo, ordinary] = ['{"type": "fifo"}', '{}'].map((queue) =>
      eventStep(language, 'Work', ['work'], [], queue),
    );
    await using work = await startSharedWork(language, { [file]: fifo as string }, env);
    await emitGrouped(work, 0, 100);
    await work.emit('work', 10); // of no group: their numbers are 0 to 9 again
    expect(await consumers(work)).toHaveLength(9);

    await writeFile(work.project.path(file), ordinary as string);
    await work.provision();
    await emitGrouped(work, 100, 100); // of these both consumers have a copy
    const first = await work.startWorker('first');
    await emitGrouped(work, 200, 100);
    await work.waitForRuns(310);
    await waitFor(async () => (await consumers(work)).length === 1, {
      what: 'the end of the partitions',
      within: 20_000,
    });
    await emitGrouped(work, 300, 10);
    const runs = await work.waitForRuns(320);
    expect(runs.map(({ n }) => n).sort((a, b) => a - b)).toEqual(
      [...Array.from({ length: 10 }, (_, n) => n), ...Array.from({ length: 310 }, (_, n) => n)].sort((a, b) => a - b),
    );
    await first.stop();

    await writeFile(work.project.path(file), fifo as string);
    await work.startWorker('second');
    await emitGrouped(work, 400, 20);
    expect(await work.waitForRuns(340)).toHaveLength(340);
  });
});
