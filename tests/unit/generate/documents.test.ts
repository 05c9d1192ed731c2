/** What is generated from the steps: an OpenAPI document and diagrams. */
import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { flowDiagram, flowNames } from '../../../cli/generate/mermaid.ts';
import { describeStep } from '../../../shared/steps/manifest.ts';
import { openApi, openApiPaths } from '../../../shared/steps/openapi.ts';
import type { StepConfig } from '../../../shared/types.ts';

const step = (config: StepConfig) => describeStep(`src/${config.name}.step.ts`, 'node', config);
const card: z.ZodType = z.object({ number: z.string() }).meta({ id: 'Card' });
const otherCard: z.ZodType = z.object({ suit: z.string() }).meta({ id: 'Card' });

const STEPS = [
  step({
    ...{ type: 'api', name: 'CreateOrder', method: 'POST', path: '/orders/:shop', flows: ['orders'] },
    emits: ['order.created', { topic: 'order.odd', label: 'if "odd"', conditional: true }],
    description: 'Takes an order',
    bodySchema: z.object({ item: z.string(), card }),
    queryParams: [{ name: 'dry', description: 'Only check it' }],
    responseSchema: { 202: z.object({ id: z.string() }), 400: z.object({ error: z.string(), card: otherCard }) },
  }),
  step({ type: 'api', name: 'GetOrder', method: 'GET', path: '/orders/:shop/:id?', emits: [] }),
  step({ type: 'event', name: 'Charge', subscribes: ['order.created'], emits: [], flows: ['orders', 'money'] }),
  step({ type: 'cron', name: 'Audit', cron: '* * * * *', emits: [], flows: ['orders'] }),
  step({
    type: 'noop',
    name: 'Approval',
    virtualEmits: ['order.created'],
    virtualSubscribes: ['order.odd'],
    flows: ['orders'],
  }),
];

test('the OpenAPI document is valid, and says what the steps do', async () => {
  const document = openApi({ title: 'shop', version: '2.0.0' }, STEPS) as Record<string, never>;
  const checked = await new Validator().validate(structuredClone(document));
  expect(checked.errors).toBeUndefined();
  expect(checked.valid).toBe(true);
  expect(document).toMatchObject({
    openapi: '3.1.0',
    info: { title: 'shop', version: '2.0.0' },
    paths: {
      '/orders/{shop}': {
        post: {
          operationId: 'CreateOrder',
          tags: ['orders'],
          parameters: [
            { name: 'shop', in: 'path', required: true },
            { name: 'dry', in: 'query', required: false, description: 'Only check it' },
          ],
          requestBody: {
            content: {
              'application/json': { schema: { properties: { card: { $ref: '#/components/schemas/Card' } } } },
            },
          },
        },
        get: { operationId: 'GetOrder' },
      },
      '/orders/{shop}/{id}': { get: { operationId: 'GetOrder' } },
    },
    components: {
      schemas: {
        Card: { properties: { number: { type: 'string' } } },
        'CreateOrder.Card': { properties: { suit: { type: 'string' } } },
      },
    },
  });
});

test.each([
  ['/', ['/']],
  ['/a/:b', ['/a/{b}']],
  ['/a/:b?', ['/a/{b}', '/a']],
  ['/a/:b(\\d+)/c', ['/a/{b}/c']],
  ['/files/*', ['/files/{wildcard}']],
  ['/:from-:to', ['/{from}-{to}']],
])('the path %s', (pattern, paths) => {
  expect(openApiPaths(pattern).map(({ path }) => path)).toEqual(paths);
});

test('a diagram has the steps of its flow, and what they emit to each other', () => {
  expect(flowNames(STEPS)).toEqual(['money', 'orders']);
  expect(flowDiagram('orders', STEPS)).toBe(`flowchart LR
  s0[/"CreateOrder<br/>POST /orders/:shop"/]
  s1["Charge"]
  s2(["Audit<br/>* * * * *"])
  s3{{"Approval"}}
  s0 -->|"order.created"| s1
  s0 -.->|"if &quot;odd&quot;"| s3
  s3 -.->|"order.created"| s1
`);
});
