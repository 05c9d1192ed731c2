import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { z as z3 } from 'zod3';
import { compileValidator, toJsonSchema } from '../../../shared/steps/json-schema.ts';

const jsonSchema = {
  type: 'object',
  properties: { name: { type: 'string' }, tags: { type: 'array', items: { type: 'number' } } },
  required: ['name'],
};
const zod4 = z.object({ name: z.string(), tags: z.array(z.number()).optional() });
const zod3 = z3.object({ name: z3.string(), tags: z3.array(z3.number()).optional() });

describe.each([
  ['zod 4', zod4],
  ['zod 3', zod3],
  ['JSON Schema', jsonSchema],
  ['JSON Schema 2020-12', { $schema: 'https://json-schema.org/draft/2020-12/schema', ...jsonSchema }],
  ['JSON Schema draft 7', { $schema: 'http://json-schema.org/draft-07/schema#', ...jsonSchema }],
])('%s', (_, schema) => {
  test('becomes JSON Schema', () => {
    expect(toJsonSchema(schema)).toMatchObject(jsonSchema);
    expect(toJsonSchema(schema)).not.toHaveProperty('$schema');
  });

  test('validates and names the place of every issue', () => {
    const validate = compileValidator(schema);
    expect(validate({ name: 'x', tags: [1] })).toEqual({ ok: true });
    expect(validate({ tags: [1] })).toMatchObject({ ok: false, issues: [{}] });
    const result = validate({ name: 1, tags: [1, 'two'] });
    expect(result.ok || result.issues.map(({ path }) => path)).toEqual(['name', 'tags.1']);
    expect(validate(undefined).ok).toBe(false);
  });
});

test('inputs are described before, outputs after transforms and defaults', () => {
  const schema = z.object({ n: z.number().default(1) });
  expect(toJsonSchema(schema)).not.toHaveProperty('required');
  expect(toJsonSchema(schema, 'output')).toMatchObject({ required: ['n'] });
});

test('what JSON Schema cannot say becomes anything, what cannot be read becomes undefined', () => {
  expect(toJsonSchema(z.object({ at: z.date() }))).toMatchObject({ properties: { at: {} } });
  expect(toJsonSchema(undefined)).toBeUndefined();
  expect(toJsonSchema(null)).toBeUndefined();
  const broken = {
    get type() {
      throw new Error('no');
    },
  };
  expect(toJsonSchema(broken as never)).toBeUndefined();
});

test('a recursive zod schema uses $defs', () => {
  type Tree = { children: Tree[] };
  const tree: z.ZodType<Tree> = z.lazy(() => z.object({ children: z.array(tree) })).meta({ id: 'Tree' });
  expect(JSON.stringify(toJsonSchema(z.object({ root: tree })))).toContain('#/$defs/Tree');
});

describe('a check that cannot be made is an issue, not an exception', () => {
  test.each([
    ['an invalid JSON Schema', { type: 'nonsense' }, /type/],
    ['an async refinement', z.string().refine(async () => true), /Promise|async/i],
    [
      'a refinement that throws',
      z.string().refine(() => {
        throw new Error('boom');
      }),
      /boom/,
    ],
  ])('%s', (_, schema, message) => {
    expect(compileValidator(schema)('x')).toEqual({
      ok: false,
      issues: [{ path: '', message: expect.stringMatching(message) }],
    });
  });
});
