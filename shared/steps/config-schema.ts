/** The rules for the `config` of a step or a stream, strict: an unknown key is a mistake, not a wish. */
import { LONGEST_WAIT_S } from '../longest-wait.ts';
import { RESERVED_MARK } from '../protocol/access.ts';
import type { StepConfig } from '../types.ts';
import * as z from '../zod.ts';
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
  z.object({ topic: z.string(), label: z.optional(z.string()), conditional: z.optional(z.boolean()) }),
]);
const schema = z.custom<object>(isObject, 'Expected a zod schema or a JSON Schema object');
const handlerFunction = z.custom<object>(isFunction, 'Expected a function');

/** A text that a function finds nothing wrong with. */
const explained = (explain: (text: string) => string | undefined) =>
  z.string().check(
    z.superRefine((text, ctx) => {
      const message = explain(text);
      if (message !== undefined) ctx.addIssue({ code: 'custom', message });
    }),
  );

const texts = z.array(z.string());
const atLeast = (least: number) => z.number().check(z.minimum(least));
const between = (least: number, most: number) => z.number().check(z.minimum(least), z.maximum(most));
const wholeAtLeast = (least: number) => z.int().check(z.minimum(least));
const wholeBetween = (least: number, most: number) => z.int().check(z.minimum(least), z.maximum(most));

/** Ids that begin with it are those of calls to what is no step. */
const stepName = z.string().check(
  z.minLength(1),
  z.refine((name) => !name.startsWith(RESERVED_MARK), { error: `Must not begin with "${RESERVED_MARK}"` }),
);

const base = {
  name: stepName,
  description: z.optional(z.string()),
  flows: z.optional(texts),
  virtualEmits: z.optional(z.array(emit)),
  virtualSubscribes: z.optional(texts),
  includeFiles: z.optional(texts),
};

/** Of steps that have a handler. */
const running = { ...base, stateGroups: z.optional(texts) };

const handler = z
  .object({
    ram: z.optional(between(128, 10240)),
    cpu: z.optional(z.number().check(z.positive())),
    timeout: z.optional(between(1, 900)),
  })
  .check(
    z.refine(({ ram, cpu }) => ram === undefined || cpu === undefined || Math.abs(cpu - cpuOf(ram)) <= CPU_TOLERANCE, {
      path: ['cpu'],
      error: 'Does not fit ram: 1 vCPU goes with 2048 MB, other sizes in proportion',
    }),
  );

const backoff = z.strictObject({
  initial: z.optional(between(0, LONGEST_WAIT_S)),
  factor: z.optional(between(1, 100)),
  max: z.optional(between(0, LONGEST_WAIT_S)),
  jitter: z.optional(between(0, 1)),
});

const rateLimit = z.strictObject({
  limit: wholeBetween(1, 100_000),
  per: between(0.1, 86_400),
});

const queue = z
  .object({
    type: z.optional(z.enum(['fifo', 'standard'])),
    maxRetries: z.optional(wholeAtLeast(0)),
    visibilityTimeout: z.optional(atLeast(1)),
    delaySeconds: z.optional(between(0, 900)),
    concurrency: z.optional(wholeAtLeast(1)),
    globalConcurrency: z.optional(wholeBetween(1, 20_000)),
    rateLimit: z.optional(rateLimit),
    backoff: z.optional(backoff),
    deadLetter: z.optional(z.boolean()),
  })
  .check(
    z.refine(({ type, globalConcurrency }) => type !== 'fifo' || globalConcurrency === undefined, {
      path: ['globalConcurrency'],
      error: 'Not with type fifo, which runs one event of each message group at a time',
    }),
  );

const infrastructure = z.object({ handler: z.optional(handler), queue: z.optional(queue) }).check(
  z.refine((value) => (value.queue?.visibilityTimeout ?? Infinity) > (value.handler?.timeout ?? 0), {
    path: ['queue', 'visibilityTimeout'],
    error: 'Must be greater than handler.timeout',
  }),
);

/** Of the `config` of a step, by its type. */
export const configSchemas = {
  api: z.strictObject({
    ...running,
    type: z.literal('api'),
    path: z.string().check(z.minLength(1)),
    method: z.string().check(
      z.refine((method) => METHODS.includes(method.toUpperCase()), {
        error: `Expected one of ${METHODS.join(', ')}`,
      }),
    ),
    emits: z.array(emit),
    middleware: z.optional(z.array(handlerFunction)),
    bodySchema: z.nullish(schema),
    responseSchema: z.nullish(z.record(z.string(), schema)),
    queryParams: z.optional(z.array(z.object({ name: z.string(), description: z.string() }))),
  }),
  event: z.strictObject({
    ...running,
    type: z.literal('event'),
    subscribes: texts,
    emits: z.array(emit),
    input: z.nullish(schema),
    infrastructure: z.optional(infrastructure),
  }),
  cron: z.strictObject({
    ...running,
    type: z.literal('cron'),
    cron: explained(explainCron),
    emits: z.array(emit),
    timezone: z.optional(explained(explainTimezone)),
    missed: z.optional(z.enum(['skip', 'catchUp'])),
    overlap: z.optional(z.boolean()),
  }),
  noop: z.strictObject({
    ...base,
    type: z.literal('noop'),
    virtualEmits: z.array(emit),
    virtualSubscribes: texts,
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
  name: z.string().check(z.minLength(1)),
  schema: z.nullish(schema),
  baseConfig: z.object({
    storageType: z.literal('default', {
      error: ({ input }) =>
        input === 'custom'
          ? 'Storage of the project\'s own ("custom") is not supported: use "default", items are kept by the broker'
          : 'Expected "default"',
    }),
  }),
  canAccess: z.nullish(handlerFunction),
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
