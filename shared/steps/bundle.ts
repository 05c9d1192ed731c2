/**
 * Compiles a project's steps, streams and `motia.config` with one esbuild build. A file that does not compile never
 * takes the others down: its last good version stays, or the steps that need it are left out. No user code runs here.
 */
import { createHash } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { readBundleCache, writeBundleCache } from './bundle-cache.ts';
import type { Compiled } from './compiler.ts';
import { CONFIG_FILES, discoverSteps } from './discover.ts';
import { type OutputFile, OutputFolder } from './output-folder.ts';
import { projectPath } from './paths.ts';
import { TolerantCompiler, type TolerantResult } from './tolerant-compiler.ts';

/** A compiled project. Plain data: it travels to handler threads. */
export interface Bundle {
  /** Content hash of the outputs and of `.env`. */
  id: string;
  /** Absolute path of the project. */
  root: string;
  /** Step and stream files that can be loaded, sorted. */
  entries: BundleEntry[];
  /** Absolute path of the compiled `motia.config`, if the project has one. */
  config?: string;
  /** Files whose change calls for a new build, relative to the root, with `/`. Some may not exist. */
  inputs: string[];
  failures: StepFailure[];
}

export interface BundleEntry {
  /** Source file, relative to the root, with `/`. */
  file: string;
  /** Absolute path of the module to import. */
  output: string;
  /** Source files it pulls in, itself included, relative to the root. */
  inputs: string[];
}

/** Why a file is not served, or not in its newest version. */
export interface StepFailure {
  /** Source file, relative to the root. */
  file: string;
  message: string;
  /** From 1. */
  line?: number;
  /** From 1. */
  column?: number;
  /** The last good version is still served. */
  kept: boolean;
}

/** Files that every build depends on; they need not exist. */
const PROJECT_FILES = ['.env', 'package.json', 'tsconfig.json', ...CONFIG_FILES];

/** Builds one project again and again; builds never overlap. */
export class StepBundler {
  readonly #root: string;
  readonly #outputs: OutputFolder;
  readonly #compiler: TolerantCompiler;
  #queue: Promise<unknown> = Promise.resolve();
  #last: Bundle | undefined;

  /** @param options.outDir where modules are written; inside the project, so that they find its `node_modules` */
  constructor(options: { root: string; outDir: string }) {
    this.#root = realpathSync(options.root);
    this.#outputs = new OutputFolder(resolve(this.#root, options.outDir));
    this.#compiler = new TolerantCompiler(this.#root, this.#outputs.path);
  }

  /** Compiles what is on disk. What does not compile is in `failures`; throws only when it cannot write or run esbuild. */
  build(): Promise<Bundle> {
    const run = this.#queue.then(() => this.#build());
    this.#queue = run.catch(() => undefined);
    return run;
  }

  /**
   * The newest texts of these files compile but fail when loaded: builds with their last good texts until they change.
   * @param files relative to the root
   */
  revert(files: string[]): Promise<Bundle> {
    this.#queue = this.#queue.then(() => {
      for (const file of files) this.#compiler.texts.revert(join(this.#root, file));
    });
    return this.build();
  }

  /** Tells that the last finished build loaded fine: its texts are the good ones from now on. */
  confirm(): void {
    this.#compiler.texts.confirm();
  }

  async close(): Promise<void> {
    await this.#queue;
    await this.#compiler.close();
  }

  async #build(): Promise<Bundle> {
    const { steps, streams } = discoverSteps(this.#root);
    const modules = [...steps, ...streams].sort();
    const config = CONFIG_FILES.find((file) => existsSync(join(this.#root, file)));
    const files = config === undefined ? modules : [...modules, config];
    this.#last = this.#restore(files) ?? (await this.#compile(files, config));
    return this.#last;
  }

  /** In the first build: what an earlier process left, if it still holds. */
  #restore(files: readonly string[]): Bundle | undefined {
    if (this.#last !== undefined) return undefined;
    const cached = readBundleCache(this.#root, this.#outputs.path, files);
    if (cached === undefined) return undefined;
    for (const [file, text] of cached.texts) this.#compiler.texts.use(join(this.#root, file), text);
    this.#compiler.texts.finish();
    this.#outputs.keep(cached.outputs);
    return cached.bundle;
  }

  async #compile(files: readonly string[], config: string | undefined): Promise<Bundle> {
    const result = await this.#compiler.compile(files);
    const { compiled, failures } = result;
    if (compiled === undefined) return this.#keepLast(files, failures);
    await this.#outputs.write(compiled.outputs);
    const bundle = await this.#assemble(compiled, result, files, config);
    if (failures.length === 0) {
      const texts = [...this.#compiler.texts.built].map(
        ([path, text]) => [projectPath(this.#root, path), text] as const,
      );
      const outputs = compiled.outputs.map(({ path }) => path);
      await writeBundleCache(this.#outputs.path, files, { bundle, texts: new Map(texts), outputs });
    }
    return bundle;
  }

  async #assemble(
    { outputs, graph }: Compiled,
    { served, failures }: TolerantResult,
    files: readonly string[],
    config: string | undefined,
  ): Promise<Bundle> {
    const environment = await readFile(join(this.#root, '.env'), 'utf8').catch(() => '');
    const outputOf = (file: string) => join(this.#outputs.path, graph.outputOf(file));
    const modules = served.filter((file) => file !== config);
    const sources = files.flatMap((file) => graph.inputsOf(file));
    return {
      id: hashOutputs(outputs, environment),
      root: this.#root,
      entries: modules.map((file) => ({ file, output: outputOf(file), inputs: graph.inputsOf(file) })),
      ...(config !== undefined && served.includes(config) && { config: outputOf(config) }),
      inputs: inputsOf(files, failures, sources),
      failures,
    };
  }

  /** Nothing compiles (a broken tsconfig.json, say): the bundle before stays. */
  #keepLast(files: readonly string[], failures: readonly StepFailure[]): Bundle {
    const last = this.#last ?? { id: '', root: this.#root, entries: [], inputs: [] };
    const kept = this.#last !== undefined;
    return {
      ...last,
      inputs: inputsOf(files, failures, last.inputs),
      failures: failures.map((failure) => ({ ...failure, kept })),
    };
  }
}

function inputsOf(files: readonly string[], failures: readonly StepFailure[], sources: readonly string[]): string[] {
  return [...new Set([...PROJECT_FILES, ...files, ...failures.map(({ file }) => file), ...sources])].sort();
}

/** 16 hex digits that stand for the outputs and the environment they run in. */
export function hashOutputs(outputs: readonly OutputFile[], environment: string): string {
  const hash = createHash('sha256').update(environment);
  const sorted = [...outputs].sort((a, b) => (a.path < b.path ? -1 : 1));
  for (const { path, contents } of sorted) hash.update(`\0${path}\0${contents.length}\0`).update(contents);
  return hash.digest('hex').slice(0, 16);
}
