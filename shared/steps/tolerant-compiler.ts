/** Compiles a project of which some files may be broken: what cannot be compiled is set aside, in as few files as can be. */
import { join } from 'node:path';
import type { StepFailure } from './bundle.ts';
import { type Compiled, Compiler, type SourceGraph } from './compiler.ts';
import { projectPath } from './paths.ts';
import { SourceTexts } from './source-texts.ts';

/** Every pass sets aside at least one file; projects break in few places at a time. */
const MAX_PASSES = 10;

/** Files are relative to the root, with `/`. */
export interface TolerantResult {
  /** Absent when no way was found to compile anything. */
  compiled?: Compiled;
  /** Entry points that work, in one version or another. */
  served: string[];
  /** Sorted by file. */
  failures: StepFailure[];
}

export class TolerantCompiler {
  readonly texts: SourceTexts;
  readonly #root: string;
  readonly #compiler: Compiler;
  /** Of the last compilation that succeeded. */
  #graph: SourceGraph | undefined;

  /** Parameters as those of {@link Compiler}. */
  constructor(root: string, outDir: string, home = root) {
    this.#root = root;
    this.texts = new SourceTexts(root);
    this.#compiler = new Compiler(root, outDir, this.texts.plugin, home);
  }

  async compile(files: readonly string[]): Promise<TolerantResult> {
    this.texts.begin();
    const broken = new Map<string, StepFailure>();
    const compiled = await this.#compileRest(files, broken);
    if (compiled !== undefined) this.texts.finish();
    for (const path of this.texts.reverted) {
      const file = projectPath(this.#root, path);
      broken.set(file, { file, message: `${file} fails when loaded; its last good version is served`, kept: true });
    }
    const missing = new Map(files.map((file) => [file, compiled ? this.#stubsIn(file) : []]));
    return {
      ...(compiled && { compiled }),
      served: compiled ? files.filter((file) => missing.get(file)?.length === 0) : [],
      failures: summarize(broken, missing),
    };
  }

  close(): Promise<void> {
    return this.#compiler.close();
  }

  /** Tries again with other texts of the broken files, which it collects, until the rest compiles. */
  async #compileRest(files: readonly string[], broken: Map<string, StepFailure>): Promise<Compiled | undefined> {
    for (let pass = 0; pass < MAX_PASSES; pass++) {
      const result = await this.#compiler.compile(files);
      if (!result.ok) {
        for (const failure of result.failures) broken.set(failure.file, failure);
        const replaced = result.failures.map(({ file }) => this.#setAside(file));
        if (!replaced.includes(true)) return undefined;
        continue;
      }
      this.#graph = result.graph;
      // A stub stands for a file without a good version: go back to when nothing needed that file.
      const needStubs = files.filter((file) => this.#stubsIn(file).length > 0);
      if (!this.#goBack(needStubs.flatMap((file) => result.graph.inputsOf(file)))) return result;
    }
    return undefined;
  }

  /** Replaces a broken file, or what changed beneath it. Returns false when nothing is left to replace. */
  #setAside(file: string): boolean {
    if (this.#goBack([file]) || this.#goBack(this.#graph?.inputsOf(file) ?? [])) return true;
    const path = join(this.#root, file);
    if (this.texts.isStub(path)) return false;
    this.texts.replace(path, 'stub');
    return true;
  }

  /** Uses the last good texts of those files that have changed since. Returns false when none has. */
  #goBack(files: readonly string[]): boolean {
    const paths = files.map((file) => join(this.#root, file)).filter((path) => this.texts.hasChanged(path));
    for (const path of paths) this.texts.replace(path, 'good');
    return paths.length > 0;
  }

  /** Files without any usable version that this one needs. */
  #stubsIn(file: string): string[] {
    if (!this.texts.hasStubs) return [];
    return (this.#graph?.inputsOf(file) ?? []).filter((input) => this.texts.isStub(join(this.#root, input)));
  }
}

/**
 * Says of each broken file whether it is still served, and adds the entry points that are not because of another file.
 * @param missing per entry point, the files it needs that have no usable version
 */
function summarize(broken: ReadonlyMap<string, StepFailure>, missing: ReadonlyMap<string, string[]>): StepFailure[] {
  const lost = new Set([...missing.values()].flat());
  const failures = [...broken.values()].map((failure) => ({ ...failure, kept: !lost.has(failure.file) }));
  for (const [file, needed] of missing) {
    if (needed.length === 0 || broken.has(file)) continue;
    failures.push({ file, message: `${file} needs ${needed.join(', ')}, which does not compile`, kept: false });
  }
  return failures.sort((a, b) => (a.file < b.file ? -1 : 1));
}
