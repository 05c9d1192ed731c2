/** Who logs in to the broker in a release of the Helm chart, by the same files of values that `helm` is given. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { WorkerGroup } from '../../shared/access/roles.ts';
import { PACKAGE_ROOT } from '../../shared/package-root.ts';
import * as z from '../../shared/zod.ts';
import { CliError } from '../cli-error.ts';

/** What follows from values; what they do not say is as it is in the project. */
export interface Release {
  app?: string | undefined;
  partitions?: number | undefined;
  /** By the names of their Deployments. */
  workers: Map<string, WorkerGroup>;
  adminApi: boolean;
}

const DEFAULTS = join(PACKAGE_ROOT, 'deploy/helm/motia/values.yaml');

const texts = z._default(z.array(z.string()), []);
const groups = z.array(z.object({ name: z.string(), steps: texts, topics: texts, flows: texts }));
const schema = z.partial(
  z.object({
    app: z.string(),
    env: z.partial(z.object({ MOTIA_PARTITIONS: z.coerce.number().check(z.int(), z.positive()) })),
    admin: z.partial(z.object({ enabled: z.boolean() })),
    workers: groups,
    pythonWorkers: groups,
  }),
);

/**
 * @param files of values; what a later one says holds, as with helm.
 * @throws CliError for one that cannot be read.
 */
export function readRelease(files: readonly string[]): Release {
  const all = [DEFAULTS, ...files].map(readValues);
  const last = <T>(of: (values: z.infer<typeof schema>) => T | undefined): T | undefined =>
    all.map(of).findLast((value) => value !== undefined);
  const workersOf = (command: string, language: 'node' | 'python', found: z.infer<typeof groups> = []) =>
    found.map(({ name, ...part }): [string, WorkerGroup] => [`${command}-${name}`, { ...part, language }]);
  const workers = last((values) => values.workers);
  const pythonWorkers = last((values) => values.pythonWorkers);
  return {
    app: last(({ app }) => app),
    partitions: last(({ env }) => env?.MOTIA_PARTITIONS),
    workers: new Map([...workersOf('worker', 'node', workers), ...workersOf('python-worker', 'python', pythonWorkers)]),
    adminApi: last(({ admin }) => admin?.enabled) === true,
  };
}

function readValues(file: string): z.infer<typeof schema> {
  try {
    return schema.parse(parse(readFileSync(file, 'utf8')) ?? {});
  } catch (error) {
    const reason = error instanceof z.$ZodError ? z.prettifyError(error) : (error as Error).message;
    throw new CliError(`${file} cannot be read as values of the chart: ${reason}`);
  }
}
