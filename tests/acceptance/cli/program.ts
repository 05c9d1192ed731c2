/** The built `motia` program in a project of its own, as a user would run it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { removeFolder } from '../../helpers/remove-folder.ts';

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));

export const HELLO_STEP = `
export const config = { type: 'api', name: 'Hello', method: 'GET', path: '/hello', emits: [] };
export const handler = async () => ({ status: 200, body: { hello: 'world' } });
`;

/** `tsconfig.json` of a project in TypeScript. */
export const TSCONFIG = JSON.stringify({
  compilerOptions: {
    target: 'ES2022',
    module: 'ESNext',
    moduleResolution: 'bundler',
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
  },
  include: ['src', 'types.d.ts'],
});

/** A project with these files, removed when the test is over. */
export function createProject(files: Record<string, string> = { 'src/hello.step.js': HELLO_STEP }): string {
  const root = mkdtempSync(join(tmpdir(), 'motia-project-'));
  onTestFinished(() => removeFolder(root));
  for (const [name, content] of Object.entries({ 'package.json': '{"name":"shop","type":"module"}', ...files })) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  mkdirSync(join(root, 'node_modules'));
  symlinkSync(REPOSITORY, join(root, 'node_modules/motia'));
  return root;
}

export interface Program {
  child: ChildProcess;
  /** Everything printed so far, standard error included. */
  output(): string;
  /** Resolves with the first match of `pattern` in the output, or throws with the output. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves with the exit code, or the signal that ended it. */
  exit: Promise<number | string | null>;
}

/**
 * Starts `motia <args>`; it is killed at the end of the test at the latest, and its children end with it.
 * @param framework folder of the package to run. Default: this repository.
 */
export function motia(
  root: string,
  args: string[],
  env: Record<string, string> = {},
  framework: string = REPOSITORY,
): Program {
  return launch(root, process.execPath, [join(framework, 'dist/cli/main.js'), ...args], env);
}

/** Starts any program as {@link motia} starts ours; it is killed with all that it has started. */
export function launch(root: string, program: string, args: string[], env: Record<string, string> = {}): Program {
  const child = spawn(program, args, {
    cwd: root,
    env: { ...process.env, NATS_URL: '', LOG_LEVEL: '', MOTIA_METRICS_PORT: 'off', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // a process group
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  const exit = new Promise<number | string | null>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal));
  });
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid as number), 'SIGKILL');
    await exit;
  });
  const until = async (pattern: RegExp) => {
    for (const deadline = Date.now() + 30_000; ; await sleep(20)) {
      const found = pattern.exec(text);
      if (found) return found;
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`no ${pattern} in:\n${text}`);
    }
  };
  return { child, output: () => text, until, exit };
}

/** Runs `motia <args>` to its end. */
export async function run(root: string, args: string[], env?: Record<string, string>) {
  const program = motia(root, args, env);
  const code = await program.exit;
  return { code, output: program.output() };
}

/** Starts `motia dev` on a free port and waits until it serves. */
export async function dev(root: string, env?: Record<string, string>) {
  const program = motia(root, ['dev', '--port', '0'], env);
  const [, url = ''] = await program.until(/Ready at (http:\S+) in \d+ ms/);
  return { ...program, url, lock: () => readLock(root) };
}

/** What the project's lock says about the processes that run it. */
function readLock(root: string): { pid: number; broker: { pid: number } } {
  return JSON.parse(readFileSync(join(root, '.motia/dev.lock'), 'utf8'));
}
