/** What the types of the package infer and refuse, with both compilers: each line that is wrong has to be an error. */
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { typeErrors } from '../../helpers/compiler.ts';
import { REPOSITORY } from '../../helpers/project.ts';
import { createProject, TSCONFIG } from './program.ts';

/** By zod version, since either may be that of a project. */
const stepsWith = (zod: string) => `
import type { ApiMiddleware, ApiRouteConfig, CronConfig, EventConfig, NoopConfig, StepHandler, StreamConfig } from 'motia';
import { z } from '${zod}';

export const api = {
  type: 'api', name: 'Order', method: 'POST', path: '/orders', emits: ['order.created', { topic: 'order.ranked', label: 'rank' }],
  bodySchema: z.object({ item: z.string(), count: z.number().default(1) }),
  responseSchema: { 202: z.object({ id: z.string() }), 400: z.object({ error: z.string() }) },
} as const satisfies ApiRouteConfig;
export const handleApi: StepHandler<typeof api> = async (req, { emit, state, attempt, signal }) => {
  const total: number = req.body.count + attempt;
  // @ts-expect-error no such field in the body
  req.body.price;
  await emit({ topic: 'order.created', data: { total }, id: 'x', delay: 1 });
  await emit({ topic: 'order.ranked', data: null, messageGroupId: 'a' });
  // @ts-expect-error a topic that the step does not emit
  await emit({ topic: 'order.lost', data: {} });
  // @ts-expect-error no such option
  await emit({ topic: 'order.created', data: {}, later: 1 });
  const kept = await state.get<{ a: number }>('g', 'k');
  // @ts-expect-error it may not be there
  kept.a;
  await state.set('g', 'k', 1, { ttl: 60, ifRevision: 0 });
  // @ts-expect-error no such option
  await state.set('g', 'k', 1, { expires: 60 });
  await state.update('g', 'k', [{ type: 'increment', path: 'a' }]);
  // @ts-expect-error no such operation
  await state.update('g', 'k', [{ type: 'multiply', path: 'a' }]);
  if (signal.aborted) return { status: 400, body: { error: 'gone' }, headers: { 'retry-after': '1' } };
  return { status: 202, body: { id: req.pathParams.id ?? 'x' } };
};
// @ts-expect-error no such status
export const early: StepHandler<typeof api> = async () => ({ status: 200, body: { id: 'x' } });
// @ts-expect-error the body of another status
export const mixed: StepHandler<typeof api> = async () => ({ status: 202, body: { error: 'x' } });

export const event = {
  type: 'event', name: 'Pack', subscribes: ['order.created'], emits: [], input: z.object({ total: z.number() }),
  infrastructure: { handler: { timeout: 20 }, queue: { type: 'fifo', maxRetries: 1, backoff: { initial: 1 } } },
} as const satisfies EventConfig;
export const handleEvent: StepHandler<typeof event> = async (input, { emit, logger }) => {
  logger.info('packing', { total: input.total.toFixed() });
  // @ts-expect-error no such field in the input
  input.item;
  // @ts-expect-error it emits nothing
  await emit({ topic: 'order.created', data: {} });
};

export const cron = { type: 'cron', name: 'Tidy', cron: '@daily', emits: ['tidied'] } as const satisfies CronConfig;
export const handleCron: StepHandler<typeof cron> = async ({ emit, traceId }) => {
  await emit({ topic: 'tidied', data: traceId });
  // @ts-expect-error a topic that the step does not emit
  await emit({ topic: 'tidy', data: traceId });
};

// @ts-expect-error a place on the drawing board has no handler
export const handleNoop: StepHandler<{ type: 'noop' }> = async () => {};

export const loose: ApiRouteConfig = { type: 'api', name: 'Loose', method: 'GET', path: '/', emits: ['a'] };
export const handleLoose: StepHandler<typeof loose> = async (_, { emit }) => {
  await emit({ topic: 'anything', data: 1 });
  return { status: 200, body: 'text' };
};

// @ts-expect-error the path is missing
export const pathless: ApiRouteConfig = { type: 'api', name: 'X', method: 'GET', emits: [] };
// @ts-expect-error no such method
export const brewed: ApiRouteConfig = { type: 'api', name: 'X', method: 'BREW', path: '/', emits: [] };
// @ts-expect-error an unknown key
export const keyed: EventConfig = { type: 'event', name: 'X', subscribes: [], emits: [], retries: 3 };
export const queued: EventConfig = {
  type: 'event', name: 'X', subscribes: [], emits: [],
  // @ts-expect-error an unknown key of the queue
  infrastructure: { queue: { retries: 3 } },
};
// @ts-expect-error the schedule is missing
export const unscheduled: CronConfig = { type: 'cron', name: 'X', emits: [] };
// @ts-expect-error no such choice
export const missed: CronConfig = { type: 'cron', name: 'X', cron: '@daily', emits: [], missed: 'later' };
export const noop: NoopConfig = { type: 'noop', name: 'X', virtualEmits: ['a'], virtualSubscribes: [] };
// @ts-expect-error a place on the drawing board emits nothing
export const emitting: NoopConfig = { type: 'noop', name: 'X', virtualEmits: [], virtualSubscribes: [], emits: [] };

export const stream: StreamConfig = {
  name: 'board', schema: z.object({ score: z.number() }), baseConfig: { storageType: 'default' },
  canAccess: ({ groupId, id }) => groupId === 'all' && id?.length !== 0,
};
// @ts-expect-error the schema is missing
export const shapeless: StreamConfig = { name: 'board', baseConfig: { storageType: 'default' } };

export const middleware: ApiMiddleware = async (req, ctx, next) => {
  const response = await next();
  ctx.logger.info(req.method, { status: response.status });
  return { ...response, headers: { ...response.headers, 'x-seen': '1' } };
};
`;

const project = {
  'tsconfig.json': TSCONFIG,
  'src/zod4.ts': stepsWith('zod'),
  'src/zod3.ts': stepsWith('zod3'),
  'src/config.ts': `
import { defineConfig, NonRetriableError, RetryAfterError, RevisionConflictError } from 'motia';
export default defineConfig({ http: { timeout: 5, validation: 'enforce' }, streamAuth: { authenticate: () => ({ userId: '1' }) } });
// @ts-expect-error no such choice
export const lax = defineConfig({ http: { validation: 'sometimes' } });
// @ts-expect-error an unknown key
export const odd = defineConfig({ http: { port: 1 } });
export const errors: Error[] = [new NonRetriableError('x'), new RetryAfterError(5), new RevisionConflictError(1, 2)];
`,
};

test.each(['typescript', 'typescript5'] as const)('%s', async (compiler) => {
  const root = createProject(project);
  for (const name of ['zod', 'zod3'])
    symlinkSync(join(REPOSITORY, 'node_modules', name), join(root, 'node_modules', name));
  expect(await typeErrors(root, compiler)).toBe('');
});
