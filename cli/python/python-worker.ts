/** The Python worker as a child process: `python -m motia.worker`. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type pino from 'pino';
import { type BrokerAddress, childEnvironment, type TelemetryEnvironment } from '../../shared/config.ts';
import type { OpsAddress } from '../../shared/ops-server.ts';
import type { AppPart } from '../../shared/steps/app-part.ts';
import { endWithUs } from '../child-end.ts';
import type { FromWorker } from '../worker-messages.ts';
import type { LaunchedWorker } from '../worker-process.ts';
import { pythonPath } from './requirements.ts';

/** What the process is told first; its twin is `WorkerSettings` in `python-worker/motia/worker/main.py`. */
export interface PythonWorkerSettings {
  app: string;
  /** Partitions that message groups are spread over. */
  partitions: number;
  root: string;
  broker: BrokerAddress;
  /** Handler processes. */
  processes: number;
  /** What it takes of the app; without it all. */
  part?: AppPart;
  /** Runs at a time of an event step that says nothing about it. */
  concurrency?: number;
  watch: boolean;
  /** Only make the broker ready for the Python steps, and end. */
  provisionOnly: boolean;
  telemetry: TelemetryEnvironment;
  logLevel: string;
  graceMs: number;
  /** Where metrics and health are served. */
  ops?: OpsAddress;
  /** Events of ordered subscriptions do not wait in their place. For tests. */
  skipWaits?: boolean;
}

/** What an ended process had said is here within this time. */
const LAST_WORDS_MS = 1_000;
/** How a record of the log begins. Any other line is a message. */
const RECORD = '{"level":';

/**
 * Starts the process; it waits for its settings. They go through its standard input, and not through the environment or
 * the arguments, where others could read the password. What it says comes through descriptor 3.
 * @param sink where finished log lines go.
 */
export function launchPythonWorker(
  python: string,
  root: string,
  sink: pino.DestinationStream,
): LaunchedWorker<PythonWorkerSettings> {
  // A process group of its own: at Ctrl-C the gateway closes first, while the worker still answers.
  const child = spawn(python, ['-m', 'motia.worker'], {
    cwd: root,
    detached: true,
    stdio: ['pipe', 'inherit', 'inherit', 'pipe'],
    env: childEnvironment({ PYTHONPATH: pythonPath(), PYTHONUNBUFFERED: '1', PYTHONHOME: undefined }),
  });
  const input = child.stdin as Writable;
  input.on('error', () => {}); // it has ended, which is noticed otherwise
  const lines = createInterface({ input: child.stdio[3] as Readable });
  const lastWords = new Promise<void>((resolve) => {
    lines.once('close', resolve);
    child.once('exit', () => setTimeout(resolve, LAST_WORDS_MS).unref());
  });
  let listener: (message: FromWorker) => void = () => {};
  lines.on('line', (line) => {
    if (line.startsWith(RECORD)) sink.write(`${line}\n`);
    else listener(JSON.parse(line) as FromWorker);
  });
  return {
    child,
    exited: Promise.all([endWithUs(child), lastWords]).then(([how]) => how),
    onMessage: (listen) => {
      listener = listen;
    },
    send: (message) => void input.write(`${JSON.stringify(message)}\n`),
  };
}
