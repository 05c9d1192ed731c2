/** What the project's own files say of its steps, where they are on the gateway's machine: `motia dev` and `motia start`. */
import { existsSync } from 'node:fs';
import { readFile, realpath } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { MotiaError } from '../../shared/errors.ts';
import { parseJson } from '../../shared/json-values.ts';
import type { StepEntry } from '../../shared/steps/manifest.ts';
import * as z from '../../shared/zod.ts';

/** A part of a step's source that a project explains. */
export interface Feature {
  id: string;
  title: string;
  description?: string;
  link?: string;
  /** First and last line, from 1. */
  lines: [from: number, to: number][];
}

export interface StepSource {
  /** Relative to the project, with `/`. */
  path: string;
  language: 'typescript' | 'javascript' | 'python';
  content: string;
  features: Feature[];
}

/** As Motia 0.17 has them beside a step, or in `tutorial/` instead of `src/`. */
const FEATURES = '-features.json';
/** A component that shows a step in the graph has its name, and one of these. */
const COMPONENTS = ['.tsx', '.jsx'];

/** As Motia 0.17 has it. */
const TUTORIAL = 'tutorial/tutorial';

const lines = z.string().check(z.regex(/^\s*\d+\s*(-\s*\d+\s*)?$/));
const features = z.array(
  z.object({
    id: z.string(),
    title: z.string(),
    description: z.optional(z.string()),
    link: z.optional(z.string()),
    lines: z._default(z.array(lines), []),
  }),
);

export class ProjectFiles {
  readonly #root: string;

  /** @param root absolute */
  constructor(root: string) {
    this.#root = root;
  }

  /** @throws {MotiaError} `NOT_FOUND` if the file is not there (any more). */
  async source({ file }: Pick<StepEntry, 'file'>): Promise<StepSource> {
    const content = await this.#read(file);
    if (content === undefined) throw new MotiaError('NOT_FOUND', `there is no file ${file} in the project`);
    return { path: file, language: languageOf(file), content, features: await this.#features(file) };
  }

  /** Absolute path of the component that shows a step in the graph, if the project has one. */
  component({ file }: Pick<StepEntry, 'file'>): string | undefined {
    const base = join(this.#root, file.replace(/\.\w+$/, ''));
    return COMPONENTS.map((extension) => base + extension).find((path) => existsSync(path));
  }

  /** Absolute path of the tutorial, if the project has one. */
  tutorial(): string | undefined {
    return COMPONENTS.map((extension) => join(this.#root, TUTORIAL + extension)).find((path) => existsSync(path));
  }

  /** None, if they are not written as they have to be. */
  async #features(file: string): Promise<Feature[]> {
    for (const place of [file, file.replace(/^src\//, 'tutorial/')]) {
      const found = features.safeParse(parseJson((await this.#read(place + FEATURES)) ?? ''));
      if (found.success) return found.data.map((feature) => ({ ...feature, lines: feature.lines.map(toRange) }));
    }
    return [];
  }

  /** `undefined` for what is not there, or not in the project. */
  async #read(file: string): Promise<string | undefined> {
    try {
      const [root, path] = await Promise.all([realpath(this.#root), realpath(join(this.#root, file))]);
      const inside = relative(root, path);
      return inside.split(sep)[0] === '..' ? undefined : await readFile(path, 'utf8');
    } catch {
      return undefined;
    }
  }
}

function languageOf(file: string): StepSource['language'] {
  if (file.endsWith('.py')) return 'python';
  return /\.[cm]?js$/.test(file) ? 'javascript' : 'typescript';
}

function toRange(text: string): [number, number] {
  const [from = 1, to = from] = text.split('-').map(Number);
  return [from, to];
}
