/** The folder of compiled modules. Their names carry a hash of their content, so each build adds only what is new. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** A file to write; `path` is relative to the folder and names its content. */
export interface OutputFile {
  path: string;
  contents: Uint8Array;
}

/** Builds whose files stay: threads that still drain may import from an earlier one. */
const KEPT_BUILDS = 5;
/** Files that no build of this process made may belong to another one, but not after this time. */
const FOREIGN_FILE_MS = 24 * 60 * 60 * 1000;

export class OutputFolder {
  readonly path: string;
  /** Paths per build, newest first. */
  readonly #builds: Set<string>[] = [];
  #cleaned = false;

  /** @param path absolute; made when the first file is written */
  constructor(path: string) {
    this.path = path;
  }

  /** Writes what is not there yet, and removes what only builds of long ago need. */
  async write(files: readonly OutputFile[]): Promise<void> {
    // Synchronous: a few small files, which would take six times as long through the thread pool.
    for (const { path, contents } of files) {
      const target = join(this.path, path);
      // The name stands for the content; another length is what a process left that ended halfway.
      if (statSync(target, { throwIfNoEntry: false })?.size === contents.length) continue;
      mkdirSync(dirname(target), { recursive: true });
      const draft = `${target}.${randomUUID()}.tmp`; // tests side by side build the same project, and load what is there
      writeFileSync(draft, contents);
      renameSync(draft, target);
    }
    this.keep(files.map(({ path }) => path));
    for (const old of this.#builds.splice(KEPT_BUILDS)) await this.#removeUnused(old);
    if (!this.#cleaned) await this.#removeForeign();
    this.#cleaned = true;
  }

  /** Counts files that are there already as the newest build. */
  keep(paths: readonly string[]): void {
    const [newest] = this.#builds;
    if (newest?.size === paths.length && paths.every((path) => newest.has(path))) return;
    this.#builds.unshift(new Set(paths));
  }

  async #removeUnused(old: ReadonlySet<string>): Promise<void> {
    const unused = [...old].filter((path) => !this.#isUsed(path));
    await Promise.all(unused.map((path) => rm(join(this.path, path), { force: true })));
  }

  async #removeForeign(): Promise<void> {
    const names = await readdir(this.path, { recursive: true }).catch(() => []);
    for (const name of names) {
      if (!/\.(mjs|tmp)$/.test(name) || this.#isUsed(name.replaceAll('\\', '/'))) continue;
      const path = join(this.path, name);
      const modified = (await stat(path).catch(() => undefined))?.mtimeMs ?? 0;
      if (modified < Date.now() - FOREIGN_FILE_MS) await rm(path, { force: true });
    }
  }

  #isUsed(path: string): boolean {
    return this.#builds.some((build) => build.has(path));
  }
}
