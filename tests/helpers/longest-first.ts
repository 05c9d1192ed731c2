/** The order of test files: those that take longest begin first, so that none of them is left over when all others are done. */
import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Rough seconds, for a clone in which nothing has run yet; Vitest remembers the others. Whatever is not here is short. */
const SECONDS: Record<string, number> = {
  'acceptance/conformance/python.test.ts': 150,
  'acceptance/conformance/node.test.ts': 140,
  'acceptance/cli/create.test.ts': 140,
  'browser/workbench/operations.test.ts': 80,
  'browser/stream-client.test.ts': 80,
  'integration/cli/python-environment.test.ts': 90,
  'acceptance/scaling/removed-steps.test.ts': 80,
  'acceptance/failures/workers.test.ts': 80,
  'acceptance/cli/supervision.test.ts': 75,
  'acceptance/deploy/compose.test.ts': 70,
  'acceptance/failures/neighbours.test.ts': 60,
  'acceptance/observability/ops.test.ts': 60,
  'acceptance/scaling/former-fifo.test.ts': 60,
  'acceptance/failures/hot-reload.test.ts': 50,
  'acceptance/python/hot-reload.test.ts': 50,
  'acceptance/corpus/types.test.ts': 50,
  'acceptance/corpus/motia-docker.test.ts': 45,
  'acceptance/testing/runners.test.ts': 45,
  'acceptance/cron/commands.test.ts': 45,
  'acceptance/deploy/kubernetes.test.ts': 45,
  'acceptance/operations/dead-letters.test.ts': 40,
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
    return before && !before.failed ? before.duration / 1_000 : (SECONDS[path.replace('tests/', '')] ?? 0);
  }
}
