/** One project per kind of test; kinds run one after the other, quick ones first. */
import { defineConfig } from 'vitest/config';

/** @param timeout milliseconds that one test may take. */
const project = (name: string, groupOrder: number, timeout: number) => ({
  test: {
    name,
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
    maxWorkers: 2,
    projects: [
      project('unit', 0, 5_000),
      project('integration', 1, 20_000),
      project('acceptance', 2, 60_000),
      project('chaos-short', 3, 180_000),
      project('chaos', 4, 300_000),
    ],
  },
});
