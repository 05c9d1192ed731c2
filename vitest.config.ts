/** One project per kind of test: the quick ones first, then those with processes, then what kills them at random. */
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './tests/helpers/longest-first.ts';

/**
 * @param groupOrder kinds with the same one run side by side.
 * @param timeout    milliseconds that one test may take.
 * @param retry      how often a test that failed is tried again: only where a busy machine may be to blame. The end of the output
 *                   lists those that needed it. Whatever kills things at random is not tried again, since what it finds is rare.
 */
const project = (name: string, groupOrder: number, timeout: number, retry: number) => ({
  test: {
    name,
    retry,
    include: [`tests/${name}/**/*.test.ts`],
    globalSetup: name === 'unit' ? [] : ['tests/helpers/find-nats-server.ts'],
    testTimeout: timeout,
    hookTimeout: timeout,
    sequence: { groupOrder },
    pool: 'forks' as const,
  },
});

export default defineConfig({
  test: {
    // More than twice the cores of the smallest machine: most tests wait for processes and deadlines, and use less than half a core.
    maxWorkers: 5,
    sequence: { sequencer: LongestFirst },
    projects: [
      project('unit', 0, 20_000, 0),
      project('integration', 1, 20_000, 1),
      project('acceptance', 1, 60_000, 1),
      project('browser', 1, 60_000, 1),
      project('chaos-short', 2, 180_000, 0),
      project('chaos', 3, 300_000, 0),
    ],
  },
});
