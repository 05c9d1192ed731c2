/**
 * The project's virtual environment in `python_modules`: made once, and updated when what is required has changed.
 *
 * A stamp in it says what it holds. It is taken away before anything is changed and written when all is done, so an
 * environment that a crash has left half made has none, and is made anew. It is made in its place rather than aside:
 * its scripts contain their own path.
 */
import { access, mkdir, readdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { withFileLock } from '../file-lock.ts';
import type { PythonEnvironment, PythonOptions } from './environment.ts';
import { PACKAGE_FOLDER, type RequirementTexts, readRequirements, workerFiles } from './requirements.ts';
import {
  findInstaller,
  findPython,
  type Interpreter,
  inspectPython,
  PythonError,
  pyprojectDependencies,
  venvPython,
} from './toolchain.ts';

/** Within the project's folder. */
export const VENV_FOLDER = 'python_modules';

/** Longer than it takes to make an environment, or to give up. */
export const LOCK_WAIT_MS = 1_500_000;

const STAMP = '.motia.json';
const LOCK = '.motia.lock';
const PLATFORM = `${process.platform}-${process.arch}`;

/** What an environment holds, as its stamp says. */
interface Stamp {
  /** {@link RequirementTexts.fingerprint} of what is installed. */
  requirements: string;
  /** The packages for exporting traces are installed too. */
  tracing: boolean;
  version: string;
  /** Where the environment's interpreter really is: with another one, the packages are not found or do not fit. */
  interpreter: string;
  platform: string;
  /** Folder of the packages, within the environment. */
  sitePackages: string;
}

type VenvOptions = Pick<
  PythonOptions,
  'root' | 'requirements' | 'searchPath' | 'needsTracing' | 'progress' | 'details'
>;
type Ready = Pick<PythonEnvironment, 'python' | 'version'>;

/** @throws PythonError that says in one message why the environment is not there. */
export async function prepareProjectVenv(options: VenvOptions): Promise<Ready> {
  const { root, requirements = root, needsTracing, progress } = options;
  const folder = join(root, VENV_FOLDER);
  const texts = await readRequirements(requirements);
  const ready = await readyVenv(folder, texts, needsTracing);
  if (ready) return ready;

  await mkdir(folder, { recursive: true });
  const prepare = async () => {
    const madeByAnother = await readyVenv(folder, texts, needsTracing);
    if (madeByAnother) return madeByAnother;
    const startedAt = performance.now();
    const stamp = (await updatableVenv(folder)) ?? (await makeVenv(folder, options));
    await install(folder, stamp, texts, options);
    progress(`The Python environment is ready after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
    return { python: venvPython(folder), version: stamp.version };
  };
  const onWait = () => progress(`Another process prepares ${VENV_FOLDER}, waiting for it …`);
  return withFileLock(join(folder, LOCK), LOCK_WAIT_MS, prepare, onWait);
}

/** The environment if it holds what is wanted; found out without a process, since this is what happens at nearly every start. */
async function readyVenv(folder: string, texts: RequirementTexts, tracing: boolean): Promise<Ready | undefined> {
  const stamp = await readStamp(folder);
  const isFilled = stamp?.requirements === texts.fingerprint && (stamp.tracing || !tracing);
  if (!isFilled || !(await isWhole(folder, stamp))) return undefined;
  await linkPackage(join(folder, stamp.sitePackages));
  return { python: venvPython(folder), version: stamp.version };
}

/** The stamp of an environment that packages can be added to. One without a stamp was made by somebody else, and will do. */
async function updatableVenv(folder: string): Promise<Stamp | undefined> {
  const stamp = await readStamp(folder);
  if (stamp ? !(await isWhole(folder, stamp)) : await exists(join(folder, STAMP))) return undefined;
  const found = await inspectPython(venvPython(folder)).catch(() => undefined);
  const current = found && (await unfilled(folder, found));
  return current && stamp ? { ...current, tracing: stamp.tracing } : current;
}

async function makeVenv(folder: string, { searchPath, progress, details }: VenvOptions): Promise<Stamp> {
  const python = await findPython(searchPath);
  const installer = await findInstaller(searchPath, details);
  const others = (await readdir(folder)).filter((name) => name !== LOCK && name !== STAMP);
  const isOurs = others.length === 0 || others.includes('pyvenv.cfg') || (await exists(join(folder, STAMP)));
  if (!isOurs) {
    throw new PythonError(
      `${folder} is not a virtual environment. Move it away: the packages of Python steps are kept in a folder of that name.`,
    );
  }
  progress(`Making the Python environment ${VENV_FOLDER} (Python ${python.version}, ${installer.name}) …`);
  await removeStamp(folder);
  await Promise.all(others.map((name) => rm(join(folder, name), { recursive: true, force: true })));
  await installer.makeVenv(python.path, folder);
  const made = await unfilled(folder, await inspectPython(venvPython(folder)));
  if (made === undefined) throw new PythonError(`${python.path} did not make a virtual environment in ${folder}`);
  return made;
}

/** Installs what is required, all in one go, so that requirements that exclude each other are noticed. */
async function install(folder: string, stamp: Stamp, texts: RequirementTexts, options: VenvOptions): Promise<void> {
  const { root, requirements = root, searchPath, needsTracing, progress, details } = options;
  const tracing = needsTracing || stamp.tracing;
  const python = venvPython(folder);
  const ofWorker = workerFiles(tracing).flatMap((file) => ['-r', file]);
  progress('Installing Python requirements …');
  const installer = await findInstaller(searchPath, details);
  await removeStamp(folder);
  try {
    const ofProject = await projectRequirements(requirements, texts, python);
    // Among hashed requirements none without a hash is allowed, and those of the worker have none.
    for (const wanted of texts.hashed ? [ofProject, ofWorker] : [[...ofWorker, ...ofProject]]) {
      await installer.install(python, wanted, requirements);
    }
  } catch (error) {
    await writeStamp(folder, { ...stamp, requirements: '' }); // to be tried again in the same environment
    throw error;
  }
  await linkPackage(join(folder, stamp.sitePackages));
  await writeStamp(folder, { ...stamp, requirements: texts.fingerprint, tracing });
}

async function projectRequirements(
  folder: string,
  { projectFile }: RequirementTexts,
  python: string,
): Promise<string[]> {
  if (projectFile === 'requirements.txt') return ['-r', projectFile];
  return projectFile ? pyprojectDependencies(python, join(folder, projectFile)) : [];
}

/** Lets editors and scripts find the package `motia`, which lives in the npm package. The worker has it on `PYTHONPATH`. */
export async function linkPackage(sitePackages: string): Promise<void> {
  const file = join(sitePackages, 'motia.pth');
  const text = `${PACKAGE_FOLDER}\n`;
  const current = await readFile(file, 'utf8').catch(() => undefined);
  if (current !== text) await writeFile(file, text).catch(() => {}); // may be in an image that is only read
}

/** The stamp of an environment about whose packages nothing is known; `undefined` when it is not one of its own. */
async function unfilled(folder: string, found: Interpreter): Promise<Stamp | undefined> {
  const interpreter = await realpath(venvPython(folder));
  const sitePackages = relative(await realpath(folder), await realpath(found.sitePackages));
  if (sitePackages.startsWith('..')) return undefined;
  return { requirements: '', tracing: false, version: found.version, interpreter, platform: PLATFORM, sitePackages };
}

async function isWhole(folder: string, stamp: Stamp): Promise<boolean> {
  const interpreter = await realpath(venvPython(folder)).catch(() => undefined);
  const parts = await Promise.all([exists(join(folder, 'pyvenv.cfg')), exists(join(folder, stamp.sitePackages))]);
  return interpreter === stamp.interpreter && stamp.platform === PLATFORM && parts.every(Boolean);
}

async function readStamp(folder: string): Promise<Stamp | undefined> {
  try {
    const stamp: Partial<Stamp> = JSON.parse(await readFile(join(folder, STAMP), 'utf8'));
    return typeof stamp.requirements === 'string' ? (stamp as Stamp) : undefined;
  } catch {
    return undefined;
  }
}

/** Leaves an empty one, by which an environment that is half made is told from one that somebody else has made. */
async function removeStamp(folder: string): Promise<void> {
  await writeFile(join(folder, STAMP), '{}\n');
}

async function writeStamp(folder: string, stamp: Stamp): Promise<void> {
  const next = join(folder, `${STAMP}.next`);
  await writeFile(next, `${JSON.stringify(stamp, undefined, 2)}\n`);
  await rename(next, join(folder, STAMP));
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
