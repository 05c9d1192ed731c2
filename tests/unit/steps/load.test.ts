/** What a project's modules must export, and what `motia.config` may say. */
import { describe, expect, test } from 'vitest';
import { apiStep, Project } from './project.ts';

const NOOP = `export const config = { type: 'noop', name: 'gate', virtualEmits: [], virtualSubscribes: [] };`;
const STREAM = `export const config = { name: 'chat', schema: { type: 'object' }, baseConfig: { storageType: 'default' } };`;

test('steps, streams and validators', async () => {
  const config = `{ type: 'event', name: 'e', subscribes: ['t'], emits: [], input: z.object({ n: z.number() }) }`;
  const loaded = await new Project({
    'src/e.step.ts': `import { z } from 'zod'; export const config = ${config}; export const handler = async () => {};`,
    'src/gate.step.ts': NOOP,
    'src/chat.stream.ts': STREAM,
  }).load();
  expect(loaded).toMatchObject({ failures: [], warnings: [], config: {}, settings: { validation: 'warn' } });
  expect(loaded.streams).toMatchObject([{ name: 'chat', file: 'src/chat.stream.ts' }]);
  const [event, gate] = loaded.steps;
  expect(gate).toMatchObject({ entry: { type: 'noop', name: 'gate' } });
  expect(gate?.handler).toBeUndefined();
  expect(event?.entry.inputSchema).toMatchObject({ required: ['n'] });
  expect(event?.validate?.({ n: 1 })).toEqual({ ok: true });
  expect(event?.validate?.({})).toMatchObject({ ok: false, issues: [{ path: 'n' }] });
});

test.each([
  ['no config', 'export const handler = () => {};', 'no export named "config"'],
  ['no handler', apiStep('x', '1').replace('handler', 'handle'), 'no function exported as "handler"'],
  [
    'an unknown key',
    apiStep('x', '1').replace('emits', 'extra: 1, emits'),
    'invalid config: Unrecognized key: "extra"',
  ],
  [
    'an invalid value',
    apiStep('x', '1').replace('GET', 'GOT'),
    'invalid config: method: Expected one of GET, POST, PUT, DELETE, PATCH, OPTIONS, HEAD',
  ],
])('a step with %s fails, its neighbour loads', async (_, text, message) => {
  const loaded = await new Project({ 'src/bad.step.ts': text, 'src/good.step.ts': apiStep('good', '1') }).load();
  expect(loaded.failures).toEqual([{ file: 'src/bad.step.ts', message: `src/bad.step.ts: ${message}`, kept: false }]);
  expect(loaded.steps.map(({ entry }) => entry.name)).toEqual(['good']);
});

test('names, routes and streams that are used twice', async () => {
  const loaded = await new Project({
    'src/a.step.ts': apiStep('same', '1'),
    'src/b.step.ts': apiStep('same', '2').replace('/same', '/other'),
    'src/c.step.ts': apiStep('third', '3').replace('/third', '/same'),
    'src/a.stream.ts': STREAM,
    'src/b.stream.ts': STREAM,
  }).load();
  expect(loaded.failures).toEqual([]);
  expect(loaded.steps.map(({ entry }) => entry.id)).toEqual(['same', 'same@src/b.step.ts']);
  expect(loaded.streams.map(({ file }) => file)).toEqual(['src/a.stream.ts']);
  expect(loaded.warnings).toEqual([
    'src/b.step.ts: the step name "same" is taken by src/a.step.ts; it runs as "same@src/b.step.ts"',
    'src/c.step.ts: GET /same is served by src/a.step.ts already; this step is left out',
    'src/b.stream.ts: the stream name "chat" is taken by src/a.stream.ts; this stream is left out',
  ]);
});

describe('who may follow streams', () => {
  const open = STREAM.replaceAll('chat', 'open');
  const inConfig = STREAM.replace(' };', ', canAccess({ groupId }) { return groupId === this.name; } };');

  test('canAccess in the config of a stream, beside it, or not at all', async () => {
    const loaded = await new Project({
      'src/a.stream.ts': inConfig,
      'src/b.stream.ts': `${STREAM.replace('chat', 'beside')}\nexport const canAccess = () => true;`,
      'src/c.stream.ts': open,
      'src/d_stream.js': `module.exports = { config: { name: 'common', baseConfig: { storageType: 'default' }, canAccess: () => false } };`,
      'src/e.stream.ts': inConfig, // the name is taken
      'src/f.stream.ts': `${STREAM.replace('chat', 'wrong')}\nexport const canAccess = true;`,
    }).load();
    expect(loaded.streams.map(({ name, canAccess }) => [name, canAccess])).toEqual([
      ['chat', true],
      ['beside', true],
      ['open', undefined],
      ['common', true],
    ]);
    const [chat, ...others] = loaded.access;
    expect([chat, ...others].map((step) => step?.entry.id)).toEqual([
      '=canAccess:chat',
      '=canAccess:beside',
      '=canAccess:common',
    ]);
    const ask = chat?.handler as unknown as (subscription: object, context: unknown) => unknown;
    expect([ask({ groupId: 'chat' }, null), ask({ groupId: 'x' }, null)]).toEqual([true, false]);
    expect(loaded.failures.map(({ message }) => message)).toEqual(['src/f.stream.ts: "canAccess" is no function']);
  });

  const withConfig = async (text: string) => new Project({ 'src/a.stream.ts': open, 'motia.config.ts': text }).load();

  test('streamAuth and its contextSchema', async () => {
    const { access, settings, warnings } = await withConfig(`
      import { z } from 'zod';
      export default { streamAuth: { contextSchema: z.object({ n: z.number() }), n: 7, authenticate() { return { n: this.n }; } } };`);
    expect([settings.streamAuth, warnings]).toEqual([true, []]);
    const [step] = access;
    expect(step?.entry).toMatchObject({ id: '=streamAuth', language: 'node' });
    expect((step?.handler as (() => unknown) | undefined)?.()).toEqual({ n: 7 });
    expect(step?.validate?.({ n: 'text' })).toMatchObject({ ok: false, issues: [{ path: 'n' }] });
    expect((await withConfig('export default {};')).settings.streamAuth).toBeUndefined();
  });

  test.each([
    ['does not compile', 'export default {', []],
    ['throws', 'throw new Error("no config today");', [expect.stringContaining('clients of streams are refused')]],
    [
      'has no authenticate',
      'export default { streamAuth: { authenticate: "later" } };',
      ['motia.config: streamAuth has no function "authenticate": clients of streams are refused'],
    ],
  ])('a config that %s lets nobody in', async (_, text, told) => {
    const { access, settings, warnings } = await withConfig(text);
    expect([settings.streamAuth, warnings]).toEqual([true, told]);
    expect(access[0]?.handler).toThrow('streamAuth of motia.config cannot be used');
  });
});

describe('motia.config', () => {
  const load = (text: string, file = 'motia.config.ts') => new Project({ [file]: text }).load();

  test('of an older project, or with a slip: each key that has no effect is explained in one line', async () => {
    const loaded = await load(`
      import { config } from '@motiadev/core';
      const statesPlugin = require('@motiadev/plugin-states/plugin');
      export default config({ plugins: [statesPlugin], adapters: {}, redis: {}, app: () => {}, http: {}, htpp: {}, logs: undefined });`);
    expect(loaded.warnings).toEqual([
      expect.stringMatching(/^motia\.config: "plugins" added pages to the Workbench .*: remove the key/),
      expect.stringMatching(/^motia\.config: "adapters" said where Motia 0\.x keeps .* NATS_URL$/),
      expect.stringMatching(/^motia\.config: "redis" told Motia 0\.x which Redis to use\. .* remove the key$/),
      expect.stringMatching(/^motia\.config: "app" was given the Express app .* api steps/),
      'motia.config: "htpp" is no key of it: there are http, workers, streamAuth, telemetry, tracing, workbench, logs',
    ]);
    expect(loaded.warnings.join('')).not.toContain('\n');
    expect(loaded.failures).toEqual([]);
  });

  test.each(['motia.config.js', 'motia.config.mjs'])('%s sets the HTTP settings', async (file) => {
    expect((await load('export default { http: { timeout: 2 } };', file)).settings.timeoutMs).toBe(2000);
  });

  test('motia.config.cjs', async () => {
    expect((await load('module.exports = { http: { timeout: 2 } };', 'motia.config.cjs')).settings.timeoutMs).toBe(
      2000,
    );
  });

  test('that throws, or sets nonsense, is a warning and the defaults', async () => {
    const thrown = await load('\nthrow new Error("no config today");');
    expect(thrown.warnings).toEqual([
      'motia.config: Error: no config today (at motia.config.ts:2:7); going on with the defaults, and clients of streams are refused',
    ]);
    expect(thrown.settings.timeoutMs).toBe(30_000);
    const nonsense = await load('export default { http: { timeout: -1 } };');
    expect(nonsense.warnings).toEqual([
      expect.stringMatching(/^motia\.config: http\.timeout: .*; going on with the defaults$/),
    ]);
    expect(nonsense.settings.timeoutMs).toBe(30_000);
  });
});
