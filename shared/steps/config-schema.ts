/** The rules for the `config` of a step or a stream, strict: an unknown key is a mistake, not a wish. */
import { z } from 'zod';
import { LONGEST_WAIT_S } from '../longest-wait.ts';
import { RESERVED_MARK } from '../protocol/access.ts';
import type { StepConfig } from '../types.ts';
import { explainCron, explainTimezone } from './cron-expression.ts';
import type { ValidationResult } from './validation.ts';
import { toIssues } from './validation.ts';

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD'];

/** MB of memory to vCPUs; between these points the value is interpolated. */
const CPU_OF_RAM: readonly (readonly [ram: number, cpu: number])[] = [
  [128, 0.0625],
  [1024, 0.5],
  [2048, 1],
  [4096, 2],
  [10240, 5],
];
const CPU_TOLERANCE = 0.1;

const isFunction = (value: unknown) => typeof value === 'function';
const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);

const emit = z.union([
  z.string(),
  z.object({ topic: z.string(), label: z.string().optional(), conditional: z.boolean().optional() }),
]);
const schema = z.custom<object>(isObject, 'Expected a zod schema or a JSON Schema object');
const handlerFunction = z.custom<object>(isFunction, 'Expected a function');

/** A check by a function that says what is wrong with a text. */
const refused = (explain: (text: string) => string | undefined) => (text: string, ctx: z.RefinementCtx) => {
  const message = explain(text);
  if (message !== undefined) ctx.addIssue({ code: 'custom', message });
};

/** Ids that begin with it are those of calls to what is no step. */
const stepName = z
  .string()
  .min(1)
  .refine((name) => !name.startsWith(RESERVED_MARK), { error: `Must not begin with "${RESERVED_MARK}"` });

const base = {
  name: stepName,
  description: z.string().optional(),
  flows: z.array(z.string()).optional(),
  virtualEmits: z.array(emit).optional(),
  virtualSubscribes: z.array(z.string()).optional(),
  includeFiles: z.array(z.string()).optional(),
};

/** Of steps that have a handler. */
const running = { ...base, stateGroups: z.array(z.string()).optional() };

const handler = z
  .object({
    ram: z.number().min(128).max(10240).optional(),
    cpu: z.number().positive().optional(),
    timeout: z.number().min(1).max(900).optional(),
  })
  .refine(({ ram, cpu }) => ram === undefined || cpu === undefined || Math.abs(cpu - cpuOf(ram)) <= CPU_TOLERANCE, {
    path: ['cpu'],
    error: 'Does not fit ram: 1 vCPU goes with 2048 MB, other sizes in proportion',
  });

const backoff = z.strictObject({
  initial: z.number().min(0).max(LONGEST_WAIT_S).optional(),
  factor: z.number().min(1).max(100).optional(),
  max: z.number().min(0).max(LONGEST_WAIT_S).optional(),
  jitter: z.number().min(0).max(1).optional(),
});

const rateLimit = z.strictObject({
  limit: z.int().min(1).max(100_000),
  per: z.number().min(0.1).max(86_400),
});

const queue = z
  .object({
    type: z.enum(['fifo', 'standard']).optional(),
    maxRetries: z.int().min(0).optional(),
    visibilityTimeout: z.number().min(1).optional(),
    delaySeconds: z.number().min(0).max(900).optional(),
    concurrency: z.int().min(1).optional(),
    globalConcurrency: z.int().min(1).max(20_000).optional(),
    rateLimit: rateLimit.optional(),
    backoff: backoff.optional(),
    deadLetter: z.boolean().optional(),
  })
  .refine(({ type, globalConcurrency }) => type !== 'fifo' || globalConcurrency === undefined, {
    path: ['globalConcurrency'],
    error: 'Not with type fifo, which runs one event of each message group at a time',
  });

const infrastructure = z
  .object({ handler: handler.optional(), queue: queue.optional() })
  .refine((value) => (value.queue?.visibilityTimeout ?? Infinity) > (value.handler?.timeout ?? 0), {
    path: ['queue', 'visibilityTimeout'],
    error: 'Must be greater than handler.timeout',
  });

/** Of the `config` of a step, by its type. */
export const configSchemas = {
  api: z.strictObject({
    ...running,
    type: z.literal('api'),
    path: z.string().min(1),
    method: z.string().refine((method) => METHODS.includes(method.toUpperCase()), {
      error: `Expected one of ${METHODS.join(', ')}`,
    }),
    emits: z.array(emit),
    middleware: z.array(handlerFunction).optional(),
    bodySchema: schema.nullish(),
    responseSchema: z.record(z.string(), schema).nullish(),
    queryParams: z.array(z.object({ name: z.string(), description: z.string() })).optional(),
  }),
  event: z.strictObject({
    ...running,
    type: z.literal('event'),
    subscribes: z.array(z.string()),
    emits: z.array(emit),
    input: schema.nullish(),
    infrastructure: infrastructure.optional(),
  }),
  cron: z.strictObject({
    ...running,
    type: z.literal('cron'),
    cron: z.string().superRefine(refused(explainCron)),
    emits: z.array(emit),
    timezone: z.string().superRefine(refused(explainTimezone)).optional(),
    missed: z.enum(['skip', 'catchUp']).optional(),
    overlap: z.boolean().optional(),
  }),
  noop: z.strictObject({
    ...base,
    type: z.literal('noop'),
    virtualEmits: z.array(emit),
    virtualSubscribes: z.array(z.string()),
  }),
};

/** Checks what a step file exports as `config`. */
export function validateConfig(config: unknown): ValidationResult {
  const type = isObject(config) ? (config as Partial<StepConfig>).type : undefined;
  const schemaOfType = typeof type === 'string' && Object.hasOwn(configSchemas, type) ? configSchemas[type] : undefined;
  if (schemaOfType === undefined) {
    const path = isObject(config) ? 'type' : '';
    return { ok: false, issues: [{ path, message: `Expected a step config of type api, event, cron or noop` }] };
  }
  const result = schemaOfType.safeParse(config);
  return result.success ? { ok: true } : { ok: false, issues: toIssues(result.error) };
}

/** Of the `config` of a stream. */
export const streamConfigSchema = z.strictObject({
  name: z.string().min(1),
  schema: schema.nullish(),
  baseConfig: z.object({
    storageType: z.literal('default', {
      error: ({ input }) =>
        input === 'custom'
          ? 'Storage of the project\'s own ("custom") is not supported: use "default", items are kept by the broker'
          : 'Expected "default"',
    }),
  }),
  canAccess: handlerFunction.nullish(),
});

/** Checks what a stream file exports as `config`. */
export function validateStreamConfig(config: unknown): ValidationResult {
  const result = streamConfigSchema.safeParse(config);
  return result.success ? { ok: true } : { ok: false, issues: toIssues(result.error) };
}

export function cpuOf(ram: number): number {
  const next = CPU_OF_RAM.findIndex(([size]) => size >= ram);
  const [ramAbove, cpuAbove] = CPU_OF_RAM.at(next) as readonly [number, number];
  const [ramBelow, cpuBelow] = CPU_OF_RAM.at(Math.max(0, next - 1)) as readonly [number, number];
  if (ramAbove === ramBelow) return cpuAbove;
  return cpuBelow + ((ram - ramBelow) / (ramAbove - ramBelow)) * (cpuAbove - cpuBelow);
}
