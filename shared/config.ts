/** What the environment says, read and validated in this one place; every other file is handed what it needs. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, delimiter, join, resolve } from 'node:path';
import { config as readDotEnv } from 'dotenv';
import { MotiaError } from './errors.ts';
import { LOG_LEVELS, type LogLevel } from './log-levels.ts';
import { DEFAULT_PARTITIONS } from './protocol/subjects.ts';
import type { AppPart } from './steps/app-part.ts';
import { BUILD_FOLDER, FILES_FOLDER } from './steps/paths.ts';
import * as z from './zod.ts';

export type { LogLevel };

/** Where the broker is, and how to log in to it. */
export interface BrokerAddress {
  /** One or more `nats://host:port`, separated by commas; never with a password in them. */
  servers: string;
  user?: string;
  password?: string;
  /** Path of a NATS credentials file. */
  credsFile?: string;
  /** Path of a file with the seed of an nkey. */
  nkeyFile?: string;
  /** Path of a PEM file with the certificate authority of the server. */
  caFile?: string;
  /** Paths of PEM files: the certificate that this client shows to the server, and its key. */
  certFile?: string;
  keyFile?: string;
  /** What the subjects begin with that answers come to; absent for what goes with the nkey, see `inboxPrefix`. */
  inboxPrefix?: string;
  /** Nothing is made on this broker: `motia provision` does it, and everyone else has no permission to. */
  locked?: boolean;
  /** On how many of its servers each broker stream is kept; absent for as it is, which is one in the beginning. */
  replicas?: number;
  /** Broker streams are kept in the server's memory, which makes them in a third of the time. For tests, whose server is not started again. */
  inMemory?: boolean;
}

/** Limits of realtime streams in a gateway; its own defaults count where there is none. See `gateway/streams/limits.ts`. */
export interface StreamLimitsEnvironment {
  clients?: number;
  clientsPerAddress?: number;
  subscriptions?: number;
  messageBytes?: number;
  bufferedBytes?: number;
  groupSize?: number;
}

/** The settings of the OpenTelemetry specification that concern traces over HTTP, and what is stored on the broker. */
export interface TelemetryEnvironment {
  /** Whether spans and log records are stored on the broker. */
  stored: boolean;
  /** How long they are, in days, and how many bytes of them; absent for what `motia.config` says. */
  days?: number;
  bytes?: number;
  /** Whether spans bear what was sent and answered, where `motia.config` says nothing. `motia dev` does so. */
  payloads: boolean;
  /** Makes no spans. */
  disabled: boolean;
  /** Full URL that spans are posted to; without one nothing is exported. */
  tracesUrl?: string;
  headers: Readonly<Record<string, string>>;
  serviceName?: string;
  sampler: (typeof SAMPLERS)[number];
  /** So many of the traces that a process begins in a second are recorded; absent for all that the sampler takes. */
  tracesPerSecond?: number;
  /** Share of traces kept by the ratio samplers, 0 to 1. */
  samplerRatio: number;
  resourceAttributes: Readonly<Record<string, string>>;
  /** How many spans of a process wait for their export at most, how many go together, and for how long fewer wait, in ms. */
  waitingSpans: number;
  exportedTogether: number;
  exportAfterMs: number;
}

export interface Environment {
  /** The broker of `NATS_URL`; without one, `motia dev` and `motia start` run a server of their own. */
  broker?: BrokerAddress;
  app?: string;
  host?: string;
  /** 0 means any free port. */
  port?: number;
  dataDir?: string;
  /** Path of the `nats-server` program to run. */
  natsServer?: string;
  /** The Python interpreter to use: a path, or a name on `PATH`. */
  python?: string;
  /** Folder of an activated Python environment. */
  virtualEnv?: string;
  /** What the admin API asks for, where it is not open. */
  adminToken?: string;
  /** Whether the Workbench is there. Without it the command decides. */
  workbench?: 'on' | 'off';
  /** Port of metrics and health; 0 means any free port. Without it the role decides. */
  metricsPort?: number | 'off';
  /** Handler threads of a worker. */
  threads: number;
  /** Handler processes of a Python worker. */
  processes: number;
  /** Partitions that message groups are spread over. */
  partitions: number;
  /** What a worker takes of the app. */
  part: AppPart;
  /** Runs at a time, in a worker, of an event step that says nothing about it. */
  concurrency?: number;
  streams: StreamLimitsEnvironment;
  /** How long a gateway that is to end goes on serving, while its health says that it is not ready. */
  drainMs: number;
  logLevel: LogLevel;
  /** False when `NO_COLOR` asks for plain text. */
  color: boolean;
  /** Folder for what may be fetched again. */
  cacheDir: string;
  /** Folders of `PATH`. */
  searchPath: readonly string[];
  /** The package manager that has started this program, as `pnpm/10.1.0 …`. */
  userAgent?: string;
  telemetry: TelemetryEnvironment;
}

/** Runs of one event step that one worker may be asked to have at a time. */
export const MOST_CONCURRENCY = 10_000;

/** Where nobody has said how many traces are wanted, and they are only stored on the broker. */
const TRACES_PER_SECOND = 100;

export type RawEnvironment = Record<string, string | undefined>;

const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

/** What a function makes of any text of a kind. */
const converted = <To>(text: z.ZodMiniString<string>, to: (text: string) => To) => z.pipe(text, z.transform(to));

const wholeNumber = (min: number, max: number) =>
  z.pipe(
    converted(z.string().check(z.regex(/^\d+$/, 'expected a whole number')), Number),
    z.number().check(z.minimum(min, `expected ${min} or more`), z.maximum(max, `expected ${max} or less`)),
  );

const oneOf = <const Names extends readonly string[]>(names: Names) =>
  z.pipe(z.string().check(z.toLowerCase()), z.enum(names, `expected one of ${names.join(', ')}`));

/** What a function finds in a text; nothing is a mistake. */
const read = <To>(mistake: string, find: (text: string) => To | undefined) =>
  z.pipe(
    z.string(),
    z.transform((text, ctx) => {
      const found = find(text);
      if (found !== undefined) return found;
      ctx.issues.push({ code: 'custom', message: mistake, input: text });
      return z.NEVER;
    }),
  );

/** Names with commas between them. */
const nameList = converted(z.string(), toNames);

const httpUrl = z.url({ protocol: /^https?$/, error: 'expected a URL that starts with http:// or https://' });

/** `name=value,name=value` with percent-encoded values, as OpenTelemetry writes lists. */
const pairs = read('expected name=value, several with commas', (text) => {
  const entries = text.split(',').map((pair) => /^\s*([^=\s]+)\s*=(.*)$/.exec(pair));
  if (!entries.every((entry) => entry !== null)) return undefined;
  return Object.fromEntries(entries.map(([, name = '', value = '']) => [name, percentDecoded(value.trim())]));
});

const serverUrls = read('expected nats://host:port, several with commas', (text) => {
  const urls = text.split(',').map((part) => brokerUrl(part.trim()));
  return urls.every((url) => url !== undefined) ? urls : undefined;
});

const schema = z.partial(
  z.object({
    NATS_URL: serverUrls,
    NATS_CREDS: z.string(),
    NATS_USER: z.string(),
    NATS_PASSWORD: z.string(),
    NATS_NKEY: z.string(),
    NATS_CA: z.string(),
    NATS_CERT: z.string(),
    NATS_KEY: z.string(),
    NATS_INBOX_PREFIX: z.string().check(z.regex(/^[\w-]+(\.[\w-]+)*$/, 'expected a subject without wildcards')),
    MOTIA_PROVISION: oneOf(['on', 'off']),
    MOTIA_APP: z.string().check(z.refine((name) => sanitise(name) !== '', 'expected at least one letter or digit')),
    MOTIA_HOST: z.string(),
    MOTIA_PORT: wholeNumber(0, 65_535),
    MOTIA_DATA_DIR: z.string(),
    MOTIA_NATS_SERVER: z.string(),
    MOTIA_PYTHON: z.string(),
    MOTIA_ADMIN_TOKEN: z.string(),
    MOTIA_WORKBENCH: oneOf(['on', 'off']),
    MOTIA_METRICS_PORT: z.union([z.literal('off'), wholeNumber(0, 65_535)], 'expected a port or off'),
    MOTIA_THREADS: wholeNumber(1, 64),
    MOTIA_PROCESSES: wholeNumber(1, 32),
    MOTIA_PARTITIONS: wholeNumber(1, 1_024),
    MOTIA_REPLICAS: wholeNumber(1, 5),
    MOTIA_STEPS: nameList,
    MOTIA_TOPICS: nameList,
    MOTIA_FLOWS: nameList,
    MOTIA_CONCURRENCY: wholeNumber(1, MOST_CONCURRENCY),
    MOTIA_STREAM_CLIENTS: wholeNumber(1, 1_000_000),
    MOTIA_STREAM_CLIENTS_PER_ADDRESS: wholeNumber(1, 1_000_000),
    MOTIA_STREAM_SUBSCRIPTIONS: wholeNumber(1, 100_000),
    MOTIA_STREAM_MESSAGE_BYTES: wholeNumber(1_024, 1_048_576),
    MOTIA_STREAM_BUFFER_BYTES: wholeNumber(65_536, 268_435_456),
    MOTIA_STREAM_GROUP_SIZE: wholeNumber(1_024, 400_000_000),
    MOTIA_DRAIN_DELAY: wholeNumber(0, 300),
    MOTIA_TELEMETRY: oneOf(['on', 'off']),
    MOTIA_TELEMETRY_DAYS: wholeNumber(1, 365),
    MOTIA_TELEMETRY_BYTES: wholeNumber(1_048_576, Number.MAX_SAFE_INTEGER),
    VIRTUAL_ENV: z.string(),
    LOG_LEVEL: oneOf([...LOG_LEVELS, 'critical']),
    NO_COLOR: z.string(),
    XDG_CACHE_HOME: z.string(),
    PATH: z.string(),
    npm_config_user_agent: z.string(),
    OTEL_SDK_DISABLED: oneOf(['true', 'false']),
    OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: httpUrl,
    OTEL_EXPORTER_OTLP_HEADERS: pairs,
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: pairs,
    OTEL_TRACES_EXPORTER: oneOf(['otlp', 'none']),
    OTEL_SERVICE_NAME: z.string(),
    OTEL_TRACES_SAMPLER: oneOf(SAMPLERS),
    OTEL_TRACES_SAMPLER_ARG: z.pipe(
      converted(z.string(), Number),
      z
        .number('expected a number from 0 to 1')
        .check(z.minimum(0, 'expected 0 or more'), z.maximum(1, 'expected 1 or less')),
    ),
    OTEL_RESOURCE_ATTRIBUTES: pairs,
    OTEL_BSP_MAX_QUEUE_SIZE: wholeNumber(1, 1_000_000),
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE: wholeNumber(1, 100_000),
    OTEL_BSP_SCHEDULE_DELAY: wholeNumber(1, 600_000),
  }),
);

/** Names of all variables that mean something. */
export const VARIABLES: readonly string[] = Object.keys(schema.shape);

type Values = z.infer<typeof schema>;

/** These may also be in a file, as secrets of containers are: `NATS_PASSWORD_FILE` is its path. */
const SECRETS = ['NATS_PASSWORD', 'MOTIA_ADMIN_TOKEN'] as const;

/**
 * Reads and freezes the settings of the environment. An empty value counts as absent.
 *
 * @throws MotiaError `INVALID_VALUE` that names the variable.
 */
export function readEnvironment(env: RawEnvironment = process.env): Environment {
  const present = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  for (const name of SECRETS) present[name] ??= readSecret(`${name}_FILE`, present);
  const parsed = schema.safeParse(present, { jitless: true }); // compiled it would be only for this once
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const name = String(issue?.path[0]);
    throw new MotiaError('INVALID_VALUE', `The environment variable ${name} is not valid: ${issue?.message}.`);
  }
  const values = parsed.data;
  return Object.freeze({
    broker: brokerAddress(values),
    app: values.MOTIA_APP,
    host: values.MOTIA_HOST,
    port: values.MOTIA_PORT,
    dataDir: values.MOTIA_DATA_DIR,
    natsServer: values.MOTIA_NATS_SERVER,
    python: values.MOTIA_PYTHON,
    virtualEnv: values.VIRTUAL_ENV,
    adminToken: values.MOTIA_ADMIN_TOKEN,
    workbench: values.MOTIA_WORKBENCH,
    metricsPort: values.MOTIA_METRICS_PORT,
    threads: values.MOTIA_THREADS ?? 2,
    processes: values.MOTIA_PROCESSES ?? 1,
    partitions: values.MOTIA_PARTITIONS ?? DEFAULT_PARTITIONS,
    part: Object.freeze({
      steps: values.MOTIA_STEPS ?? [],
      topics: values.MOTIA_TOPICS ?? [],
      flows: values.MOTIA_FLOWS ?? [],
    }),
    concurrency: values.MOTIA_CONCURRENCY,
    streams: streamLimits(values),
    drainMs: (values.MOTIA_DRAIN_DELAY ?? 0) * 1_000,
    logLevel: values.LOG_LEVEL === 'critical' ? 'error' : (values.LOG_LEVEL ?? 'info'),
    color: values.NO_COLOR === undefined,
    cacheDir: join(values.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'motia'),
    searchPath: Object.freeze((values.PATH ?? '').split(delimiter).filter(Boolean)),
    userAgent: values.npm_config_user_agent,
    telemetry: telemetry(values),
  });
}

/** What a variable's file has, without the line's end; `undefined` if nothing names one. */
function readSecret(name: string, env: RawEnvironment): string | undefined {
  const path = env[name];
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch (error) {
    const { message } = error as Error;
    throw new MotiaError(
      'INVALID_VALUE',
      `The environment variable ${name} names a file that cannot be read: ${message}.`,
    );
  }
}

/** What is between the commas. */
export function toNames(list: string): string[] {
  return list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** Adds the project's `.env` to the environment, for us and for user code. What is set already stays. */
export function loadDotEnv(root: string): void {
  readDotEnv({ path: join(root, '.env'), quiet: true, override: false });
}

/** The environment of a child process, with changes; `undefined` removes a variable. */
export function childEnvironment(changes: RawEnvironment): RawEnvironment {
  return { ...process.env, ...changes };
}

/**
 * The name that every broker subject of a project starts with: `MOTIA_APP`, else the name in `package.json`, else the
 * folder's. Only `[A-Za-z0-9_-]`, 40 characters at most.
 */
export function appName(root: string, env: Pick<Environment, 'app'>): string {
  const candidates = [env.app, readPackage(root).name, basename(resolve(root))];
  return candidates.map((name) => sanitise(name ?? '')).find((name) => name !== '') ?? 'app';
}

function brokerAddress(values: Values): BrokerAddress | undefined {
  const [first] = values.NATS_URL ?? [];
  if (values.NATS_URL === undefined || first === undefined) return undefined;
  return Object.freeze({
    servers: values.NATS_URL.map((url) => `${url.protocol}//${url.host}`).join(','),
    user: values.NATS_USER ?? (percentDecoded(first.username) || undefined),
    password: values.NATS_PASSWORD ?? (percentDecoded(first.password) || undefined),
    credsFile: values.NATS_CREDS,
    nkeyFile: values.NATS_NKEY,
    caFile: values.NATS_CA,
    certFile: values.NATS_CERT,
    keyFile: values.NATS_KEY,
    inboxPrefix: values.NATS_INBOX_PREFIX,
    locked: values.MOTIA_PROVISION === 'off' || undefined,
    replicas: values.MOTIA_REPLICAS,
  });
}

function brokerUrl(text: string): URL | undefined {
  const full = text.includes('://') ? text : `nats://${text}`;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  return url && /^(nats|tls):$/.test(url.protocol) && url.hostname !== '' ? url : undefined;
}

function streamLimits(values: Values): StreamLimitsEnvironment {
  const limits = {
    clients: values.MOTIA_STREAM_CLIENTS,
    clientsPerAddress: values.MOTIA_STREAM_CLIENTS_PER_ADDRESS,
    subscriptions: values.MOTIA_STREAM_SUBSCRIPTIONS,
    messageBytes: values.MOTIA_STREAM_MESSAGE_BYTES,
    bufferedBytes: values.MOTIA_STREAM_BUFFER_BYTES,
    groupSize: values.MOTIA_STREAM_GROUP_SIZE,
  };
  return Object.freeze(Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined)));
}

function telemetry(values: Values): TelemetryEnvironment {
  const base = values.OTEL_EXPORTER_OTLP_ENDPOINT;
  const tracesUrl = values.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? (base && `${base.replace(/\/$/, '')}/v1/traces`);
  // More than the 2,048 and 512 of the specification: a run that emits thousands of events would lose spans of them.
  const waitingSpans = values.OTEL_BSP_MAX_QUEUE_SIZE ?? 16_384;
  return Object.freeze({
    stored: values.MOTIA_TELEMETRY !== 'off',
    days: values.MOTIA_TELEMETRY_DAYS,
    bytes: values.MOTIA_TELEMETRY_BYTES,
    payloads: false,
    disabled: values.OTEL_SDK_DISABLED === 'true' || values.OTEL_TRACES_EXPORTER === 'none',
    tracesUrl,
    headers: Object.freeze(values.OTEL_EXPORTER_OTLP_TRACES_HEADERS ?? values.OTEL_EXPORTER_OTLP_HEADERS ?? {}),
    serviceName: values.OTEL_SERVICE_NAME,
    sampler: values.OTEL_TRACES_SAMPLER ?? 'parentbased_always_on',
    ...(values.OTEL_TRACES_SAMPLER === undefined && tracesUrl === undefined && { tracesPerSecond: TRACES_PER_SECOND }),
    samplerRatio: values.OTEL_TRACES_SAMPLER_ARG ?? 1,
    resourceAttributes: Object.freeze(values.OTEL_RESOURCE_ATTRIBUTES ?? {}),
    waitingSpans,
    exportedTogether: Math.min(values.OTEL_BSP_MAX_EXPORT_BATCH_SIZE ?? 2_048, waitingSpans),
    exportAfterMs: values.OTEL_BSP_SCHEDULE_DELAY ?? 5_000,
  });
}

/** A value that is not percent-encoded stays as it is. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function sanitise(name: string): string {
  return name
    .replace(/[^A-Za-z0-9_-]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40);
}

/** What the project's `package.json` says of itself: where there is only a build, the one in it. */
export function readPackage(root: string): { name?: string; version?: string } {
  const own = packageIn(root);
  return own.name === undefined ? { ...packageIn(join(root, BUILD_FOLDER, FILES_FOLDER)), ...own } : own;
}

function packageIn(folder: string): { name?: string; version?: string } {
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
  try {
    const parsed: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const { name, version } = parsed as { name?: unknown; version?: unknown };
    return { name: text(name), version: text(version) };
  } catch {
    return {}; // no package.json, or one that npm would refuse as well
  }
}
