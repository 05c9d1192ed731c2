/** Made for 0.14: chained, parallel and failing events, a dead letter queue of its own, all over state. */
import { expect } from 'vitest';
import type { RunningCli } from '../../helpers/cli.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { call, corpusTest } from './corpus.ts';

const TRACE_ID = expect.stringMatching(/^[0-9a-f]{32}$/);

corpusTest('queue-example', { packages: { zod: 'zod' } }, async ({ cli }) => {
  const explained = cli.logs({ action: 'project_warning' }).map(({ msg }) => msg);
  expect(explained).toEqual([expect.stringMatching(/^motia\.config: "plugins" added pages to the Workbench/)]);
  expect(await call(cli, 'GET', '/queue-tests/health')).toEqual({
    status: 200,
    body: {
      status: 'healthy',
      timestamp: expect.any(String),
      checks: { stateAccessible: true, testResultsCount: 0, activeHeavyJobs: 0 },
    },
  });

  const traces = Object.fromEntries(
    await Promise.all(
      Object.entries({ simple: 2, chain: 1, parallel: 5, state: 1, heavy: 1, error: 1 }).map(
        async ([testType, count]) => {
          const { status, body } = await call(cli, 'POST', '/queue-tests/trigger', { testType, count });
          const emittedEvents = testType === 'parallel' ? count : 1;
          expect({ status, body }).toEqual({
            status: 200,
            body: { success: true, testType, emittedEvents, traceId: TRACE_ID },
          });
          return [testType, body.traceId];
        },
      ),
    ),
  );
  expect(new Set(Object.values(traces)).size).toBe(6);

  expect(await results(cli, traces.simple, 1)).toEqual([
    {
      testType: 'simple',
      traceId: traces.simple,
      processingTimeMs: expect.any(Number),
      status: 'completed',
      completedAt: expect.any(String),
    },
  ]);
  expect(await results(cli, traces.chain, 1)).toMatchObject([
    {
      testType: 'chain',
      totalSteps: 3,
      totalProcessingMs: 650,
      status: 'completed',
      chainData: { step1ProcessingMs: 200, step2ProcessingMs: 300, step3ProcessingMs: 150 },
    },
  ]);
  const parallel = await results(cli, traces.parallel, 5);
  expect(parallel.map(({ index }) => index).sort()).toEqual([0, 1, 2, 3, 4]);
  expect(await results(cli, traces.state, 1)).toMatchObject([
    {
      status: 'completed',
      results: {
        success: true,
        details: {
          retrieved: true,
          updated: true,
          updateVerified: true,
          groupItemCount: 1,
          batchCreated: 3,
          deleted: true,
          deleteVerified: true,
          batchDeleted: 3,
        },
      },
    },
  ]);
  // Two failed attempts leave a result each, and the third attempt recovers: our retries, not the project's.
  const error = await results(cli, traces.error, 3);
  expect(
    error
      .filter(({ status }) => status === 'failed-will-retry')
      .map(({ attemptNumber }) => attemptNumber)
      .sort(),
  ).toEqual([1, 2]);
  expect(error.find(({ status }) => status === 'recovered')).toMatchObject({
    totalAttempts: 3,
    failuresBeforeSuccess: 2,
  });
  expect(cli.logs({ action: 'run_failed', step: 'ErrorQueueTest' }).map(({ attempt }) => attempt)).toEqual([1, 2]);
  expect(await results(cli, traces.heavy, 1)).toMatchObject([
    { testType: 'heavy', targetProcessingTimeMs: 5000, status: 'completed' },
  ]);
  expect((await call(cli, 'GET', '/queue-tests/health')).body.checks).toEqual({
    stateAccessible: true,
    testResultsCount: 12,
    activeHeavyJobs: 0,
  });
  expect((await call(cli, 'GET', '/queue-tests/results?testType=parallel')).body.count).toBe(5);

  await deadLetters(cli);

  expect(await call(cli, 'DELETE', '/queue-tests/results')).toMatchObject({
    status: 200,
    body: { success: true, clearedGroups: expect.arrayContaining(['queue-test-results']) },
  });
  expect((await call(cli, 'GET', '/queue-tests/results')).body).toEqual({ results: [], count: 0 });
});

/** The project's own dead letter queue. */
async function deadLetters(cli: RunningCli): Promise<void> {
  expect((await call(cli, 'GET', '/queue-tests/dlq')).body).toEqual({
    entries: [],
    stats: { totalCount: 0, byTopic: {}, byStatus: {} },
  });
  const { traceId } = (await call(cli, 'POST', '/queue-tests/trigger', { testType: 'error-permanent' })).body;
  const entry = await waitFor(
    async () => {
      const { entries } = (await call(cli, 'GET', '/queue-tests/dlq?status=requires-manual-review')).body;
      return entries.find((each: { traceId: string }) => each.traceId === traceId);
    },
    { what: 'the dead letter' },
  );
  expect(entry).toMatchObject({
    id: expect.stringContaining(`dlq-${traceId}-`),
    originalTopic: 'queue-test.error',
    failureReason: 'Permanent failure - marked as unrecoverable',
    attemptCount: 1,
    canRetry: false,
  });
  expect(await call(cli, 'POST', `/queue-tests/dlq/retry/${entry.id}`, {})).toEqual({
    status: 400,
    body: { error: 'This entry is marked as non-retryable (permanent failure)' },
  });
  expect((await call(cli, 'POST', '/queue-tests/dlq/retry/unknown', {})).status).toBe(404);

  expect(await call(cli, 'DELETE', `/queue-tests/dlq/${entry.id}`)).toEqual({
    status: 200,
    body: {
      success: true,
      message: 'Entry marked as discarded (record kept for audit)',
      discardedEntry: { id: entry.id, originalTopic: 'queue-test.error', status: 'discarded' },
    },
  });
  expect((await call(cli, 'GET', '/queue-tests/dlq')).body.stats.byStatus.discarded).toBe(1);
  expect((await call(cli, 'DELETE', `/queue-tests/dlq/${entry.id}`, { keepRecord: false })).status).toBe(200);
  expect((await call(cli, 'DELETE', `/queue-tests/dlq/${entry.id}`)).status).toBe(404);
}

/** The results that the steps of a trace stored, as soon as there are `count`. */
async function results(cli: RunningCli, traceId: string, count: number): Promise<Record<string, unknown>[]> {
  const body = await waitFor(
    async () => {
      const { body: found } = await call(cli, 'GET', `/queue-tests/results?traceId=${traceId}`);
      return found.count >= count && found;
    },
    { what: `${count} results of ${traceId}`, every: 100, within: 15_000 },
  );
  expect(body.count).toBe(count);
  return body.results;
}
