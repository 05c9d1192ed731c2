/** The order of test files: those that take longest begin first, so that none of them is left over when all others are done. */
import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Rough seconds of the long ones, for a clone in which nothing has run yet; elsewhere Vitest remembers how long each took. */
export const SECONDS: Record<string, number> = {
  'tests/acceptance/conformance/python.test.ts': 180,
  'tests/acceptance/conformance/node.test.ts': 180,
  'tests/acceptance/cli/create.test.ts': 140,
  'tests/browser/workbench/operations.test.ts': 80,
  'tests/browser/stream-client.test.ts': 80,
  'tests/integration/cli/python-environment.test.ts': 90,
  'tests/acceptance/scaling/removed-steps.test.ts': 80,
  'tests/acceptance/failures/workers.test.ts': 100,
  'tests/acceptance/cli/supervision.test.ts': 75,
  'tests/browser/workbench/screens.test.ts': 75,
  'tests/acceptance/deploy/compose.test.ts': 70,
  'tests/acceptance/failures/neighbours.test.ts': 60,
  'tests/acceptance/observability/ops.test.ts': 60,
  'tests/acceptance/scaling/former-fifo.test.ts': 60,
  'tests/acceptance/deploy/keys.test.ts': 60,
  'tests/acceptance/failures/hot-reload.test.ts': 50,
  'tests/acceptance/python/hot-reload.test.ts': 50,
  'tests/acceptance/corpus/types.test.ts': 50,
  'tests/acceptance/corpus/motia-docker.test.ts': 45,
  'tests/acceptance/testing/runners.test.ts': 45,
  'tests/acceptance/cron/commands.test.ts': 45,
  'tests/acceptance/deploy/kubernetes.test.ts': 45,
  'tests/acceptance/operations/dead-letters.test.ts': 40,
  'tests/acceptance/operations/stored.test.ts': 40,
  'tests/acceptance/access/app.test.ts': 40,
  'tests/acceptance/access/tls.test.ts': 40,
  'tests/acceptance/cli/image.test.ts': 40,
  'tests/acceptance/scaling/parts.test.ts': 40,
  'tests/acceptance/failures/start-errors.test.ts': 40,
  'tests/acceptance/cli/command-line.test.ts': 35,
  'tests/acceptance/cli/generate.test.ts': 35,
  'tests/acceptance/docs/code.test.ts': 35,
};

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const seconds = new Map(files.map((file) => [file, this.#secondsOf(file)]));
    const of = (file: TestSpecification) => seconds.get(file) ?? 0;
    const order = ({ project }: TestSpecification) => project.config.sequence.groupOrder;
    return (await super.sort(files)).sort((a, b) => order(a) - order(b) || of(b) - of(a));
  }

  #secondsOf({ moduleId, project }: TestSpecification): number {
    const path = relative(this.ctx.config.root, moduleId);
    const before = this.ctx.cache.getFileTestResults(`${project.name}:${path}`);
    return before && !before.failed ? before.duration / 1_000 : (SECONDS[path] ?? 0);
  }
}
