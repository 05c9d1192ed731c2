/**
 * `motia build`: compiles a project into `dist/`. It is made in a folder beside it and loaded there as a start would load it, so what
 * does not load is never built, and an earlier build stays until there is a new one.
 */
import { existsSync } from 'node:fs';
import { cp, mkdir, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MotiaError } from '../../shared/errors.ts';
import { ownPackage } from '../../shared/package-root.ts';
import { type Bundle, hashOutputs } from '../../shared/steps/bundle.ts';
import type { Compiled } from '../../shared/steps/compiler.ts';
import { CONFIG_FILES } from '../../shared/steps/discover.ts';
import { loadFiles } from '../../shared/steps/load.ts';
import { BUILD_FOLDER, FILES_FOLDER, LOCK_FILE, MODULES_FOLDER } from '../../shared/steps/paths.ts';
import { TolerantCompiler } from '../../shared/steps/tolerant-compiler.ts';
import { describePython } from '../generate/project.ts';
import type { CommandOptions } from '../options.ts';
import { hashFiles } from './freshness.ts';
import { includedFiles } from './included-files.ts';
import { lockText } from './lock.ts';
import { describeProblems, findProblems, type Problem, toProblem } from './problems.ts';
import { isCopied, type ProjectFiles, projectFiles } from './project-files.ts';

export interface Built {
  steps: number;
  streams: number;
  /** One line each. */
  warnings: string[];
}

/** Of the project, for code that reads it or is read by its type. */
const PACKAGE = 'package.json';

/** @throws {MotiaError} `PROJECT_INVALID` that names every problem as `[file] message`; nothing was changed then. */
export async function buildProject(options: CommandOptions): Promise<Built> {
  const root = await realpath(options.root);
  const files = await projectFiles(root);
  if (files.steps.length + files.python.length === 0) {
    throw new MotiaError(
      'PROJECT_INVALID',
      'Project contains no steps: they are files in src/ or steps/, named *.step.ts, *.step.js or *_step.py',
    );
  }
  const draft = join(root, `.${BUILD_FOLDER}-${process.pid}`);
  try {
    const result = await buildInto(draft, root, files, options);
    await replaceBuild(join(root, BUILD_FOLDER), draft);
    return result;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function buildInto(draft: string, root: string, files: ProjectFiles, options: CommandOptions): Promise<Built> {
  const config = CONFIG_FILES.find((file) => existsSync(join(root, file)));
  const entries = [...files.steps, ...files.streams].sort();
  const { compiled, inputs } = await compile(draft, root, config === undefined ? entries : [...entries, config]);
  const copied = [PACKAGE, ...files.all.filter((file) => isCopied(file, inputs))];
  await copy(root, join(draft, FILES_FOLDER), copied);

  const moduleOf = (file: string) => compiled.graph.outputOf(file);
  const outputOf = (file: string) => join(draft, MODULES_FOLDER, moduleOf(file));
  const bundle: Bundle = {
    id: hashOutputs(compiled.outputs, ''),
    root,
    entries: entries.map((file) => ({ file, output: outputOf(file), inputs: [file] })),
    ...(config !== undefined && { config: outputOf(config) }),
    inputs: [],
    failures: [],
  };
  const node = await loadFiles(bundle);
  const python = await describePython(options, join(draft, FILES_FOLDER));
  const steps = [...node.steps.map(({ entry }) => entry), ...python.steps];
  const streams = [...node.streams.map(({ entry }) => entry), ...python.streams];
  const included = await includedFiles(root, [
    ...node.steps.map(({ entry, config }) => ({ file: entry.file, patterns: config.includeFiles ?? [] })),
    ...Object.entries(python.includeFiles).map(([file, patterns]) => ({ file, patterns })),
  ]);
  refuse([
    ...[...node.failures, ...python.failures].map(toProblem),
    ...findProblems(steps, streams),
    ...included.problems,
  ]);
  await copy(root, join(draft, FILES_FOLDER), included.files);

  const sources = await hashFiles(root, [...inputs, ...files.all, ...included.files]);
  const { id } = bundle;
  const lock = lockText({ motia: ownPackage().version, bundle: id, config, steps, streams, moduleOf, sources });
  await writeFile(join(draft, LOCK_FILE), lock);
  return { steps: steps.length, streams: streams.length, warnings: node.warnings };
}

/** `inputs`: all files that modules are made of. */
async function compile(
  draft: string,
  root: string,
  entries: string[],
): Promise<{ compiled: Compiled; inputs: Set<string> }> {
  const folder = join(draft, MODULES_FOLDER);
  const compiler = new TolerantCompiler(root, folder, join(draft, FILES_FOLDER));
  try {
    const { compiled, failures } = await compiler.compile(entries);
    refuse(
      failures.map((failure) => ({ ...toProblem(failure), message: `Build error: ${toProblem(failure).message}` })),
    );
    if (compiled === undefined) throw new MotiaError('PROJECT_INVALID', 'Build error: nothing could be compiled');
    for (const { path, contents } of compiled.outputs) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), contents);
    }
    const inputs = [...entries.flatMap((file) => compiled.graph.inputsOf(file)), 'tsconfig.json'];
    return { compiled, inputs: new Set(inputs) };
  } finally {
    await compiler.close();
  }
}

function refuse(problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  throw new MotiaError('PROJECT_INVALID', `Project contains invalid steps:\n${describeProblems(problems)}`);
}

async function copy(root: string, to: string, files: readonly string[]): Promise<void> {
  for (const file of files) {
    if (existsSync(join(root, file))) await cp(join(root, file), join(to, file), { dereference: true });
  }
}

/** The lock file goes first and comes last: without it there is no build. What else is in the folder stays. */
async function replaceBuild(folder: string, draft: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await rm(join(folder, LOCK_FILE), { force: true });
  for (const part of [MODULES_FOLDER, FILES_FOLDER]) {
    await rm(join(folder, part), { recursive: true, force: true });
    if (existsSync(join(draft, part))) await rename(join(draft, part), join(folder, part));
  }
  await rename(join(draft, LOCK_FILE), join(folder, LOCK_FILE));
}
