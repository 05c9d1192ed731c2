/** The real helm, and what its chart makes. To build the programs takes Go and minutes, which no test does. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, type TestContext } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { readEnvironment } from '../../shared/config.ts';
import { REPOSITORY } from './project.ts';
import { removeFolder } from './remove-folder.ts';

export const CHART = join(REPOSITORY, 'deploy/helm/motia');
/** Of the schemas that `scripts/deploy-tools.mjs` makes. */
export const KUBERNETES_VERSION = '1.36.0';

/** A resource as helm prints it. */
export interface Resource {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  // biome-ignore lint/suspicious/noExplicitAny: each kind has its own, which the schemas check
  [field: string]: any;
}

export type Values = Record<string, unknown>;

const run = promisify(execFile);
const folders: string[] = [];
afterAll(async () => {
  await Promise.all(folders.splice(0).map((folder) => removeFolder(folder)));
});

/** Path of one of the tools. Skips the test where it is not there. */
export function deployTool(context: TestContext, name: string): string {
  const { cacheDir, searchPath } = readEnvironment();
  const places = [join(cacheDir, 'tests/deploy'), ...searchPath].map((folder) => join(folder, name));
  const path = places.find((place) => existsSync(place));
  context.skip(
    path === undefined,
    `there is no ${name}: node scripts/deploy-tools.mjs makes it (takes Go, and minutes)`,
  );
  return path as string;
}

const made = new Map<string, Promise<Resource[]>>();

/** The resources that the chart makes of values; the same ones are made once. @throws Error with what helm says against them. */
export function template(helm: string, values: Values, ...flags: string[]): Promise<Resource[]> {
  const key = JSON.stringify([values, flags]);
  const args = ['template', 'x', CHART, '--kube-version', KUBERNETES_VERSION, ...flags];
  const resources = made.get(key) ?? helmWith(helm, args, values).then(toResources);
  made.set(key, resources);
  return resources;
}

/** The documents of a text in YAML. */
export function toResources(text: string): Resource[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Resource | null)
    .filter((resource) => resource !== null);
}

/** Runs helm, with a file of values if there are any. @returns what it prints. @throws Error with what it says when it fails. */
export async function helmWith(
  helm: string,
  args: string[],
  values?: Values,
  env: Record<string, string> = {},
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'motia-helm-'));
  folders.push(folder);
  const file = join(folder, 'values.yaml');
  await writeFile(file, JSON.stringify(values ?? {})); // JSON is YAML
  const options = {
    maxBuffer: 64 * 1024 ** 2,
    env: { PATH: readEnvironment().searchPath.join(delimiter), HOME: folder, ...env },
  };
  const { stdout } = await run(helm, values ? [...args, '--values', file] : args, options);
  return stdout;
}

/** The one of a kind with a name. */
export function find(resources: Resource[], kind: string, name: string): Resource {
  const found = resources.find((each) => each.kind === kind && each.metadata.name === name);
  if (found) return found;
  throw new Error(
    `no ${kind} ${name} among ${resources.map((each) => `${each.kind} ${each.metadata.name}`).join(', ')}`,
  );
}
