/** Does in folders what a Dockerfile says, where there is no Docker: every stage is a folder that stands for its root. */
import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile } from 'node:fs/promises';
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
  /** Where the folders of the stages are made. */
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
export async function runDockerfile({ dockerfile, context, folder, env, skip }: DockerfileRun) {
  const stages: Record<string, Stage> = {};
  const skipped: string[] = [];
  const ignored = await ignoredNames(`${dockerfile}.dockerignore`);
  let stage: Stage | undefined;
  for (const instruction of DockerfileParser.parse(await readFile(dockerfile, 'utf8')).getInstructions()) {
    const keyword = instruction.getKeyword();
    const words = instruction.getArguments().map((argument) => argument.getValue());
    if (keyword === 'FROM') {
      const from = instruction as From;
      stage = await newStage(join(folder, from.getBuildStage() ?? ''), stages[from.getImage() ?? '']);
      stages[from.getBuildStage() ?? ''] = stage;
      continue;
    }
    if (stage === undefined) throw new Error(`${keyword} before FROM`);
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
      const source = !from ? context : (stages[from ?? '']?.root as string);
      await copy(source, words, join(root, workdir), !from ? ignored : []);
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

/** As `COPY` does: of a folder its content; a name with `*` may fit nothing. */
async function copy(from: string, words: string[], to: string, ignored: readonly RegExp[]): Promise<void> {
  const filter = (path: string) => !ignored.some((pattern) => pattern.test(relative(from, path)));
  for (const source of words.slice(0, -1)) {
    if (source.startsWith('/') || source === '.') {
      await cp(join(from, source), to, { recursive: true, verbatimSymlinks: true, filter });
      continue;
    }
    const pattern = new RegExp(`^${source.replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
    for (const file of (await readdir(from)).filter((name) => pattern.test(name))) {
      await cp(join(from, file), join(to, file));
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
