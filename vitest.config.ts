/** One project per kind of test; kinds run one after the other, quick ones first. */
import { defineConfig } from 'vitest/config';

/**
 * @param timeout milliseconds that one test may take.
 * @param retry   how often a test that failed is tried again: only where a busy machine may be to blame. The end of the output
 *                lists those that needed it. Whatever kills things at random is not tried again, since what it finds is rare.
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
    // One more than the smallest machine has cores: most tests wait for processes and deadlines.
    maxWorkers: 3,
    projects: [
      project('unit', 0, 5_000, 0),
      project('integration', 1, 20_000, 1),
      project('acceptance', 2, 60_000, 1),
      project('browser', 3, 60_000, 1),
      project('chaos-short', 4, 180_000, 0),
      project('chaos', 5, 300_000, 0),
    ],
  },
});
