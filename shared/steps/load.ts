/** Imports a bundle's modules and checks what they export. Runs where the handlers run: in a handler thread. */
import { pathToFileURL } from 'node:url';
import { MotiaError } from '../errors.ts';
import { canAccessId, STREAM_AUTH_ID } from '../protocol/access.ts';
import type { MotiaConfig, StepConfig, StreamAuthConfig, StreamConfig } from '../types.ts';
import { accessConfig } from './access-steps.ts';
import type { Bundle, StepFailure } from './bundle.ts';
import { validateConfig, validateStreamConfig } from './config-schema.ts';
import { CONFIG_FILES, isStreamFile } from './discover.ts';
import { explainUnusedKeys } from './former-keys.ts';
import { describeImportError } from './import-error.ts';
import { compileValidator } from './json-schema.ts';
import { describeStep, describeStream, type StepEntry, type StreamEntry } from './manifest.ts';
import { mergeSteps, mergeStreams } from './merge.ts';
import { handOverOwnPackage } from './own-package.ts';
import { type ProjectSettings, resolveSettings } from './project-settings.ts';
import { resolveTelemetrySettings } from './telemetry-settings.ts';
import { formatIssues, type ValidationResult } from './validation.ts';

export interface LoadedProject {
  steps: LoadedStep[];
  streams: StreamEntry[];
  /** What says who may follow them. */
  access: LoadedStep[];
  config: MotiaConfig;
  /** Of `config.http`, with defaults. */
  settings: ProjectSettings;
  failures: StepFailure[];
  /** One line each, for the log. */
  warnings: string[];
}

export interface LoadedStream {
  entry: StreamEntry;
  /** Its `canAccess`, if it has one. */
  access: LoadedStep | undefined;
}

export interface LoadedStep {
  entry: StepEntry;
  config: StepConfig;
  /** Absent in `noop` steps only. */
  handler?: (...args: never[]) => unknown;
  /** Checks `bodySchema`, `input` or `contextSchema`, if there is one. */
  validate?: (value: unknown) => ValidationResult;
}

/** Stands for a `streamAuth` that nobody can ask. */
const REFUSE_ALL: StreamAuthConfig = {
  authenticate() {
    throw new MotiaError('PROJECT_INVALID', 'streamAuth of motia.config cannot be used: see the log of the start');
  },
};

/** Loads all that loads; the rest is in `failures`. Never throws for what user code does. */
export async function loadBundle(bundle: Bundle): Promise<LoadedProject> {
  const { config, settings, warnings, steps, streams, failures } = await loadFiles(bundle);
  const own = steps.map(({ entry }) => entry);
  const merged = mergeSteps([], own, 'node');
  const entries = new Map(merged.steps.map((entry) => [entry.file, entry]));
  const served = steps.flatMap((step) => {
    const entry = entries.get(step.entry.file);
    return entry ? [{ ...step, entry }] : [];
  });
  const ownStreams = streams.map(({ entry }) => entry);
  const mergedStreams = mergeStreams([], ownStreams, 'node');
  const kept = streams.filter(({ entry }) => mergedStreams.streams.includes(entry));
  const access = kept.flatMap((stream) => stream.access ?? []);
  if (config.streamAuth) access.push(readStreamAuth(config.streamAuth));
  warnings.push(...merged.warnings, ...mergedStreams.warnings);
  return { steps: served, streams: mergedStreams.streams, access, config, settings, failures, warnings };
}

/** The same before names and routes are given out: of several that want the same one, all are there. */
export async function loadFiles(bundle: Bundle) {
  process.setSourceMapsEnabled(true);
  handOverOwnPackage();
  const { config, settings, warnings } = await loadConfig(bundle);
  const steps: LoadedStep[] = [];
  const streams: LoadedStream[] = [];
  const failures: StepFailure[] = [];
  for (const entry of bundle.entries) {
    try {
      const exports = await importModule(entry.output);
      const loaded = isStreamFile(entry.file) ? readStream(entry.file, exports) : readStep(entry.file, exports);
      if (typeof loaded === 'string')
        failures.push({ file: entry.file, message: `${entry.file}: ${loaded}`, kept: false });
      else if ('access' in loaded) streams.push(loaded);
      else steps.push(loaded);
    } catch (error) {
      failures.push({ ...describeImportError(error, bundle.root, entry.file), kept: false });
    }
  }
  return { config, settings, warnings, steps, streams, failures };
}

async function loadConfig(bundle: Bundle) {
  const warnings: string[] = [];
  let config: MotiaConfig = {};
  // What cannot be read may ask for authentication.
  if (bundle.config === undefined && bundle.failures.some(({ file }) => CONFIG_FILES.includes(file))) {
    config = { streamAuth: REFUSE_ALL };
  }
  if (bundle.config !== undefined) {
    try {
      config = ((await importModule(bundle.config)).default ?? {}) as MotiaConfig;
    } catch (error) {
      const { message } = describeImportError(error, bundle.root, 'motia.config');
      warnings.push(`${message}; going on with the defaults, and clients of streams are refused`);
      config = { streamAuth: REFUSE_ALL };
    }
  }
  if (config.streamAuth && typeof config.streamAuth.authenticate !== 'function') {
    warnings.push('motia.config: streamAuth has no function "authenticate": clients of streams are refused');
    config = { ...config, streamAuth: REFUSE_ALL };
  }
  warnings.push(...explainUnusedKeys(config));
  const warn = (error: unknown) =>
    void warnings.push(`motia.config: ${(error as Error).message}; going on with the defaults`);
  let settings: ProjectSettings;
  try {
    settings = resolveSettings(config);
  } catch (error) {
    warn(error);
    const { http: _, ...rest } = config;
    config = rest;
    settings = resolveSettings(rest);
  }
  try {
    const telemetry = resolveTelemetrySettings(config);
    if (telemetry) settings.telemetry = telemetry;
  } catch (error) {
    warn(error);
  }
  return { config, settings, warnings };
}

/** The exports of a module. A CommonJS file has all of them on `default`. */
async function importModule(output: string): Promise<Record<string, unknown>> {
  const exports: Record<string, unknown> = await import(pathToFileURL(output).href);
  const inner = exports.default;
  const isCommonJs = Object.keys(exports).length === 1 && inner !== null && typeof inner === 'object';
  return isCommonJs && ('config' in inner || 'default' in inner) ? (inner as Record<string, unknown>) : exports;
}

/** The step that a module exports, or what is wrong with it. */
function readStep(file: string, exports: Record<string, unknown>): LoadedStep | string {
  if (exports.config === undefined) return 'no export named "config"';
  const valid = validateConfig(exports.config);
  if (!valid.ok) return `invalid config: ${formatIssues(valid.issues)}`;
  const config = exports.config as StepConfig;
  const step: LoadedStep = { entry: describeStep(file, 'node', config), config };
  if (config.type === 'noop') return step;
  if (typeof exports.handler !== 'function') return 'no function exported as "handler"';
  step.handler = exports.handler as NonNullable<LoadedStep['handler']>;
  const schema = config.type === 'api' ? config.bodySchema : config.type === 'event' ? config.input : undefined;
  if (schema) step.validate = compileValidator(schema);
  return step;
}

/** The stream that a module exports, or what is wrong with it. */
function readStream(file: string, exports: Record<string, unknown>): LoadedStream | string {
  if (exports.config === undefined) return 'no export named "config"';
  const valid = validateStreamConfig(exports.config);
  if (!valid.ok) return `invalid config: ${formatIssues(valid.issues)}`;
  const config = exports.config as StreamConfig;
  if (exports.canAccess !== undefined && typeof exports.canAccess !== 'function') return '"canAccess" is no function';
  const canAccess = config.canAccess?.bind(config) ?? (exports.canAccess as StreamConfig['canAccess']);
  const entry = describeStream(file, 'node', { ...config, ...(canAccess && { canAccess }) });
  return { entry, access: canAccess && toAccess(canAccessId(config.name), file, canAccess) };
}

function readStreamAuth(streamAuth: StreamAuthConfig): LoadedStep {
  const step = toAccess(STREAM_AUTH_ID, 'motia.config', streamAuth.authenticate.bind(streamAuth));
  if (streamAuth.contextSchema) step.validate = compileValidator(streamAuth.contextSchema);
  return step;
}

function toAccess(id: string, file: string, handler: NonNullable<LoadedStep['handler']>): LoadedStep {
  const config = accessConfig(id);
  return { entry: describeStep(file, 'node', config), config, handler };
}
