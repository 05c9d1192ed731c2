/** Workers that take a part of the app each: by topic, by flow, several for one topic, and one more under load. */
import { describe, expect, test } from 'vitest';
import { pythonEnvironment } from '../../helpers/python.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import {
  eventStep,
  idleStep,
  type Language,
  type Ran,
  type SharedWork,
  startSharedWork,
  stepFile,
} from './shared-work.ts';

const files = (language: Language) => ({
  [stepFile(language, 'paint')]: eventStep(language, 'Paint', ['red', 'green']),
  [stepFile(language, 'blue')]: eventStep(language, 'Blue', ['blue'], ['rest']),
  [stepFile(language, 'order')]: idleStep(language, {
    ...{ type: 'api', name: 'Order', method: 'POST', path: '/order', emits: [], flows: ['rest'] },
  }),
  [stepFile(language, 'tidy')]: idleStep(language, {
    ...{ type: 'cron', name: 'Tidy', cron: '0 0 1 1 *', emits: [], flows: ['rest'] },
  }),
});

/** How many workers ask for the calls, and for the ticks. */
async function takers({ broker, names }: SharedWork): Promise<number[]> {
  const infos = await Promise.all([
    broker.jsm.consumers.info(names.streams.requests, names.requestConsumer('Order')),
    broker.jsm.consumers.info(names.streams.cron, names.tickConsumer('Tidy')),
  ]);
  return infos.map(({ num_waiting }) => num_waiting);
}

const workersOf = (runs: Ran[]) => [...new Set(runs.map(({ worker }) => worker))].sort();

/** How many runs of one worker went on at the same time, at most. */
function mostAtATime(runs: Ran[], worker: string): number {
  const own = runs.filter((run) => run.worker === worker);
  return Math.max(...own.map(({ began }) => own.filter((run) => run.began <= began && began < run.ended).length));
}

describe.each<Language>(['node', 'python'])('%s', (language) => {
  const command = language === 'node' ? 'worker' : 'python-worker';

  test('three workers on disjoint parts, and one more under load', async (context) => {
    const env = language === 'python' ? await pythonEnvironment(context) : {};
    await using work = await startSharedWork(language, files(language), env);
    await work.startWorker('red', ['--topics', 'red', '--concurrency', '2']);
    await work.startWorker('green', [], { MOTIA_TOPICS: 'green' });
    expect(await takers(work)).toEqual([0, 0]);
    await work.emit('blue', 20); // nobody takes them yet: they wait
    await work.startWorker('rest', ['--flows', 'rest', '--steps', 'Blue']);
    await waitFor(async () => (await takers(work)).every((count) => count > 0), { what: 'takers of calls and ticks' });
    await work.emit('red', 20);
    await work.emit('green', 20);
    await work.waitForRuns(60);
    for (const topic of ['red', 'green']) expect(workersOf(await work.ran(topic))).toEqual([topic]);
    expect(workersOf(await work.ran('blue'))).toEqual(['rest']);

    await work.emit('red', 200, 100); // 10 s of work for one
    await work.startWorker('red too', ['--topics', 'red', '--topics', 'green,blue', '--concurrency=2']);
    const runs = (await work.waitForRuns(220, 'red')).slice(20);
    expect(new Set(runs.map(({ n }) => n)).size).toBe(200);
    expect(runs).toHaveLength(200);
    expect(workersOf(runs)).toEqual(['red', 'red too']);
    for (const worker of ['red', 'red too']) expect(mostAtATime(runs, worker)).toBe(2);
  });

  test('a name that fits nothing ends the start, and what there is is told', async (context) => {
    const env = language === 'python' ? await pythonEnvironment(context) : {};
    await using work = await startSharedWork(language, files(language), env);
    const { code, output } = await work.run(command, '--topics', 'red,reed');
    expect(code).toBe(1);
    expect(output).toContain('no topic that this worker could take is named "reed"; there are: blue, green, red');
  });
});
