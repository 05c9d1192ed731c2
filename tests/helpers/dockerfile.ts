/** Does in folders what a Dockerfile says, where there is no Docker: every stage is a folder that stands for its root. */
import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rename } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { type Copy, DockerfileParser, type From, type JSONInstruction } from 'dockerfile-ast';

const execute = promisify(execFile);

export interface Stage {
  /** The folder that stands for `/`. */
  root: string;
  workdir: string;
  env: Record<string, string>;
  entrypoint: string[];
  user: string;
}

export interface DockerfileRun {
  dockerfile: string;
  /** The build context. */
  context: string;
  /** The stages to make; the others are left out, as Docker leaves out those that the target does not need. */
  wanted: readonly string[];
  /** Where their folders are made. */
  folder: string;
  /** The environment of its commands. */
  env: NodeJS.ProcessEnv;
  /** Commands that change the system below the app; they are left out. */
  skip: RegExp;
}

/**
 * Knows what our Dockerfile uses, and refuses what it does not know.
 * @returns the stages by name, and the commands that were left out.
 */
export async function runDockerfile({ dockerfile, context, wanted, folder, env, skip }: DockerfileRun) {
  const stages: Record<string, Stage> = {};
  const skipped: string[] = [];
  const ignored = await ignoredNames(`${dockerfile}.dockerignore`);
  let stage: Stage | undefined;
  for (const instruction of DockerfileParser.parse(await readFile(dockerfile, 'utf8')).getInstructions()) {
    const keyword = instruction.getKeyword();
    const words = instruction.getArguments().map((argument) => argument.getValue());
    if (keyword === 'FROM') {
      const from = instruction as From;
      const name = from.getBuildStage() ?? '';
      stage = wanted.includes(name) ? await newStage(join(folder, name), stages[from.getImage() ?? '']) : undefined;
      if (stage) stages[name] = stage;
    }
    if (stage === undefined || keyword === 'FROM') continue;
    const { root, workdir } = stage;
    if (keyword === 'WORKDIR') {
      stage.workdir = words[0] as string;
      await mkdir(join(root, stage.workdir), { recursive: true });
    } else if (keyword === 'ENV') {
      Object.assign(stage.env, Object.fromEntries(words.map((word) => word.split(/=(.*)/s).slice(0, 2))));
    } else if (keyword === 'USER') {
      stage.user = words[0] as string;
    } else if (keyword === 'ENTRYPOINT') {
      stage.entrypoint = (instruction as JSONInstruction).getJSONStrings().map((text) => text.getJSONValue());
    } else if (keyword === 'COPY') {
      const from = (instruction as Copy).getFromFlag()?.getValue();
      const to = join(root, workdir);
      if (from) await take(join(stages[from]?.root as string, words[0] as string), to);
      else await copy(context, words.slice(0, -1), to, ignored);
    } else if (keyword === 'RUN') {
      const command = instruction.getArgumentsContent() as string;
      if (skip.test(command)) skipped.push(command);
      else await execute('sh', ['-c', command], { cwd: join(root, workdir), env: { ...env, ...stage.env } });
    } else if (keyword !== 'EXPOSE') {
      throw new Error(`${keyword} is not known`);
    }
  }
  return { stages, skipped };
}

async function newStage(root: string, base: Stage | undefined): Promise<Stage> {
  await mkdir(root, { recursive: true });
  if (base === undefined) return { root, workdir: '/', env: {}, entrypoint: [], user: 'root' };
  await cp(base.root, root, { recursive: true, verbatimSymlinks: true });
  return { ...base, root, env: { ...base.env } };
}

/** `COPY --from` of a folder. It is moved: nothing else here needs what it is taken from. */
async function take(from: string, to: string): Promise<void> {
  for (const name of await readdir(from)) await rename(join(from, name), join(to, name));
}

/** `COPY` from the context: all of it, or names in its first folder; one with `*` may fit nothing. */
async function copy(context: string, sources: string[], to: string, ignored: readonly RegExp[]): Promise<void> {
  const isTaken = (path: string) => !ignored.some((pattern) => pattern.test(relative(context, path)));
  for (const source of sources) {
    const pattern = new RegExp(`^${source.replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
    const names = (await readdir(context)).filter((name) => source === '.' || pattern.test(name));
    for (const name of names.filter((name) => isTaken(join(context, name)))) {
      await cp(join(context, name), join(to, name), { recursive: true, filter: isTaken });
    }
  }
}

/** Names in the first folder, `*` for any part of one, and names anywhere after a pair of stars. */
async function ignoredNames(file: string): Promise<RegExp[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => {
    const name = line
      .replace(/^\*\*\//, '')
      .replaceAll('.', '\\.')
      .replaceAll('*', '[^/]*');
    return new RegExp(`${line.startsWith('**/') ? '(^|/)' : '^'}${name}(/|$)`);
  });
}
