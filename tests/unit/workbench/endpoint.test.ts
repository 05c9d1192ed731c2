/** Requests that are put together in the page. */
import { expect, test } from 'vitest';
import type { StepEntry } from '../../../shared/steps/manifest.ts';
import { newDraft, toCurl, toRequest, variablesOf } from '../../../workbench/src/screens/endpoints/draft.ts';
import { exampleOf } from '../../../workbench/src/screens/endpoints/example.ts';
import { problemsOf } from '../../../workbench/src/screens/endpoints/validate.ts';

const step = (method: string, path: string): StepEntry => ({
  ...{ id: 'S', name: 'S', type: 'api', language: 'node', file: 'src/s.step.ts', flows: [], method, path },
  ...{ emits: [], virtualEmits: [], virtualSubscribes: [] },
});
const none = { kind: 'none' } as const;

test('path, query, headers and authorization of a request', () => {
  const post = step('POST', '/shops/:shop/orders/:id(\\d+)?/*');
  expect(variablesOf(post)).toEqual([
    { name: 'shop', isOptional: false },
    { name: 'id', isOptional: true },
    { name: '*', isOptional: false },
  ]);
  const draft = {
    ...newDraft(post),
    path: { shop: 'a b/c', '*': 'x/y' },
    query: [
      { name: 'q', value: 'ä & ö', isOn: true },
      { name: 'off', value: '1', isOn: false },
    ],
    headers: [{ name: 'X-One', value: '1', isOn: true }],
    text: '{"it":"it\'s"}',
  };
  const request = toRequest(post, draft, { kind: 'basic', user: 'u', password: 'p' });
  expect(request).toEqual({
    method: 'POST',
    url: '/shops/a%20b%2Fc/orders//x/y?q=%C3%A4+%26+%C3%B6',
    headers: [
      ['x-one', '1'],
      ['content-type', 'application/json'],
      ['authorization', 'Basic dTpw'],
    ],
    body: '{"it":"it\'s"}',
  });
  expect(toCurl(request, 'http://localhost')).toContain(`--data-raw '{"it":"it'\\''s"}'`);
  expect(toRequest(step('GET', '/'), draft, none)).toMatchObject({ url: '/?q=%C3%A4+%26+%C3%B6', body: undefined });
});

test('a header that is given comes before one that is made', () => {
  const draft = { ...newDraft(step('POST', '/')), headers: [{ name: 'Content-Type', value: 'x/y', isOn: true }] };
  expect(toRequest(step('POST', '/'), draft, none).headers).toEqual([['content-type', 'x/y']]);
});

test('forms have texts and files', () => {
  const draft = {
    ...newDraft(step('POST', '/')),
    bodyKind: 'form' as const,
    form: ['a', 'f'].map((name) => ({ name, value: name, isOn: true })),
  };
  const { body, headers } = toRequest(step('POST', '/'), draft, none, { f: new File(['12'], 'two.txt') });
  expect([...(body as FormData)].map(([, value]) => (typeof value === 'string' ? value : value.name))).toEqual([
    'a',
    'two.txt',
  ]);
  expect(headers).toEqual([]);
});

const schema = {
  type: 'object',
  properties: {
    name: { type: 'string', description: 'Ada' },
    size: { enum: ['s', 'm'] },
    count: { type: 'integer', minimum: 1 },
    also: { anyOf: [{ type: 'null' }, { $ref: '#/$defs/also' }] },
    many: { type: 'array', items: { type: 'boolean' } },
  },
  required: ['name', 'count'],
  $defs: {
    also: { type: 'object', properties: { at: { type: 'string', format: 'date' }, self: { $ref: '#/$defs/also' } } },
  },
};

test('an example has the shape of its schema, and fits it', () => {
  expect(exampleOf(schema)).toMatchObject({
    ...{ name: 'Ada', size: 's', count: 1, many: [false] },
    also: { at: '2026-01-31', self: { at: '2026-01-31' } },
  });
  const { properties, ...rest } = schema;
  const { also: _, ...others } = properties;
  expect(problemsOf(JSON.stringify(exampleOf({ ...rest, properties: others })), schema)).toEqual([]);
});

test('what is wrong with a body is told at its place', () => {
  expect(problemsOf('', schema)).toEqual(['The body is empty']);
  expect(problemsOf('', undefined)).toEqual([]);
  expect(problemsOf('{', schema)[0]).toMatch(/^It is not JSON: /);
  expect(problemsOf('{"name":1,"count":0,"many":[1]}', schema).join('\n')).toMatch(
    /name: .*\n.*count: .*\n.*many\.0: /,
  );
  expect(problemsOf('{"name":"a"}', schema).join()).toContain('count');
});
