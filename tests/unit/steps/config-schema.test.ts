import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { z as z3 } from 'zod3';
import { validateConfig, validateStreamConfig } from '../../../shared/steps/config-schema.ts';

const api = { type: 'api', name: 'a', method: 'GET', path: '/a', emits: [] };
const event = { type: 'event', name: 'e', subscribes: ['t'], emits: [] };
const cron = { type: 'cron', name: 'c', cron: '* * * * *', emits: [] };
const noop = { type: 'noop', name: 'n', virtualEmits: [], virtualSubscribes: [] };
const infrastructure = (value: object) => ({ ...event, infrastructure: value });

const common = {
  description: 'd',
  flows: ['f'],
  virtualEmits: ['v', { topic: 't', label: 'l', conditional: true }],
  virtualSubscribes: ['s'],
  includeFiles: ['x'],
};

test.each([
  ['api', api],
  ['event', event],
  ['cron', cron],
  ['noop', noop],
  [
    'api with everything',
    {
      ...api,
      ...common,
      middleware: [() => {}],
      bodySchema: z.object({}),
      responseSchema: { 200: z3.object({}) },
      queryParams: [{ name: 'q', description: 'd' }],
    },
  ],
  ['event with everything', { ...event, ...common, input: z3.object({}), infrastructure: {} }],
  ['cron with the common keys', { ...cron, ...common, stateGroups: [] }],
  ['any text as a group of state', { ...api, stateGroups: ['', 'a.b', '*'] }],
  ['JSON Schema', { ...event, input: { type: 'object' } }],
  ['no schema', { ...event, input: null }],
  ['no body schema', { ...api, bodySchema: undefined }],
  ['method in lower case', { ...api, method: 'post' }],
  ['emits with labels', { ...api, emits: ['a', { topic: 'b', label: 'x', conditional: false }] }],
  ['ram and cpu that fit', infrastructure({ handler: { ram: 2048, cpu: 1, timeout: 30 } })],
  ['cpu between the table sizes', infrastructure({ handler: { ram: 3072, cpu: 1.55 } })],
  ['the smallest ram', infrastructure({ handler: { ram: 128, cpu: 0.0625 } })],
  ['the largest ram', infrastructure({ handler: { ram: 10240, cpu: 5 } })],
  [
    'queue settings',
    infrastructure({
      queue: { type: 'fifo', maxRetries: 0, delaySeconds: 900, visibilityTimeout: 31 },
      handler: { timeout: 30 },
    }),
  ],
  [
    'queue settings of our own',
    infrastructure({
      queue: {
        concurrency: 1,
        globalConcurrency: 1,
        rateLimit: { limit: 1, per: 0.1 },
        backoff: { initial: 0, factor: 1, max: 0, jitter: 1 },
        deadLetter: false,
      },
    }),
  ],
  ['unknown infrastructure keys', infrastructure({ queue: { later: 1 }, other: true })],
])('accepts %s', (_, config) => {
  expect(validateConfig(config)).toEqual({ ok: true });
});

test.each([
  ['an unknown key', { ...api, pathh: '/' }, '', 'Unrecognized key: "pathh"'],
  ['infrastructure of an api', { ...api, infrastructure: {} }, '', 'Unrecognized key: "infrastructure"'],
  ['infrastructure of a cron', { ...cron, infrastructure: {} }, '', 'Unrecognized key: "infrastructure"'],
  ['a group of state that is no text', { ...cron, stateGroups: ['a', 1] }, 'stateGroups.1', /expected string/],
  ['a group of state instead of a list', { ...event, stateGroups: 'a' }, 'stateGroups', /expected array/],
  ['groups of state of a noop', { ...noop, stateGroups: ['a'] }, '', 'Unrecognized key: "stateGroups"'],
  ['a missing name', { ...api, name: undefined }, 'name', /expected string/],
  ['a reserved name', { ...api, name: '=canAccess:chat' }, 'name', 'Must not begin with "="'],
  ['missing emits', { ...event, emits: undefined }, 'emits', /expected array/],
  ['an unsupported method', { ...api, method: 'FETCH' }, 'method', /^Expected one of GET, /],
  ['an emit that is no topic', { ...api, emits: [1] }, 'emits.0', /Invalid input/],
  ['middleware that is no function', { ...api, middleware: ['auth'] }, 'middleware.0', 'Expected a function'],
  ['a schema that is text', { ...event, input: 'string' }, 'input', /Expected a zod schema/],
  ['too little ram', infrastructure({ handler: { ram: 64 } }), 'infrastructure.handler.ram', />=128/],
  ['too long a timeout', infrastructure({ handler: { timeout: 901 } }), 'infrastructure.handler.timeout', /<=900/],
  [
    'cpu that does not fit',
    infrastructure({ handler: { ram: 2048, cpu: 1.2 } }),
    'infrastructure.handler.cpu',
    /Does not fit ram/,
  ],
  ['negative retries', infrastructure({ queue: { maxRetries: -1 } }), 'infrastructure.queue.maxRetries', />=0/],
  ['too long a delay', infrastructure({ queue: { delaySeconds: 901 } }), 'infrastructure.queue.delaySeconds', /<=900/],
  [
    'no global concurrency at all',
    infrastructure({ queue: { globalConcurrency: 0 } }),
    'infrastructure.queue.globalConcurrency',
    />=1/,
  ],
  [
    'global concurrency of a FIFO step',
    infrastructure({ queue: { type: 'fifo', globalConcurrency: 2 } }),
    'infrastructure.queue.globalConcurrency',
    /^Not with type fifo/,
  ],
  [
    'a rate limit that allows nothing',
    infrastructure({ queue: { rateLimit: { limit: 0, per: 1 } } }),
    'infrastructure.queue.rateLimit.limit',
    />=1/,
  ],
  [
    'a rate limit without a time',
    infrastructure({ queue: { rateLimit: { limit: 1 } } }),
    'infrastructure.queue.rateLimit.per',
    /expected number/,
  ],
  [
    'a backoff that shrinks',
    infrastructure({ queue: { backoff: { factor: 0.5 } } }),
    'infrastructure.queue.backoff.factor',
    />=1/,
  ],
  [
    'too much jitter',
    infrastructure({ queue: { backoff: { jitter: 1.1 } } }),
    'infrastructure.queue.backoff.jitter',
    /<=1/,
  ],
  [
    'an unknown key of a backoff',
    infrastructure({ queue: { backoff: { initialMs: 5 } } }),
    'infrastructure.queue.backoff',
    'Unrecognized key: "initialMs"',
  ],
  [
    'a dead letter that is no flag',
    infrastructure({ queue: { deadLetter: 'no' } }),
    'infrastructure.queue.deadLetter',
    /expected boolean/,
  ],
  ['an unknown queue type', infrastructure({ queue: { type: 'lifo' } }), 'infrastructure.queue.type', /fifo/],
  [
    'visibility below the timeout',
    infrastructure({ queue: { visibilityTimeout: 30 }, handler: { timeout: 30 } }),
    'infrastructure.queue.visibilityTimeout',
    /greater than handler.timeout/,
  ],
])('refuses %s', (_, config, path, message) => {
  expect(validateConfig(config)).toEqual({ ok: false, issues: [{ path, message: expect.stringMatching(message) }] });
});

describe('what is no config at all', () => {
  test.each([[undefined], [null], ['api'], [[]], [{}], [{ type: 'http' }], [{ type: 'toString' }]])('%j', (config) => {
    expect(validateConfig(config)).toMatchObject({
      ok: false,
      issues: [{ message: 'Expected a step config of type api, event, cron or noop' }],
    });
  });
});

describe('streams', () => {
  const stream = { name: 'chat', schema: z.object({}), baseConfig: { storageType: 'default' } };

  test.each([
    stream,
    { ...stream, schema: { type: 'object' }, canAccess: () => true },
    { name: 'chat', baseConfig: { storageType: 'default' } }, // the schema is not enforced
  ])('valid: %j', (config) => {
    expect(validateStreamConfig(config)).toEqual({ ok: true });
  });

  test.each([
    [{ ...stream, name: '' }, 'name', 'Too small'],
    [{ ...stream, schema: 'x' }, 'schema', 'Expected a zod schema'],
    [{ ...stream, baseConfig: undefined }, 'baseConfig', 'expected object'],
    [{ ...stream, baseConfig: { storageType: 'redis' } }, 'baseConfig.storageType', 'Expected "default"'],
    [
      { ...stream, baseConfig: { storageType: 'custom', factory: () => {} } },
      'baseConfig.storageType',
      'not supported',
    ],
    [{ ...stream, onJoined: () => {} }, '', 'Unrecognized key: "onJoined"'],
    [{ ...stream, canAccess: true }, 'canAccess', 'Expected a function'],
    [null, '', 'expected object'],
  ])('invalid: %j', (config, path, message) => {
    expect(validateStreamConfig(config)).toEqual({
      ok: false,
      issues: [{ path, message: expect.stringContaining(message) }],
    });
  });
});
