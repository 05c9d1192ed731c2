/** What has to be installed for Python steps: the worker's own requirements and those of the project. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import { childEnvironment } from '../../shared/config.ts';
import { PACKAGE_ROOT } from '../../shared/package-root.ts';

/** A package that the worker needs, with the versions that it works with: `from` and newer, older than `below`. */
export interface WorkerRequirement {
  name: string;
  from: string;
  below: string;
}

/** Where a project says what it requires. Only one of the two is read; `requirements.txt` comes first. */
export type ProjectRequirementsFile = 'requirements.txt' | 'pyproject.toml';

export interface RequirementTexts {
  /** Changes with any text that says what is required, files that are included with `-r` and `-c` among them. */
  fingerprint: string;
  projectFile?: ProjectRequirementsFile;
  /** Absolute paths of the project's texts. */
  files: string[];
  /** A requirement has a `--hash`: pip then refuses every requirement that has none. */
  hashed: boolean;
}

/** The folder of the Python package `motia`, beside `dist` in this npm package. */
export const PACKAGE_FOLDER = join(PACKAGE_ROOT, 'python-worker');

const REQUIREMENTS = join(PACKAGE_FOLDER, 'requirements.txt');
const TRACING_REQUIREMENTS = join(PACKAGE_FOLDER, 'requirements-otel.txt');

/** The value of `PYTHONPATH` for the worker: the package's folder, then what was set before. */
export function pythonPath(current = childEnvironment({}).PYTHONPATH): string {
  return current ? `${PACKAGE_FOLDER}${delimiter}${current}` : PACKAGE_FOLDER;
}

/** The worker's requirement files. */
export const workerFiles = (tracing: boolean): readonly string[] =>
  tracing ? [REQUIREMENTS, TRACING_REQUIREMENTS] : [REQUIREMENTS];

/** The requirements in {@link workerFiles} that concern this platform. */
export async function workerRequirements(tracing: boolean): Promise<WorkerRequirement[]> {
  const texts = await Promise.all(workerFiles(tracing).map((file) => readFile(file, 'utf8')));
  const lines = texts.flatMap((text) => text.split('\n'));
  return lines.flatMap((line) => {
    const [, name, from, below, marker] = /^([\w-]+)>=([\d.]+),<([\d.]+)(;.*)?/.exec(line) ?? [];
    const isElsewhere = process.platform === 'win32' && marker?.includes('!= "win32"');
    return name && from && below && !isElsewhere ? [{ name, from, below }] : [];
  });
}

/** Reads what the worker and the project in `root` require. A file that is missing is left to the installer to report. */
export async function readRequirements(root: string): Promise<RequirementTexts> {
  const texts: string[] = [];
  for (const file of workerFiles(true)) texts.push(await readFile(file, 'utf8'));
  const included = await withIncluded(join(root, 'requirements.txt'));
  const projectTexts = [...included.values()];
  let projectFile: ProjectRequirementsFile | undefined = projectTexts.length > 0 ? 'requirements.txt' : undefined;
  if (projectFile === undefined) {
    const text = await textOf(join(root, 'pyproject.toml'));
    if (text !== undefined) {
      projectFile = 'pyproject.toml';
      projectTexts.push(text);
      included.set(join(root, 'pyproject.toml'), text);
    }
  }
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([texts, projectFile, projectTexts]))
    .digest('hex');
  const files = [...included.keys()];
  return { fingerprint, projectFile, files, hashed: projectTexts.some((text) => /\s--hash[=\s]/.test(text)) };
}

/** The texts of a requirement file and of those that it includes, by their paths, in the order of their appearance. */
async function withIncluded(path: string, texts = new Map<string, string>()): Promise<Map<string, string>> {
  const text = texts.has(path) ? undefined : await textOf(path);
  if (text === undefined) return texts;
  texts.set(path, text);
  for (const [, name = ''] of text.matchAll(/^\s*(?:-r|-c|--requirement|--constraint)[=\s]*(\S+)/gm)) {
    await withIncluded(resolve(dirname(path), name), texts);
  }
  return texts;
}

async function textOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}
