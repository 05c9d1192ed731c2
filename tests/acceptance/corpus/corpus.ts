/** Projects that other people wrote for Motia 0.5 to 0.17. They are kept beside this repository and are not part of it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type CliOptions, type RunningCli, startCli } from '../../helpers/cli.ts';
import { createProject, type Project, REPOSITORY } from '../../helpers/project.ts';

/** A Python environment may have to be made. */
const TIMEOUT_MS = 120_000;
const FOLDER = join(REPOSITORY, '../shared/corpus');

export interface CorpusRun {
  cli: RunningCli;
  project: Project;
}

export interface CorpusOptions extends CliOptions {
  packages: Record<string, string>;
  /** What `npm install` would bring besides, as files. */
  installed?: Record<string, string>;
  /** Folders that the project itself writes to. */
  writes?: readonly string[];
}

/**
 * Registers a test that runs one project, unmodified, and checks afterwards that it still is. Skipped, with the reason, where
 * the projects are not there.
 */
export function corpusTest(name: string, options: CorpusOptions, body: (run: CorpusRun) => Promise<void>): void {
  const source = join(FOLDER, name);
  test(
    name,
    async (context) => {
      context.skip(!existsSync(source), `no project at ${source}`);
      const { packages, installed = {}, writes = [], ...cliOptions } = options;
      const files = Object.fromEntries(Object.entries(installed).map(([file, text]) => [`node_modules/${file}`, text]));
      const project = await createProject({ copyOf: source, packages, files });
      const before = await project.hash(writes);
      await using cli = await startCli('dev', project, cliOptions);
      expect(cli.logs({ action: 'step_broken' })).toEqual([]);
      await body({ cli, project });
      expect(cli.logs({ action: 'undeclared_topic' })).toEqual([]);
      expect(await cli.stop()).toBe(0);
      expect(await project.hash(writes)).toEqual(before);
    },
    TIMEOUT_MS,
  );
}

export interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: of every shape; the tests say which
  body: any;
}

/** Calls an API with JSON. */
export async function call(
  cli: RunningCli,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const json =
    body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } };
  const response = await cli.fetch(path, { method, headers, ...json });
  return { status: response.status, body: await response.json() };
}
