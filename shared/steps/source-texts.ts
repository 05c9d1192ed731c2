/**
 * The texts of the project's source files as the bundler sees them: what is on disk, or the last version that loaded
 * fine, or, when a broken file never had one, an empty module.
 */
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import type { Loader, Plugin } from 'esbuild';
import { projectPath } from './paths.ts';
import { locationPrefix } from './source-location.ts';

const SOURCE_FILE = /\.([cm]?[jt]s|[jt]sx|json)$/;

/** Stands for a file that cannot be compiled. CommonJS, so that any named import links. */
const STUB = 'module.exports = {};';

/** All paths are absolute. */
export class SourceTexts {
  readonly #root: string;
  /** What the build under way uses, stubs left out. */
  #used = new Map<string, string>();
  /** What the last finished build used. */
  #built = new Map<string, string>();
  #good = new Map<string, string>();
  /** Texts that compiled but failed when loaded: the good one is used until the file changes again. */
  #reverted = new Map<string, string>();
  /** Files whose newest text is not used in this build. */
  #replaced = new Map<string, 'good' | 'stub'>();

  constructor(root: string) {
    this.#root = root;
  }

  /** Starts a build: every file gets another chance. */
  begin(): void {
    this.#replaced.clear();
    this.#used.clear();
  }

  /** The texts in use are those of a finished build. */
  finish(): void {
    this.#built = new Map(this.#used);
  }

  /** The texts of the last finished build, by path. */
  get built(): ReadonlyMap<string, string> {
    return this.#built;
  }

  /** Remembers a text that was used without reading it through the bundler. */
  use(path: string, text: string): void {
    this.#used.set(path, text);
  }

  /** The last finished build loaded fine. */
  confirm(): void {
    for (const [path, text] of this.#built) this.#good.set(path, text);
  }

  /** The newest text of the file fails when loaded. Nothing changes for a file that never had a good one. */
  revert(path: string): void {
    const bad = this.#built.get(path);
    const good = this.#good.get(path);
    if (bad !== undefined && good !== undefined && bad !== good) this.#reverted.set(path, bad);
  }

  /** Files that are served in their last good version because of {@link revert}. */
  get reverted(): Iterable<string> {
    return this.#reverted.keys();
  }

  /** Whether the build uses a text of the file that is newer than its good one. */
  hasChanged(path: string): boolean {
    const good = this.#good.get(path);
    return good !== undefined && this.#used.has(path) && this.#used.get(path) !== good;
  }

  /** Uses another text of the file in the next pass. */
  replace(path: string, by: 'good' | 'stub'): void {
    this.#replaced.set(path, by);
    this.#used.delete(path);
  }

  get hasStubs(): boolean {
    return [...this.#replaced.values()].includes('stub');
  }

  isStub(path: string): boolean {
    return this.#replaced.get(path) === 'stub';
  }

  /** Feeds esbuild from these texts. */
  readonly plugin: Plugin = {
    name: 'motia-sources',
    setup: (build) => {
      build.onLoad({ filter: SOURCE_FILE, namespace: 'file' }, ({ path }) => {
        const text = this.#textOf(path);
        if (text === undefined) return { contents: STUB, loader: 'js' };
        const prefix = locationPrefix(projectPath(this.#root, path), text);
        return {
          contents: prefix && text.startsWith('#!') ? `${prefix}//${text}` : prefix + text,
          loader: loaderOf(path),
        };
      });
    },
  };

  #textOf(path: string): string | undefined {
    const replacement = this.#replaced.get(path);
    if (replacement === 'stub') return undefined;
    // Synchronous, for small files it takes half the time, and esbuild asks for one file at a time.
    let text = replacement === 'good' ? undefined : readFileSync(path, 'utf8');
    if (text === undefined || text === this.#reverted.get(path)) text = this.#good.get(path) ?? '';
    else this.#reverted.delete(path);
    this.#used.set(path, text);
    return text;
  }
}

function loaderOf(path: string): Loader {
  return extname(path)
    .slice(1)
    .replace(/^[cm](?=[jt]s$)/, '') as Loader;
}
