/** One esbuild context for a project's entry points, kept between builds. */
import { join } from 'node:path';
import type { BuildContext, BuildFailure, BuildOptions, BuildResult, Message, Metafile, Plugin } from 'esbuild';
import { aliasPlugin } from './aliases.ts';
import type { StepFailure } from './bundle.ts';
import { type Esbuild, withEsbuild } from './esbuild-service.ts';
import type { OutputFile } from './output-folder.ts';
import { isModule, packageInteropPlugin } from './package-interop.ts';
import { projectPath } from './paths.ts';
import { LOCATION_BANNER, LOCATION_NAMES, locationPrefixLength, withHome } from './source-location.ts';

/** What compiled. Source files are relative to the root, with `/`. */
export interface Compiled {
  ok: true;
  outputs: OutputFile[];
  graph: SourceGraph;
}

interface NotCompiled {
  ok: false;
  failures: StepFailure[];
}

/** What follows the source file's name in the name of its module. */
const HASHED_NAME = /-[A-Z0-9]{8}\.mjs$/;

/** Paths of the modules that our plugins make up. */
const VIRTUAL = /^motia-[a-z]+:/;

type Options = BuildOptions & { write: false; metafile: true };
type Context = { build: BuildContext<Options>; epoch: number; key: string };

export class Compiler {
  readonly #options: Options;
  readonly #sources: Plugin;
  readonly #home: string;
  #context: Context | undefined;

  /**
   * @param root absolute path of the project
   * @param outDir absolute; where outputs will be written, for source maps point from there
   * @param home absolute; the folder that `__dirname` and the like take for that of the project
   */
  constructor(root: string, outDir: string, sources: Plugin, home: string) {
    this.#sources = sources;
    this.#home = home;
    this.#options = {
      absWorkingDir: root,
      outdir: outDir,
      outExtension: { '.js': '.mjs' },
      write: false,
      metafile: true,
      logLevel: 'silent',
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      packages: 'external',
      jsx: 'automatic',
      keepNames: true,
      // Half as many files to write and to read as with maps beside the modules.
      sourcemap: 'inline',
      sourcesContent: false,
      entryNames: '[dir]/[name]-[hash]',
      chunkNames: 'chunks/[name]-[hash]',
      define: LOCATION_NAMES,
      banner: { js: LOCATION_BANNER },
      // "sideEffects": false in the project's package.json is about publishing it.
      ignoreAnnotations: true,
    };
  }

  /** Compiles the entry points with the texts that the sources plugin has for them now. */
  compile(files: readonly string[]): Promise<Compiled | NotCompiled> {
    return withEsbuild(async (esbuild, epoch) => {
      const context = await this.#contextFor(esbuild, epoch, files);
      try {
        return this.#compiled(await context.build.rebuild());
      } catch (error) {
        const { errors } = error as Partial<BuildFailure>;
        if (errors === undefined) this.#context = undefined;
        return { ok: false, failures: toFailures(errors ?? [], error) };
      }
    });
  }

  /** Gives up what is kept between builds. Another build may follow. */
  async close(): Promise<void> {
    if (this.#context !== undefined) await withEsbuild((_, epoch) => this.#dispose(epoch));
  }

  /** The context of the last build, unless what it was made for has changed. */
  async #contextFor(esbuild: Esbuild, epoch: number, files: readonly string[]): Promise<Context> {
    const followsNode = isModule(join(this.#root, 'package.json'));
    const key = [followsNode, ...files].join('\n');
    if (this.#context?.epoch !== epoch || this.#context.key !== key) {
      await this.#dispose(epoch);
      const interop = followsNode ? [] : [packageInteropPlugin];
      const plugins = [aliasPlugin, ...interop, this.#sources];
      const entryPoints = files.map((file) => ({ in: join(this.#root, file), out: file }));
      this.#context = { build: await esbuild.context({ ...this.#options, plugins, entryPoints }), epoch, key };
    }
    return this.#context;
  }

  async #dispose(epoch: number): Promise<void> {
    const context = this.#context;
    this.#context = undefined;
    if (context?.epoch === epoch) await context.build.dispose();
  }

  get #root(): string {
    return this.#options.absWorkingDir as string;
  }

  #compiled({ outputFiles, metafile }: BuildResult<Options>): Compiled {
    const folder = this.#options.outdir as string;
    const outputs = outputFiles.map(({ path, contents }) => ({
      path: projectPath(folder, path),
      contents: withHome(contents, projectPath(path, this.#home)),
    }));
    return { ok: true, outputs, graph: new SourceGraph(metafile, projectPath(this.#root, folder)) };
  }
}

/** Which source file pulls in which, and what became of the entry points. */
export class SourceGraph {
  readonly #inputs: Metafile['inputs'];
  /** By entry point: the module made from it, and its name in the graph (the real path behind a symbolic link). */
  readonly #entries = new Map<string, { output: string; input: string }>();
  readonly #known = new Map<string, string[]>();

  /** @param folder of the outputs, relative to the root */
  constructor(metafile: Metafile, folder: string) {
    this.#inputs = metafile.inputs;
    for (const [path, { entryPoint }] of Object.entries(metafile.outputs)) {
      if (entryPoint === undefined) continue;
      const output = path.slice(folder.length + 1);
      this.#entries.set(output.replace(HASHED_NAME, ''), { output, input: entryPoint });
    }
  }

  /** Path of the module made from an entry point, relative to the output folder. */
  outputOf(entry: string): string {
    const made = this.#entries.get(entry);
    if (made === undefined) throw new Error(`${entry} is no entry point of this build`);
    return made.output;
  }

  /** The file itself and all it imports, directly or not, packages left out. Sorted. */
  inputsOf(file: string): string[] {
    const known = this.#known.get(file);
    if (known !== undefined) return known;
    const seen = new Set([this.#entries.get(file)?.input ?? file]);
    for (const each of seen) {
      for (const imported of this.#inputs[each]?.imports ?? []) {
        if (!imported.external && !VIRTUAL.test(imported.path)) seen.add(imported.path);
      }
    }
    const inputs = [...seen].sort();
    this.#known.set(file, inputs);
    return inputs;
  }
}

/** One failure per file: the first error in it. */
function toFailures(errors: readonly Message[], thrown: unknown): StepFailure[] {
  if (errors.length === 0) return [{ file: 'package.json', message: `esbuild failed: ${String(thrown)}`, kept: false }];
  const failures = new Map<string, StepFailure>();
  for (const { text, location } of errors) {
    const file = location?.file ?? 'package.json';
    if (failures.has(file)) continue;
    if (location === null) {
      failures.set(file, { file, message: text, kept: false });
      continue;
    }
    const added = location.line === 1 ? locationPrefixLength(location.lineText) : 0;
    const [line, column] = [location.line, location.column - added + 1];
    const shown = `${file}:${line}:${column}: ${text}\n  ${line} | ${location.lineText.slice(added)}`;
    failures.set(file, { file, message: shown, line, column, kept: false });
  }
  return [...failures.values()];
}
