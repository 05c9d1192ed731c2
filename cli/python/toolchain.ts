/** The Python programs of this machine: finds an interpreter, and makes virtual environments and fills them with uv or pip. */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { CliError } from '../cli-error.ts';
import { runProgram } from '../run-program.ts';
import { PACKAGE_FOLDER, type WorkerRequirement } from './requirements.ts';

/** No Python step can run. The message says why and what to do; steps in other languages are not concerned. */
export class PythonError extends CliError {}

export interface Interpreter {
  /** Absolute path. */
  path: string;
  version: string;
  /** Folder that pip installs into. */
  sitePackages: string;
  /** Names of the asked requirements that are not installed, or in a version that does not fit. */
  missing: readonly string[];
}

/** Makes virtual environments and installs packages into them. */
export interface Installer {
  name: 'uv' | 'pip';
  /** Into a folder that may exist. @throws PythonError with the last lines of what the program said. */
  makeVenv(python: string, folder: string): Promise<void>;
  /** @param requirements as on pip's command line. @throws PythonError with the last lines of what the program said. */
  install(python: string, requirements: readonly string[], cwd: string): Promise<void>;
}

export const OLDEST_PYTHON = '3.10';

const isWindows = process.platform === 'win32';
const NAMES = ['python3.13', 'python3.12', 'python3.11', 'python3.10', 'python3', 'python'];
const INSPECT_MS = 20_000;
const INSTALL_MS = 600_000;
/** What is shown of the output of a program that failed. */
const SHOWN_LINES = 15;

/** Settings with which a virtual environment would not be what is made, or not what is installed into. */
const NEUTRAL = {
  PYTHONHOME: undefined,
  PYTHONPATH: undefined,
  VIRTUAL_ENV: undefined,
  UV_SYSTEM_PYTHON: undefined,
  PIP_TARGET: undefined,
  PIP_PREFIX: undefined,
  PIP_USER: '0',
};

/** Also understood by Python 2, so that a program that is too old can say its version. */
const INSPECTION = `
import json, re, sys
def numbers(version):
    return [int(part) for part in re.findall(r"\\d+", version)[:3]]
def fits(name, oldest, below):
    from importlib.metadata import version
    try:
        return numbers(oldest) <= numbers(version(name)) < numbers(below)
    except Exception:
        return False
answer = {"version": "%d.%d.%d" % sys.version_info[:3], "path": sys.executable}
if sys.version_info >= (3, 10):
    import sysconfig
    answer["sitePackages"] = sysconfig.get_path("purelib")
    answer["missing"] = [name for name, oldest, below in json.loads(sys.argv[1]) if not fits(name, oldest, below)]
print(json.dumps(answer))
`;

const DEPENDENCIES = `
import json, sys
try:
    import tomllib
except ImportError:
    try:
        import tomli as tomllib
    except ImportError:
        from pip._vendor import tomli as tomllib
with open(sys.argv[1], "rb") as file:
    try:
        print(json.dumps(tomllib.load(file).get("project", {}).get("dependencies", [])))
    except tomllib.TOMLDecodeError as error:
        sys.exit(str(error))
`;

/** Where the interpreter of a virtual environment is. */
export const venvPython = (folder: string): string =>
  isWindows ? join(folder, 'Scripts', 'python.exe') : join(folder, 'bin', 'python');

/**
 * Runs an interpreter and asks about it.
 *
 * @throws PythonError that says of `program` that it does not run or is too old.
 */
export async function inspectPython(
  program: string,
  requirements: readonly WorkerRequirement[] = [],
): Promise<Interpreter> {
  const wanted = requirements.map(({ name, from, below }) => [name, from, below]);
  const args = ['-c', INSPECTION, JSON.stringify(wanted)];
  // The package's folder, because the one in which `-c` runs comes first in the search for modules.
  const env = { PYTHONHOME: undefined };
  const { failure, stdout } = await runProgram(program, args, { cwd: PACKAGE_FOLDER, timeout: INSPECT_MS, env });
  if (failure !== undefined) throw new PythonError(`${program} does not run (${failure})`);
  const answer = lastJson<Interpreter>(stdout);
  if (answer === undefined) throw new PythonError(`${program} does not answer as a Python interpreter does`);
  if (!isNewEnough(answer.version)) {
    throw new PythonError(`${program} is Python ${answer.version}, and ${OLDEST_PYTHON} or newer is needed`);
  }
  return { ...answer, path: answer.path || program };
}

/**
 * The first interpreter on `PATH` that runs and is new enough; exact versions come before `python3` and `python`.
 *
 * @throws PythonError that lists what was tried.
 */
export async function findPython(searchPath: readonly string[]): Promise<Interpreter> {
  const tried: string[] = [];
  for (const program of await programs(NAMES, searchPath)) {
    try {
      return await inspectPython(program);
    } catch (error) {
      tried.push(`\n  - ${(error as Error).message}`);
    }
  }
  throw new PythonError(
    `Python ${OLDEST_PYTHON} or newer is needed for Python steps, and PATH has none.${tried.join('')}\n` +
      'Install it (https://www.python.org/downloads) so that it is on PATH, or set MOTIA_PYTHON to the path of one that ' +
      'has the packages that the worker needs.',
  );
}

/** Told what an installer says. Without one, that is shown only when it fails. */
export type Details = ((text: string) => void) | undefined;

/** uv if it is on `PATH` and runs, because it is many times faster; else what comes with Python. */
export async function findInstaller(searchPath: readonly string[], details?: Details): Promise<Installer> {
  for (const program of await programs(['uv'], searchPath)) {
    const { failure } = await runProgram(program, ['--version'], { timeout: INSPECT_MS });
    if (failure === undefined) return uv(program, details);
  }
  return pip(details);
}

/**
 * The `dependencies` of the `project` table of a `pyproject.toml`, read by Python's own TOML reader.
 *
 * @throws PythonError when the file cannot be read as TOML, or is not as its specification says.
 */
export async function pyprojectDependencies(python: string, path: string): Promise<string[]> {
  const args = ['-c', DEPENDENCIES, path];
  const { failure, stdout, said } = await runProgram(python, args, {
    cwd: PACKAGE_FOLDER,
    timeout: INSPECT_MS,
    env: NEUTRAL,
  });
  if (failure !== undefined) throw new PythonError(`${path} cannot be read: ${lastLines(said, 1) || failure}`);
  const dependencies = lastJson<unknown>(stdout);
  const isList = Array.isArray(dependencies) && dependencies.every((entry) => typeof entry === 'string');
  if (!isList) throw new PythonError(`${path}: project.dependencies has to be a list of strings`);
  return dependencies;
}

/** A command line for people to copy. */
export function shown(...parts: readonly string[]): string {
  return parts.map((part) => (/^[\w@%+=:,./\\-]+$/.test(part) ? part : `"${part.replaceAll('"', '\\"')}"`)).join(' ');
}

const quiet = (details: Details): string[] => (details ? [] : ['--quiet']);

const pip = (details: Details): Installer => ({
  name: 'pip',
  makeVenv: (python, folder) => runTool('Making the Python environment', python, ['-m', 'venv', folder], { details }),
  install: (python, requirements, cwd) => {
    const args = ['-m', 'pip', 'install', ...quiet(details), '--disable-pip-version-check', '--no-input'];
    return runTool('Installing Python requirements', python, [...args, ...requirements], { cwd, details });
  },
});

const uv = (program: string, details: Details): Installer => ({
  name: 'uv',
  makeVenv: (python, folder) => {
    // With pip in it, for people and for the day when uv is gone.
    const args = ['venv', ...quiet(details), '--seed', '--allow-existing', '--no-project', '--python', python, folder];
    return runTool('Making the Python environment', program, args, { details });
  },
  install: (python, requirements, cwd) => {
    const args = ['pip', 'install', ...quiet(details), '--python', python, ...requirements];
    return runTool('Installing Python requirements', program, args, { cwd, details });
  },
});

async function runTool(
  what: string,
  program: string,
  args: readonly string[],
  { cwd, details }: { cwd?: string; details: Details },
): Promise<void> {
  const onOutput = details && ((text: string) => details(withoutLogins(text.trimEnd())));
  const { failure, said } = await runProgram(program, args, { cwd, timeout: INSTALL_MS, env: NEUTRAL, onOutput });
  if (failure === undefined) return;
  const message = `${what} failed (${failure}):\n${lastLines(said, SHOWN_LINES)}\nThe command was: ${shown(program, ...args)}`;
  throw new PythonError(withoutLogins(message));
}

/** The paths of the programs on `PATH` that have one of these names, in the order of the names. */
async function programs(names: readonly string[], searchPath: readonly string[]): Promise<string[]> {
  const paths = names.flatMap((name) => searchPath.map((folder) => join(folder, isWindows ? `${name}.exe` : name)));
  const found = await Promise.all(
    paths.map((path) =>
      access(path, constants.X_OK).then(
        () => [path],
        () => [],
      ),
    ),
  );
  return found.flat();
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_PYTHON.split('.').map(Number);
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}

/** The JSON in the last line: before it may stand what `sitecustomize` prints. */
function lastJson<Value>(output: string): Value | undefined {
  try {
    return JSON.parse(lastLines(output, 1)) as Value;
  } catch {
    return undefined;
  }
}

const lastLines = (text: string, count: number): string => text.trimEnd().split('\n').slice(-count).join('\n');

/** Requirements and index addresses may have a login in them. */
const withoutLogins = (text: string): string => text.replace(/:\/\/[^/@\s]+@/g, '://…@');
