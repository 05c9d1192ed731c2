/** Schemas of users, in whichever library they were written: as JSON Schema for display, as validators for requests. */
import { createRequire } from 'node:module';
import type { ErrorObject, ValidateFunction } from 'ajv';
import type { JsonSchema, StepSchema, ZodLike } from '../types.ts';
import { type core, toJSONSchema } from '../zod.ts';
import { toIssues, type ValidationResult } from './validation.ts';

// Loaded on first use: most projects need neither, and start is what people wait for.
const require = createRequire(import.meta.url);

/** Which side of the schema's transforms and defaults is described: what comes in, or what goes out. */
export type SchemaSide = 'input' | 'output';

/** The schema as JSON Schema (2020-12 for zod 4, draft 7 for zod 3); `undefined` when there is no telling. */
export function toJsonSchema(
  schema: StepSchema | null | undefined,
  side: SchemaSide = 'input',
): JsonSchema | undefined {
  if (schema === null || schema === undefined) return undefined;
  try {
    const { $schema: _, ...converted } = convert(schema, side);
    // Through JSON: it goes to other threads and processes, so nothing but data may be left in it.
    return JSON.parse(JSON.stringify(converted));
  } catch {
    return undefined;
  }
}

function convert(schema: StepSchema, side: SchemaSide): JsonSchema {
  if (!isZod(schema)) return schema;
  if ('_zod' in schema) {
    return toJSONSchema(schema as unknown as core.$ZodType, { io: side, unrepresentable: 'any' }) as JsonSchema;
  }
  const { zodToJsonSchema } = require('zod-to-json-schema') as typeof import('zod-to-json-schema');
  type Zod3Schema = Parameters<typeof zodToJsonSchema>[0];
  return zodToJsonSchema(schema as unknown as Zod3Schema, { pipeStrategy: side }) as JsonSchema;
}

/** A check of values against the schema. It never throws: what it cannot check is an issue. */
export function compileValidator(schema: StepSchema): (value: unknown) => ValidationResult {
  const check = isZod(schema) ? zodCheck(schema) : jsonSchemaCheck(schema);
  return (value) => {
    try {
      return check(value);
    } catch (error) {
      return { ok: false, issues: toIssues(error) };
    }
  };
}

function zodCheck(schema: ZodLike): (value: unknown) => ValidationResult {
  return (value) => {
    const { success, error } = schema.safeParse(value);
    return success ? { ok: true } : { ok: false, issues: toIssues(error) };
  };
}

function jsonSchemaCheck(schema: JsonSchema): (value: unknown) => ValidationResult {
  let validate: ValidateFunction | undefined;
  return (value) => {
    validate ??= compileJsonSchema(schema);
    return validate(value) ? { ok: true } : { ok: false, issues: (validate.errors ?? []).map(toIssue) };
  };
}

function compileJsonSchema(schema: JsonSchema): ValidateFunction {
  const dialect = String(schema.$schema ?? '').includes('2020-12') ? 'ajv/dist/2020.js' : 'ajv';
  const { default: Ajv } = require(dialect) as typeof import('ajv');
  // Keywords and formats that it does not know are notes to people.
  return new Ajv({ allErrors: true, strict: false, validateFormats: false, logger: false }).compile(schema);
}

function toIssue({ instancePath, message = 'Invalid value' }: ErrorObject) {
  return { path: instancePath.slice(1).replaceAll('/', '.'), message };
}

function isZod(schema: StepSchema): schema is ZodLike {
  return typeof (schema as Partial<ZodLike>).safeParse === 'function';
}
