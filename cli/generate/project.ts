/** What steps and streams a project has, in all languages, found out without a broker. */
import { join } from 'node:path';
import { MotiaError } from '../../shared/errors.ts';
import { StepBundler } from '../../shared/steps/bundle.ts';
import { discoverSteps } from '../../shared/steps/discover.ts';
import { loadBundle } from '../../shared/steps/load.ts';
import type { StepEntry, StreamEntry } from '../../shared/steps/manifest.ts';
import { mergeSteps, mergeStreams } from '../../shared/steps/merge.ts';
import type { JsonSchema } from '../../shared/types.ts';
import type { CommandOptions } from '../options.ts';
import { prepareProjectEnvironment } from '../python/project-environment.ts';
import { pythonPath } from '../python/requirements.ts';
import { runProgram } from '../run-program.ts';
import { sayIfSlow } from '../say-if-slow.ts';

/** A project as data. */
export interface DescribedProject {
  app: string;
  steps: StepEntry[];
  streams: StreamEntry[];
  /** `motia.config` says who the clients of streams are. */
  streamAuth: boolean;
  /** What `streamAuth` finds out about a client. */
  authContext?: JsonSchema | undefined;
}

interface Described {
  steps: StepEntry[];
  streams: StreamEntry[];
  authContext?: JsonSchema | undefined;
  failures: { file: string; message: string }[];
}

interface DescribedPython extends Described {
  /** By file: what its config names there. */
  includeFiles: Record<string, string[]>;
}

const DESCRIBE_MS = 60_000;
const MOST_OUTPUT = 64 * 1024 * 1024;

/** @throws {MotiaError} `PROJECT_INVALID` that names every file which cannot be compiled or loaded. */
export async function describeProject(options: CommandOptions): Promise<DescribedProject> {
  const described = Promise.all([describeNode(options), describePython(options)]);
  const [node, python] = await sayIfSlow('Compiling and loading the steps …', described);
  const failures = [...node.failures, ...python.failures];
  if (failures.length > 0) {
    const lines = failures.map(({ message }) => message).join('\n');
    throw new MotiaError('PROJECT_INVALID', `the project cannot be read:\n${lines}`);
  }
  return {
    app: options.app,
    steps: mergeSteps(node.steps, python.steps, 'python').steps,
    streams: mergeStreams(node.streams, python.streams, 'python').streams,
    streamAuth: node.streamAuth,
    authContext: node.authContext,
  };
}

async function describeNode({ root, motiaDir }: CommandOptions): Promise<Described & { streamAuth: boolean }> {
  const bundler = new StepBundler({ root, outDir: join(motiaDir, 'generate') }); // beside that of `motia dev`
  try {
    const bundle = await bundler.build();
    const { steps, streams, settings, failures } = await loadBundle(bundle);
    return {
      steps: steps.map(({ entry }) => entry),
      streams,
      streamAuth: settings.streamAuth === true,
      authContext: settings.streamAuthContext,
      failures: [...bundle.failures, ...failures],
    };
  } finally {
    await bundler.close();
  }
}

/**
 * The Python steps and streams of a folder; of several that want one name or route, all are there.
 * @param root where they are; default: the project
 */
export async function describePython(options: CommandOptions, root = options.root): Promise<DescribedPython> {
  if (discoverSteps(root).python.length === 0) return { steps: [], streams: [], failures: [], includeFiles: {} };
  const { python } = await prepareProjectEnvironment(options);
  const { stdout, said, failure } = await runProgram(python, ['-m', 'motia.steps'], {
    cwd: root,
    timeout: DESCRIBE_MS,
    keep: MOST_OUTPUT,
    env: { PYTHONPATH: pythonPath(), PYTHONHOME: undefined },
  });
  if (failure !== undefined) {
    throw new MotiaError('PROJECT_INVALID', `the Python steps cannot be read (${failure}):\n${said.trim()}`);
  }
  return JSON.parse(stdout);
}
