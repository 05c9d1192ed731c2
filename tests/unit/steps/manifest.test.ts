import { expect, test } from 'vitest';
import { z } from 'zod';
import { createManifest, describeStep } from '../../../shared/steps/manifest.ts';
import { resolveSettings } from '../../../shared/steps/project-settings.ts';
import type { CronConfig } from '../../../shared/types.ts';

const settings = resolveSettings({});
const cron = (name: string): CronConfig => ({ type: 'cron', name, cron: '* * * * *', emits: [] });

test('describes an api step', () => {
  const entry = describeStep('src/a.step.ts', 'node', {
    type: 'api',
    name: 'a',
    description: 'd',
    flows: ['f'],
    method: 'post' as 'POST',
    path: '/a/:id',
    emits: ['x', { topic: 'y', label: 'l' }],
    virtualSubscribes: ['v'],
    stateGroups: ['g'],
    middleware: [async (_req, _ctx, next) => next()],
    bodySchema: z.object({ n: z.number() }),
    responseSchema: { 200: z.string(), 404: { type: 'null' } },
    queryParams: [{ name: 'q', description: 'query' }],
  });
  expect(entry).toEqual({
    id: 'a',
    name: 'a',
    type: 'api',
    language: 'node',
    file: 'src/a.step.ts',
    description: 'd',
    flows: ['f'],
    emits: [{ topic: 'x' }, { topic: 'y', label: 'l' }],
    virtualEmits: [],
    virtualSubscribes: ['v'],
    stateGroups: ['g'],
    method: 'POST',
    path: '/a/:id',
    bodySchema: { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] },
    responseSchema: { 200: { type: 'string' }, 404: { type: 'null' } },
    queryParams: [{ name: 'q', description: 'query' }],
  });
  expect(JSON.parse(JSON.stringify(entry))).toEqual(entry);
});

test('describes event, cron and noop steps', () => {
  const infrastructure = { queue: { type: 'fifo' as const } };
  const input = { type: 'object' };
  expect(
    describeStep('e', 'node', { type: 'event', name: 'e', subscribes: ['t'], emits: [], input, infrastructure }),
  ).toMatchObject({ subscribes: ['t'], inputSchema: input, infrastructure });
  expect(describeStep('c', 'node', cron('c'))).toMatchObject({ type: 'cron', cron: '* * * * *', emits: [] });
  const more = { timezone: 'UTC', missed: 'catchUp', overlap: true, stateGroups: [] } as const;
  expect(describeStep('c', 'node', { ...cron('c'), ...more })).toMatchObject(more);
  expect(
    describeStep('n', 'node', { type: 'noop', name: 'n', virtualEmits: ['a'], virtualSubscribes: ['b'] }),
  ).toMatchObject({ emits: [], virtualEmits: [{ topic: 'a' }], virtualSubscribes: ['b'] });
});

test('the version depends on the contents, not on the order of keys', () => {
  const step = describeStep('src/a.step.ts', 'node', cron('a'));
  const reordered = Object.fromEntries(Object.entries(step).reverse()) as typeof step;
  const manifest = createManifest({ app: 'app', steps: [step], settings });
  expect(manifest).toMatchObject({ protocol: 1, app: 'app', version: expect.stringMatching(/^[0-9a-f]{16}$/) });
  expect(createManifest({ app: 'app', steps: [reordered], settings }).version).toBe(manifest.version);
  for (const other of [
    { app: 'b', steps: [step], settings },
    { app: 'app', steps: [], settings },
    { app: 'app', steps: [{ ...step, cron: '1 * * * *' }], settings },
    { app: 'app', steps: [step], settings: { ...settings, bodyLimit: 1 } },
  ]) {
    expect(createManifest(other).version).not.toBe(manifest.version);
  }
});

test('HTTP settings: defaults, given values, mistakes', () => {
  expect(settings).toEqual({ bodyLimit: 10_485_760, corsOrigins: '*', timeoutMs: 30_000, validation: 'warn' });
  const http = { bodyLimit: 5, cors: { origins: ['https://a.example'] }, timeout: 1.5, validation: 'enforce' as const };
  expect(resolveSettings({ http })).toEqual({
    bodyLimit: 5,
    corsOrigins: ['https://a.example'],
    timeoutMs: 1500,
    validation: 'enforce',
  });
  expect(resolveSettings({ http: { cors: { origins: false } } }).corsOrigins).toEqual([]);
  expect(() => resolveSettings({ http: { bodyLimit: '1mb' as never } })).toThrow(/http\.bodyLimit: .*number/);
  expect(() => resolveSettings({ http: { bodylimit: 1 } as never })).toThrow('http: Unrecognized key: "bodylimit"');
});
