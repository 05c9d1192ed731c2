/** The manifest: what gateway, scheduler and tools know of the steps, without loading any user code. */
import { createHash } from 'node:crypto';
import type { Emit, Infrastructure, JsonSchema, QueryParam, StepConfig, StreamConfig } from '../types.ts';
import { toJsonSchema } from './json-schema.ts';
import type { ProjectSettings } from './project-settings.ts';

/** A topic in its long form. */
export interface EmitEntry {
  topic: string;
  label?: string;
  conditional?: boolean;
}

/** One step, as data. */
export interface StepEntry {
  /** Unique in the project: the name, or `name@file` when an earlier file has that name. */
  id: string;
  name: string;
  type: StepConfig['type'];
  language: 'node' | 'python';
  /** Source file, relative to the project, with `/`. */
  file: string;
  description?: string;
  flows: string[];
  emits: EmitEntry[];
  virtualEmits: EmitEntry[];
  virtualSubscribes: string[];
  /** The groups of state that it may touch; absent: all. */
  stateGroups?: string[];
  /** Of `api` steps; upper case. */
  method?: string;
  path?: string;
  bodySchema?: JsonSchema;
  /** By status code. */
  responseSchema?: Record<string, JsonSchema>;
  queryParams?: QueryParam[];
  /** Of `event` steps. */
  subscribes?: string[];
  inputSchema?: JsonSchema;
  infrastructure?: Infrastructure;
  /** Of `cron` steps. */
  cron?: string;
  timezone?: string;
  missed?: 'skip' | 'catchUp';
  overlap?: boolean;
}

/** One realtime stream, as data. */
export interface StreamEntry {
  /** Unique in the project. */
  name: string;
  language: StepEntry['language'];
  /** Source file, relative to the project, with `/`. */
  file: string;
  schema?: JsonSchema;
  /** Its file has a function that says who may follow it; otherwise everyone may. */
  canAccess?: true;
}

export interface Manifest {
  protocol: 1;
  app: string;
  /** 16 hex digits of the SHA-256 of all the rest. */
  version: string;
  steps: StepEntry[];
  /** Absent when there are none. */
  streams?: StreamEntry[];
  settings: ProjectSettings;
}

/** Describes a step from its valid config. The id is the name until `mergeSteps` has seen all steps. */
export function describeStep(file: string, language: StepEntry['language'], config: StepConfig): StepEntry {
  const common: StepEntry = {
    id: config.name,
    name: config.name,
    type: config.type,
    language,
    file,
    ...(config.description !== undefined && { description: config.description }),
    flows: [...(config.flows ?? [])],
    emits: config.type === 'noop' ? [] : config.emits.map(toEmitEntry),
    virtualEmits: (config.virtualEmits ?? []).map(toEmitEntry),
    virtualSubscribes: [...(config.virtualSubscribes ?? [])],
  };
  const stateGroups = config.type === 'noop' || !config.stateGroups ? undefined : [...config.stateGroups];
  return dropUndefined({ ...common, stateGroups, ...describeKind(config) });
}

function describeKind(config: StepConfig): Partial<StepEntry> {
  switch (config.type) {
    case 'api':
      return {
        method: config.method.toUpperCase(),
        path: config.path,
        bodySchema: toJsonSchema(config.bodySchema),
        responseSchema: describeResponses(config.responseSchema),
        queryParams: config.queryParams?.map(({ name, description }) => ({ name, description })),
      };
    case 'event':
      return {
        subscribes: [...config.subscribes],
        inputSchema: toJsonSchema(config.input),
        infrastructure: structuredClone(config.infrastructure),
      };
    case 'cron':
      return { cron: config.cron, timezone: config.timezone, missed: config.missed, overlap: config.overlap };
    case 'noop':
      return {};
  }
}

/** Describes a stream from its valid config. */
export function describeStream(file: string, language: StreamEntry['language'], config: StreamConfig): StreamEntry {
  const { name, schema, canAccess } = config;
  const accessible = typeof canAccess === 'function' ? true : undefined;
  return dropUndefined({
    name,
    language,
    file,
    schema: toJsonSchema(schema, 'output'),
    canAccess: accessible,
  }) as StreamEntry;
}

/** Puts a manifest together. Equal contents have equal versions. */
export function createManifest(contents: {
  app: string;
  steps: readonly StepEntry[];
  streams?: readonly StreamEntry[] | undefined;
  settings: ProjectSettings;
}): Manifest {
  const { app, settings, streams = [] } = contents;
  const rest = {
    protocol: 1 as const,
    app,
    steps: [...contents.steps],
    ...(streams.length > 0 && { streams: [...streams] }),
    settings,
  };
  const version = createHash('sha256').update(canonicalJson(rest)).digest('hex').slice(0, 16);
  return { ...rest, version };
}

function describeResponses(schemas: unknown): Record<string, JsonSchema> | undefined {
  if (schemas === undefined || schemas === null) return undefined;
  const pairs = Object.entries(schemas).map(([status, schema]) => [status, toJsonSchema(schema, 'output')] as const);
  return Object.fromEntries(pairs.filter((pair): pair is [string, JsonSchema] => pair[1] !== undefined));
}

function toEmitEntry(emit: Emit): EmitEntry {
  if (typeof emit === 'string') return { topic: emit };
  const { topic, label, conditional } = emit;
  return dropUndefined({ topic, label, conditional });
}

/** JSON with the keys of every object sorted. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

function dropUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as T;
}
