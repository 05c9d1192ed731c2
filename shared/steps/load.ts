/** Imports a bundle's modules and checks what they export. Runs where the handlers run: in a handler thread. */
import { pathToFileURL } from 'node:url';
import type { MotiaConfig, StepConfig, StreamConfig } from '../types.ts';
import type { Bundle, StepFailure } from './bundle.ts';
import { validateConfig, validateStreamConfig } from './config-schema.ts';
import { isStreamFile } from './discover.ts';
import { type HttpSettings, resolveHttpSettings } from './http-settings.ts';
import { describeImportError } from './import-error.ts';
import { compileValidator } from './json-schema.ts';
import { describeStep, describeStream, type StepEntry, type StreamEntry } from './manifest.ts';
import { mergeSteps, mergeStreams } from './merge.ts';
import { resolveTelemetrySettings } from './telemetry-settings.ts';
import { formatIssues, type ValidationResult } from './validation.ts';

export interface LoadedProject {
  steps: LoadedStep[];
  streams: StreamEntry[];
  config: MotiaConfig;
  /** Of `config.http`, with defaults. */
  settings: HttpSettings;
  failures: StepFailure[];
  /** One line each, for the log. */
  warnings: string[];
}

export interface LoadedStep {
  entry: StepEntry;
  config: StepConfig;
  /** Absent in `noop` steps only. */
  handler?: (...args: never[]) => unknown;
  /** Checks `bodySchema` or `input`, if the step has one. */
  validate?: (value: unknown) => ValidationResult;
}

/** Keys of a Motia 0.x config that mean something there and nothing here. `plugins` only fed the old UI. */
const NOT_SERVED: readonly (keyof MotiaConfig)[] = ['adapters', 'app', 'redis', 'streamAuth'];

/** Loads all that loads; the rest is in `failures`. Never throws for what user code does. */
export async function loadBundle(bundle: Bundle): Promise<LoadedProject> {
  process.setSourceMapsEnabled(true);
  const { config, settings, warnings } = await loadConfig(bundle);
  const steps: LoadedStep[] = [];
  const streams: StreamEntry[] = [];
  const failures: StepFailure[] = [];
  for (const entry of bundle.entries) {
    try {
      const exports = await importModule(entry.output);
      const loaded = isStreamFile(entry.file) ? readStream(entry.file, exports) : readStep(entry.file, exports);
      if (typeof loaded === 'string')
        failures.push({ file: entry.file, message: `${entry.file}: ${loaded}`, kept: false });
      else if ('entry' in loaded) steps.push(loaded);
      else streams.push(loaded);
    } catch (error) {
      failures.push({ ...describeImportError(error, bundle.root, entry.file), kept: false });
    }
  }
  const own = steps.map(({ entry }) => entry);
  const merged = mergeSteps([], own, 'node');
  const entries = new Map(merged.steps.map((entry) => [entry.file, entry]));
  const served = steps.flatMap((step) => {
    const entry = entries.get(step.entry.file);
    return entry ? [{ ...step, entry }] : [];
  });
  const mergedStreams = mergeStreams([], streams, 'node');
  warnings.push(...merged.warnings, ...mergedStreams.warnings);
  return { steps: served, streams: mergedStreams.streams, config, settings, failures, warnings };
}

async function loadConfig(bundle: Bundle) {
  const warnings: string[] = [];
  let config: MotiaConfig = {};
  if (bundle.config !== undefined) {
    try {
      config = ((await importModule(bundle.config)).default ?? {}) as MotiaConfig;
    } catch (error) {
      const { message } = describeImportError(error, bundle.root, 'motia.config');
      warnings.push(`${message}; going on with the defaults`);
    }
  }
  for (const key of NOT_SERVED) {
    if (config[key] !== undefined) warnings.push(`motia.config: "${key}" is not supported and has no effect`);
  }
  const warn = (error: unknown) =>
    void warnings.push(`motia.config: ${(error as Error).message}; going on with the defaults`);
  let settings: HttpSettings;
  try {
    settings = resolveHttpSettings(config);
  } catch (error) {
    warn(error);
    const { http: _, ...rest } = config;
    config = rest;
    settings = resolveHttpSettings(rest);
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
function readStream(file: string, exports: Record<string, unknown>): StreamEntry | string {
  if (exports.config === undefined) return 'no export named "config"';
  const valid = validateStreamConfig(exports.config);
  if (!valid.ok) return `invalid config: ${formatIssues(valid.issues)}`;
  return describeStream(file, 'node', exports.config as StreamConfig);
}
