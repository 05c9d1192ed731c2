/** The settings of a command: flags win over the environment, which wins over defaults. */
import { resolve } from 'node:path';
import { appName, type Environment, loadDotEnv, readEnvironment } from '../shared/config.ts';
import { createLogger, type LoggerOptions } from '../shared/logger.ts';
import type { AppPart } from '../shared/steps/app-part.ts';
import type { TraceStatus } from '../shared/telemetry-records.ts';
import type { StepPlan } from './generate/step-file.ts';

/** The flags of all commands, as yargs gives them. */
export interface Flags {
  port?: number;
  host?: string;
  threads?: number;
  processes?: number;
  steps?: string[];
  topics?: string[];
  flows?: string[];
  concurrency?: number;
  /** Of `motia provision`; `force` of `motia rules`, too. */
  removeOrphans?: boolean;
  force?: boolean;
  /** Of what runs steps: from what was built, or from the sources. */
  dist?: boolean;
  /** Of `motia docker`, with `name`, `port` and `force`. */
  skipBuild?: boolean;
  /** Of `motia install`. */
  verbose?: boolean;
  wait?: number;
  /** Of `motia provision`: to stay; of `motia nats-config`: what is allowed already. */
  keep?: boolean;
  debug?: boolean;
  disableVerbose?: boolean;
  motiaDir?: string;
  /** What `motia cron`, `dlq`, `queue` or `state` is to do, one of their actions below. */
  action?: string;
  step?: string;
  json?: boolean;
  /** Of `motia dlq`, `after` and `limit` of `motia state`, too; `id` of `motia emit`, too. */
  id?: string;
  after?: string;
  limit?: number;
  yes?: boolean;
  /** Of `motia emit`. */
  topic?: string;
  message?: string;
  delay?: number;
  group?: string;
  /** Of `motia queue`: an event, a step or a topic; of `motia generate`: a document. */
  what?: string;
  /** Of `motia generate`. */
  title?: string;
  docVersion?: string;
  scaleBy?: (typeof SCALES)[number];
  output?: string;
  /** Of `motia generate step`, with `name`, `interactive` and `flows`. */
  type?: StepPlan['type'];
  language?: StepPlan['language'];
  dir?: string;
  description?: string;
  method?: string;
  path?: string;
  cron?: string;
  subscribes?: string[];
  emits?: string[];
  /** Of `motia dev`. */
  mermaid?: boolean;
  /** Of `motia create`. */
  name?: string;
  template?: string;
  interactive?: boolean;
  cursor?: boolean;
  install?: boolean;
  motia?: string;
  /** Of `motia nats-config`, with `force` and `keep`. */
  out?: string;
  groups?: string[];
  values?: string[];
  adminApi?: boolean;
  tlsCert?: string;
  tlsKey?: string;
  tlsCa?: string;
  /** Of `motia doctor`. */
  powerCut?: boolean;
  /** Of `motia backup` and `motia restore`. */
  file?: string;
  replace?: boolean;
  /** Of `motia state`, as `group`. */
  key?: string;
  value?: string;
  ttl?: number;
  ifRevision?: number;
  /** Of `motia pytest`: its arguments, and behind the name of the command those that follow `--`. */
  args?: string[];
  _?: (string | number)[];
  /** Of `motia logs` and `motia traces`. */
  follow?: boolean;
  trace?: string;
  level?: string;
  flow?: string;
  status?: TraceStatus;
  text?: string;
  since?: string;
  until?: string;
}

/** What `motia cron` does. */
export const CRON_ACTIONS = ['list', 'trigger', 'pause', 'resume'] as const;
/** What `motia dlq` does. */
export const DLQ_ACTIONS = ['list', 'show', 'retry', 'retry-all', 'purge'] as const;
/** What `motia docker` does. */
export const DOCKER_ACTIONS = ['setup', 'build', 'run'] as const;
/** What `motia generate` makes. */
export const DOCUMENTS = ['openapi', 'mermaid', 'helm-values', 'step'] as const;
/** What the pods of a group of workers are counted by, see `motia generate helm-values`. */
export const SCALES = ['none', 'cpu', 'queue', 'consumers'] as const;
/** What `motia rules` does. */
export const RULES_ACTIONS = ['pull'] as const;
/** What `motia queue` does. */
export const QUEUE_ACTIONS = ['list', 'show', 'pause', 'resume'] as const;
/** What `motia state` does. */
export const STATE_ACTIONS = ['list', 'get', 'set', 'delete', 'clear'] as const;

export interface CommandOptions {
  env: Environment;
  app: string;
  /** The project's folder. */
  root: string;
  motiaDir: string;
  dataDir: string;
  /** What was asked for by flag or environment. */
  host?: string;
  port?: number;
  threads: number;
  processes: number;
  /** What a worker takes of the app. */
  part: AppPart;
  /** Runs at a time, in a worker, of an event step that says nothing about it. */
  concurrency?: number | undefined;
  /** Run what was built, or the sources; without it what there is. */
  dist?: boolean | undefined;
  logging: LoggerOptions;
}

export const DEFAULT_PORT = 3000;

/** Reads `.env` and the environment of the project in a folder: the current one, or `root` if that is given. */
export function commandOptions(flags: Flags, logs: 'readable' | 'json', root = process.cwd()): CommandOptions {
  loadDotEnv(root);
  const env = readEnvironment();
  const motiaDir = resolve(root, flags.motiaDir ?? '.motia');
  return {
    env,
    app: appName(root, env),
    root,
    motiaDir,
    dataDir: resolve(root, env.dataDir ?? motiaDir),
    host: flags.host ?? env.host,
    port: flags.port ?? env.port,
    threads: flags.threads ?? env.threads,
    processes: flags.processes ?? env.processes,
    part: {
      steps: flags.steps ?? env.part.steps,
      topics: flags.topics ?? env.part.topics,
      flows: flags.flows ?? env.part.flows,
    },
    concurrency: flags.concurrency ?? env.concurrency,
    dist: flags.dist,
    logging: {
      level: flags.debug ? 'debug' : env.logLevel,
      pretty: logs === 'readable' && process.stdout.isTTY === true,
      color: env.color,
      showFields: flags.disableVerbose !== true,
    },
  };
}

export const commandLogger = (options: CommandOptions) => createLogger(options.logging);
