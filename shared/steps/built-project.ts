/** What `motia build` has made of a project, in `dist/`: it is served from there without its sources and without a compiler. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MotiaError } from '../errors.ts';
import { parseJson } from '../json-values.ts';
import { ownPackage } from '../package-root.ts';
import * as z from '../zod.ts';
import { type Bundle, StepBundler } from './bundle.ts';
import { BUILD_FOLDER, FILES_FOLDER, LOCK_FILE } from './paths.ts';

export const LOCK_FORMAT = 1;

const part = z.looseObject({
  /** Source file, relative to the project, with `/`. */
  filePath: z.string(),
  language: z.enum(['node', 'python']),
});

const lockSchema = z.object({
  format: z.number(),
  /** Version of the framework that has built it. */
  motia: z.string(),
  /** Stands for the content of the compiled modules. */
  bundle: z.string(),
  /** The compiled `motia.config`, relative to the folder. */
  config: z.optional(z.string()),
  /** By the path of what is served of each, relative to the folder. */
  steps: z.record(z.string(), part),
  /** By name. */
  streams: z.record(z.string(), z.extend(part, { bundlePath: z.string() })),
  /** SHA-256 of every file that it was made from, by its path in the project. */
  sources: z.record(z.string(), z.string()),
});

export type Lock = z.infer<typeof lockSchema>;

/** From the files of a project to what can be loaded, by compiling them or from what was built. */
export type ProjectCode = Pick<StepBundler, 'build' | 'revert' | 'confirm' | 'close'>;

/**
 * @param options.built absolute path of the folder that `motia build` has made; without it the sources are compiled
 */
export function openProject(options: { root: string; motiaDir: string; built?: string | undefined }): ProjectCode {
  const { root, motiaDir, built } = options;
  return built === undefined ? new StepBundler({ root, outDir: join(motiaDir, 'build') }) : builtProject(root, built);
}

/** Where the Python steps of a project are, and what they require. */
export const pythonFolder = (root: string, built: string | undefined): string =>
  built === undefined ? root : join(built, FILES_FOLDER);

/** @returns `undefined` when there is none, or one that some other program has made. @throws {MotiaError} `BUILD_UNUSABLE` */
export async function readLock(built: string): Promise<Lock | undefined> {
  const text = await readFile(join(built, LOCK_FILE), 'utf8').catch(() => undefined);
  const json = text === undefined ? undefined : parseJson(text);
  if (typeof json !== 'object' || json === null || !('format' in json)) return undefined;
  const lock = lockSchema.safeParse(json).data;
  if (lock?.format === LOCK_FORMAT && lock.motia === ownPackage().version) return lock;
  throw new MotiaError(
    'BUILD_UNUSABLE',
    `${BUILD_FOLDER}/ was built by motia ${lock?.motia ?? 'of another version'}, and this is ${ownPackage().version}: run motia build again`,
  );
}

/** It never changes, so there is nothing to go back to. */
function builtProject(root: string, built: string): ProjectCode {
  const build = () => readBundle(root, built);
  return { build, revert: build, confirm: () => {}, close: async () => {} };
}

async function readBundle(root: string, built: string): Promise<Bundle> {
  const lock = await readLock(built);
  if (lock === undefined)
    throw new MotiaError('BUILD_UNUSABLE', `there is no ${LOCK_FILE} in ${built}: run motia build`);
  const modules = [
    ...Object.entries(lock.steps).map(([bundlePath, step]) => ({ ...step, bundlePath })),
    ...Object.values(lock.streams),
  ].filter(({ language }) => language === 'node');
  return {
    id: lock.bundle,
    root,
    entries: modules.map(({ filePath, bundlePath }) => ({
      file: filePath,
      output: join(built, bundlePath),
      inputs: [filePath],
    })),
    ...(lock.config !== undefined && { config: join(built, lock.config) }),
    inputs: [],
    failures: [],
  };
}
