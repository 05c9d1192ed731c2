/** The real `motia` program in a project, watched from outside like any other program. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll } from 'vitest';
import { killProcessesWith, processesWith, type RunningProcess } from './processes.ts';
import { type Project, REPOSITORY } from './project.ts';
import { waitFor } from './wait-for.ts';

export type Command =
  | 'dev'
  | 'start'
  | 'gateway'
  | 'worker'
  | 'python-worker'
  | 'scheduler'
  | 'provision'
  | 'nats-config'
  | 'version'
  | 'backup'
  | 'restore'
  | 'cron'
  | 'dlq'
  | 'emit'
  | 'queue'
  | 'state'
  | 'logs'
  | 'trace'
  | 'traces';

/** One JSON line of the log. */
export interface LogRecord {
  level: string;
  time: string;
  msg: string;
  action?: string;
  step?: string;
  traceId?: string;
  [field: string]: unknown;
}

/** Fields that a record must have with these very values, or any condition. */
export type LogMatch = Partial<LogRecord> | ((record: LogRecord) => boolean);

export interface CliOptions {
  /** More arguments. Commands that serve get `--port 0` unless a port is among them. */
  args?: readonly string[];
  /** Changes to the environment; `undefined` removes a variable. What would configure us is not inherited. */
  env?: Record<string, string | undefined>;
  /** What tells on standard output that the program is ready; its first group is the URL. `false`: do not wait. */
  ready?: RegExp | false;
  /** What it reads from its standard input. Default: nothing. */
  input?: string;
  /** Milliseconds until it has to be ready. Default 30,000. */
  readyWithin?: number;
}

export interface RunningCli extends AsyncDisposable {
  readonly pid: number;
  /** Where it serves HTTP; empty for a command that does not. */
  readonly url: string;
  /** What it wrote so far, both outputs. */
  output(): string;
  /** The JSON lines among it. */
  logs(match?: LogMatch): LogRecord[];
  /**
   * Resolves with the first matching record, an earlier one included.
   * @throws Error with the end of the output, when there is none within `within` ms (default 10,000) or the program has ended.
   */
  waitForLog(match: LogMatch, within?: number): Promise<LogRecord>;
  /** Calls a path of `url`, which must answer within 30 s. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** The processes that belong to it now, the program itself included. */
  processes(): Promise<RunningProcess[]>;
  /** Sends a signal to the program alone. */
  kill(signal: NodeJS.Signals): void;
  /** Resolves with the exit code, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals>;
  /**
   * Sends a signal and waits for the end. @returns the exit code, or the signal that ended it.
   * @throws Error when the end takes longer than 40 s, or an orderly one leaves processes behind.
   */
  stop(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals>;
}

const PROGRAM = join(REPOSITORY, 'dist/cli/main.js');
const SERVES: readonly Command[] = ['dev', 'start', 'gateway'];
const READY_LINE = /Ready at (http:\/\/[^\s"]+)/;
const WORKER_READY_LINE = /"action":"ready"/;
/** A shutdown may take 30 s. */
const STOP_MS = 40_000;
const OURS = /^(NATS_|MOTIA_|OTEL_|LOG_LEVEL|NO_COLOR|NODE_|VITEST|TEST$|npm_)/;

const running = new Set<RunningCli>();
afterAll(async () => {
  const ends = await Promise.allSettled([...running].map((cli) => cli.stop()));
  const errors = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as Error] : []));
  if (errors.length > 0) throw new AggregateError(errors, errors.map(({ message }) => message).join('\n'));
});

/** Starts the program in a project and resolves when it is ready. It is stopped at the end of the test file at the latest. */
export async function startCli(command: Command, project: Project, options: CliOptions = {}): Promise<RunningCli> {
  const { args = [], env = {}, readyWithin = 30_000 } = options;
  const port = SERVES.includes(command) && !args.includes('--port') ? ['--port', '0'] : [];
  const mark = `motia-test-${randomUUID()}`;
  const child = spawn(process.execPath, [PROGRAM, command, ...port, ...args], {
    cwd: project.root,
    env: { ...cleanEnvironment(), ...env, MOTIA_TEST_MARK: mark },
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  child.stdin?.end(options.input);
  const cli = new CliProcess(child, mark);
  running.add(cli);
  const ready =
    options.ready ??
    (command.endsWith('worker') || command === 'scheduler'
      ? WORKER_READY_LINE
      : SERVES.includes(command) && READY_LINE);
  if (ready) {
    await cli.waitUntilReady(ready, readyWithin).catch(async (error) => {
      await cli.stop('SIGKILL'); // nobody has it, so nobody would stop it, and it would take part in whatever comes next
      throw error;
    });
  }
  return cli;
}

class CliProcess implements RunningCli {
  readonly exited: Promise<number | NodeJS.Signals>;
  url = '';
  readonly #child: ChildProcess;
  readonly #mark: string;
  readonly #records: LogRecord[] = [];
  #output = '';
  #line = '';
  #ended: number | NodeJS.Signals | undefined;

  constructor(child: ChildProcess, mark: string) {
    this.#child = child;
    this.#mark = mark;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#onOutput(text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text;
    });
    // The last output comes after the exit; what a process left behind would write is not waited for.
    const closed = once(child, 'close');
    this.exited = once(child, 'exit').then(async ([code, signal]) => {
      await Promise.race([closed, sleep(500)]);
      this.#ended = (signal ?? code) as number | NodeJS.Signals;
      return this.#ended;
    });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  output(): string {
    return this.#output;
  }

  logs(match: LogMatch = {}): LogRecord[] {
    return this.#records.filter((record) => matches(record, match));
  }

  async waitForLog(match: LogMatch, within = 10_000): Promise<LogRecord> {
    return this.#waitFor(
      () => this.#records.find((record) => matches(record, match)),
      `the log record ${describe(match)}`,
      within,
    );
  }

  async waitUntilReady(pattern: RegExp, within: number): Promise<void> {
    const line = await this.#waitFor(() => pattern.exec(this.#output), `${pattern} in the output`, within);
    this.url = (line[1] ?? '').replace('//localhost:', '//127.0.0.1:');
  }

  fetch(path: string, init?: RequestInit): Promise<Response> {
    return fetch(this.url + path, { signal: AbortSignal.timeout(30_000), ...init });
  }

  processes(): Promise<RunningProcess[]> {
    return processesWith(this.#mark);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | NodeJS.Signals> {
    running.delete(this);
    this.kill(signal);
    const late = setTimeout(() => this.kill('SIGKILL'), STOP_MS);
    const how = await this.exited;
    clearTimeout(late);
    const left = await this.#endLeftovers();
    if (how === 'SIGKILL' && signal !== 'SIGKILL')
      throw new Error(`${signal} did not end it within ${STOP_MS} ms\n${this.#tail()}`);
    // Of a program that was killed nothing can be expected.
    if (left.length > 0 && typeof how === 'number')
      throw new Error(`it left processes behind:\n${left.join('\n')}\n${this.#tail()}`);
    return how;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** @returns the command lines of those that there were, a moment after the end. */
  async #endLeftovers(): Promise<string[]> {
    const gone = () => waitFor(async () => (await this.processes()).length === 0, { within: 1_000 });
    if (await gone().catch(() => false)) return [];
    const left = await killProcessesWith(this.#mark);
    return left.map(({ commandLine }) => commandLine);
  }

  #onOutput(text: string): void {
    this.#output += text;
    const lines = (this.#line + text).split('\n');
    this.#line = lines.pop() ?? '';
    for (const line of lines) {
      const record = parseRecord(line);
      if (record) this.#records.push(record);
    }
  }

  async #waitFor<T>(look: () => T, what: string, within: number): Promise<NonNullable<T>> {
    const ended = Symbol();
    const found = await waitFor(() => look() ?? (this.#ended !== undefined && ended), {
      what,
      within,
      every: 10,
    }).catch((error) => {
      throw new Error(`${error.message}\n${this.#tail()}`);
    });
    if (found === ended) throw new Error(`it ended (${this.#ended}) before ${what}\n${this.#tail()}`);
    return found as NonNullable<T>;
  }

  #tail(): string {
    return `Its output ends with:\n${this.#output.slice(-4_000)}`;
  }
}

/** User code may print anything, also what only looks like a record. */
function parseRecord(line: string): LogRecord | undefined {
  try {
    return line.startsWith('{"level":') ? JSON.parse(line) : undefined;
  } catch {
    return undefined;
  }
}

function matches(record: LogRecord, match: LogMatch): boolean {
  if (typeof match === 'function') return match(record);
  return Object.entries(match).every(([field, value]) => record[field] === value);
}

const describe = (match: LogMatch) => (typeof match === 'function' ? String(match) : JSON.stringify(match));

function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !OURS.test(name));
  // Programs of the same role share this machine: one that is to have the port says so.
  return { ...Object.fromEntries(kept), MOTIA_NATS_SERVER: process.env.MOTIA_NATS_SERVER, MOTIA_METRICS_PORT: 'off' };
}
