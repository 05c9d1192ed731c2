/** One running `nats-server` program: its configuration file, how it becomes ready, how it is stopped. */
import type { ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { orNothing } from '../shared/or-nothing.ts';
import { howItEnded } from './child-end.ts';
import { spawnGuarded } from './process-guard.ts';

export interface NatsConfig {
  /** -1 for any free port. */
  port: number;
  /** JetStream's data. */
  storeDir: string;
  /** Largest message in bytes. Default 8 MB, the most that the server's authors advise. */
  maxPayload?: number;
  login?: { user: string; password: string };
  /** Each write is on the disk before it is acknowledged. Default: some minutes later. */
  syncAlways?: boolean;
  /** Bytes of streams in memory, counted by what they may have and not by what they do. Default: the server's, most of what there is. */
  memory?: number;
  /** More text for the configuration file, in the server's own syntax. */
  extra?: string;
  /** The folder goes with this process, even if it is killed. Our process does not wait for the server to end. */
  temporary?: boolean;
}

export interface NatsProcess {
  readonly pid: number;
  readonly port: number;
  /** Resolves when the process has ended, with how: `exit code 1` or `SIGKILL`. */
  readonly exited: Promise<string>;
  /** SIGTERM, and SIGKILL when it has not ended within five seconds. */
  stop(): Promise<void>;
  /** Sends a signal; resolves when the process has ended if the signal is SIGKILL or SIGTERM. */
  kill(signal: NodeJS.Signals): Promise<void>;
}

const DEFAULT_MAX_PAYLOAD = 8 * 1024 * 1024;
const START_DEADLINE_MS = 10_000;
const STOP_DEADLINE_MS = 5_000;
const POLL_MS = 3;

/**
 * Starts `binary` and resolves once it takes connections and JetStream is up, which is when it writes its ports file.
 *
 * @param dir folder for the configuration, the ports file, `nats-server.log` and `nats-server.err`.
 * @throws Error with the last lines that the server logged, when it ends first or takes longer than ten seconds.
 */
export async function startNatsProcess(binary: string, dir: string, config: NatsConfig): Promise<NatsProcess> {
  // At once: a start waits for it, and to wait for each file takes longer than to write it.
  mkdirSync(dir, { recursive: true });
  const logFile = join(dir, 'nats-server.log');
  const errorFile = join(dir, 'nats-server.err');
  const configFile = join(dir, 'nats-server.conf');
  for (const former of [logFile, ...portsFiles(dir)]) rmSync(former, { force: true });
  rmSync(configFile, { force: true }); // `mode` below holds for a new file only
  writeFileSync(configFile, configText(config, dir, logFile), { mode: 0o600 });

  // Ctrl-C in a terminal does not reach it: we still drain into it then.
  const errors = openSync(errorFile, 'w');
  const child = spawnGuarded(binary, ['-c', configFile], {
    ...{ stdio: ['ignore', 'ignore', errors], signal: 'TERM' },
    folder: config.temporary ? dir : undefined,
  });
  closeSync(errors);
  const exited = howItEnded(child);
  if (config.temporary) child.unref();

  try {
    const port = await portOf(child, dir, exited);
    return {
      pid: child.pid as number,
      port,
      exited,
      stop: () => stop(child, exited),
      kill: (s) => kill(child, s, exited),
    };
  } catch (error) {
    child.kill('SIGKILL');
    const texts = [errorFile, logFile].map((file) => readFile(file, 'utf8').catch(() => ''));
    const said = (await Promise.all(texts)).join('').trim().split('\n').slice(-5).join('\n');
    throw new Error(`nats-server (${binary}) did not start: ${(error as Error).message}${said && `\n${said}`}`);
  }
}

function configText(config: NatsConfig, dir: string, logFile: string): string {
  const text = JSON.stringify; // the server reads JSON strings
  const login = config.login
    ? `authorization { user: ${text(config.login.user)}, password: ${text(config.login.password)} }\n`
    : '';
  const store = [
    `store_dir: ${text(config.storeDir)}`,
    ...(config.memory === undefined ? [] : [`max_memory_store: ${config.memory}`]),
    ...(config.syncAlways ? ['sync_interval: always'] : []),
  ];
  return `host: 127.0.0.1
port: ${config.port}
max_payload: ${config.maxPayload ?? DEFAULT_MAX_PAYLOAD}
jetstream { ${store.join(', ')} }
ports_file_dir: ${text(dir)}
logfile: ${text(logFile)}
logfile_size_limit: 10MB
logfile_max_num: 2
${login}${config.extra ?? ''}
`;
}

/** The port that the server chose, as soon as it serves. */
async function portOf(child: ChildProcess, dir: string, exited: Promise<string>): Promise<number> {
  let ended: string | undefined;
  void exited.then((how) => {
    ended = how;
  });
  for (const deadline = Date.now() + START_DEADLINE_MS; Date.now() < deadline; await sleep(POLL_MS)) {
    if (ended !== undefined) throw new Error(ended);
    const file = portsFiles(dir).find((path) => path.endsWith(`_${child.pid}.ports`));
    const written = file && orNothing(() => readFileSync(file, 'utf8')); // the server may have taken it away by now
    const port = written && /"nats:\/\/[^"]*:(\d+)"/.exec(written)?.[1];
    if (port) return Number(port);
  }
  throw new Error(`not ready after ${START_DEADLINE_MS / 1000} s`);
}

/** A killed server leaves its ports file behind, and process ids come again. */
function portsFiles(dir: string): string[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith('.ports'))
    .map((name) => join(dir, name));
}

async function stop(child: ChildProcess, exited: Promise<string>): Promise<void> {
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
  await exited;
  clearTimeout(killer);
}

async function kill(child: ChildProcess, signal: NodeJS.Signals, exited: Promise<string>): Promise<void> {
  child.kill(signal);
  if (signal === 'SIGKILL' || signal === 'SIGTERM') await exited;
}
