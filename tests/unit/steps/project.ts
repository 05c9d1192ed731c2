/** Throw-away projects made of texts, built and loaded with the real thing. */
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach } from 'vitest';
import { StepBundler } from '../../../shared/steps/bundle.ts';
import { type LoadedProject, loadBundle } from '../../../shared/steps/load.ts';
import { loadInThread, type ThreadAnswer } from './thread.ts';

const OUT_DIR = '.motia/build';
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

export type Files = Record<string, string>;

export class Project {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), 'motia-steps-')));
  readonly bundler: StepBundler;

  /** With the packages of this repository installed, unless the files bring a `node_modules` of their own. */
  constructor(files: Files) {
    cleanups.push(() => rmSync(this.root, { recursive: true, force: true }));
    this.write(files);
    const packages = join(this.root, 'node_modules');
    if (!existsSync(packages)) symlinkSync(resolve('node_modules'), packages);
    this.bundler = this.newBundler();
  }

  write(files: Files): void {
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.root, file)), { recursive: true });
      writeFileSync(join(this.root, file), text);
    }
  }

  remove(file: string): void {
    rmSync(join(this.root, file));
  }

  newBundler(): StepBundler {
    const bundler = new StepBundler({ root: this.root, outDir: OUT_DIR });
    cleanups.push(() => bundler.close());
    return bundler;
  }

  /** Builds, loads and calls every handler, in a thread. `failures` are those of both phases. */
  async run(): Promise<ThreadAnswer> {
    const bundle = await this.bundler.build();
    const answer = await loadInThread(bundle);
    return { ...answer, failures: [...bundle.failures, ...answer.failures] };
  }

  /** Builds and loads in this thread. */
  async load(): Promise<LoadedProject> {
    return loadBundle(await this.bundler.build());
  }
}

/** Text of an api step whose handler returns `expression`; `head` goes before it. */
export function apiStep(name: string, expression: string, head = ''): string {
  return `${head}
export const config = { type: 'api', name: '${name}', method: 'GET', path: '/${name}', emits: [] };
export const handler = async () => (${expression});
`;
}
