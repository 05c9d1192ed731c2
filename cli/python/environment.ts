/** The Python interpreter that runs a project's Python steps, with the packages that it takes. */
import { realpath } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { withFileLock } from '../file-lock.ts';
import { LOCK_WAIT_MS, linkPackage, prepareProjectVenv, VENV_FOLDER } from './project-venv.ts';
import { workerFiles, workerRequirements } from './requirements.ts';
import {
  type Details,
  findInstaller,
  type Interpreter,
  inspectPython,
  PythonError,
  shown,
  venvPython,
} from './toolchain.ts';

export interface PythonEnvironment {
  /** Absolute path of the interpreter. */
  python: string;
  /** From `MOTIA_PYTHON`, from an activated virtual environment, or the project's own in `python_modules`. */
  source: 'configured' | 'activated' | 'project';
  version: string;
}

export interface PythonOptions {
  /** The project's folder. */
  root: string;
  /** The folder where it says what it requires. Default: `root`. */
  requirements?: string;
  /** `MOTIA_PYTHON`: path of an interpreter, or the name of one on `PATH`. When set, nothing else is tried. */
  configured?: string;
  /** `VIRTUAL_ENV`: folder of an activated virtual environment. */
  virtualEnv?: string;
  /** Folders of `PATH`. */
  searchPath: readonly string[];
  /** Traces are exported, which takes more packages. */
  needsTracing: boolean;
  /** Told one line about anything that may take longer than a second. */
  progress: (line: string) => void;
  details?: Details;
}

/**
 * Finds the interpreter, and makes or updates the project's virtual environment if that is the one. When nothing has
 * changed since the last time, that one is had in a few milliseconds, without the network and without a process.
 *
 * @throws PythonError that says in one message why Python steps cannot run.
 */
export async function preparePythonEnvironment(options: PythonOptions): Promise<PythonEnvironment> {
  return environment(options).catch((error: NodeJS.ErrnoException) => {
    const isOfTheSystem = error.code !== undefined; // a full disk, a folder that may not be written
    throw isOfTheSystem ? new PythonError(`The Python environment cannot be prepared: ${error.message}`) : error;
  });
}

async function environment(options: PythonOptions): Promise<PythonEnvironment> {
  const { root, configured, virtualEnv, searchPath } = options;
  if (configured !== undefined) return configuredEnvironment(configured, options);
  const own = await realFolder(join(root, VENV_FOLDER));
  if (virtualEnv !== undefined && (await realFolder(virtualEnv)) !== own) {
    const activated = await activatedEnvironment(virtualEnv, options);
    if (activated) return activated;
  }
  // An environment cannot be made by the interpreter in it, which is on PATH when it is activated.
  const elsewhere: string[] = [];
  for (const folder of searchPath) {
    if (!`${await realFolder(folder)}/`.startsWith(`${own}/`)) elsewhere.push(folder);
  }
  return { ...(await prepareProjectVenv({ ...options, searchPath: elsewhere })), source: 'project' };
}

/** Nothing is installed into an interpreter that somebody else has set up. */
async function configuredEnvironment(configured: string, options: PythonOptions): Promise<PythonEnvironment> {
  const { root, needsTracing } = options;
  const isName = !/[\\/]/.test(configured);
  const program = isName || isAbsolute(configured) ? configured : resolve(root, configured);
  const found = await inspectPython(program, await workerRequirements(needsTracing)).catch((error: Error) => {
    throw new PythonError(`MOTIA_PYTHON cannot be used: ${error.message}.`);
  });
  if (found.missing.length > 0) {
    const files = workerFiles(needsTracing).flatMap((file) => ['-r', file]);
    throw new PythonError(
      `MOTIA_PYTHON is ${configured} (Python ${found.version}), which lacks what the worker needs: ` +
        `${found.missing.join(', ')}. Install it with\n  ${shown(found.path, '-m', 'pip', 'install', ...files)}`,
    );
  }
  return { python: found.path, version: found.version, source: 'configured' };
}

/** @returns `undefined` when the environment is gone, as it is when its folder was removed and the shell is still open. */
async function activatedEnvironment(folder: string, options: PythonOptions): Promise<PythonEnvironment | undefined> {
  const { root, needsTracing, searchPath, progress, details } = options;
  const python = venvPython(folder);
  const wanted = await workerRequirements(needsTracing);
  let found: Interpreter;
  try {
    found = await inspectPython(python, wanted);
  } catch (error) {
    progress(`VIRTUAL_ENV cannot be used: ${(error as Error).message}. Using ${VENV_FOLDER} instead.`);
    return undefined;
  }
  if (found.missing.length > 0) {
    await withFileLock(join(folder, '.motia.lock'), LOCK_WAIT_MS, async () => {
      const { missing } = await inspectPython(python, wanted);
      if (missing.length === 0) return; // another process was faster
      progress(`Installing what the Python worker needs into ${folder}: ${missing.join(', ')} …`);
      const installer = await findInstaller(searchPath, details);
      await installer.install(
        python,
        workerFiles(needsTracing).flatMap((file) => ['-r', file]),
        root,
      );
    });
  }
  await linkPackage(found.sitePackages);
  return { python: found.path, version: found.version, source: 'activated' };
}

/** Without symbolic links, as far as it exists. */
async function realFolder(folder: string): Promise<string> {
  return realpath(folder).catch(() => resolve(folder));
}
