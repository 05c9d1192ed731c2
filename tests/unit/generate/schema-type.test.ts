/** JSON Schema as TypeScript. */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { quoted, schemaType } from '../../../cli/generate/schema-type.ts';
import { toJsonSchema } from '../../../shared/steps/json-schema.ts';

test.each([
  [undefined, 'unknown'],
  [{}, 'unknown'],
  [{ type: 'string' }, 'string'],
  [{ type: 'string', format: 'binary' }, 'Buffer'],
  [{ type: 'integer' }, 'number'],
  [{ type: ['string', 'null'] }, 'string | null'],
  [{ type: 'string', nullable: true }, 'string | null'],
  [{ enum: ['a', "it's", 1, null] }, "'a' | 'it\\'s' | 1 | null"],
  [{ const: true }, 'true'],
  [{ not: {} }, 'unknown'],
  [{ type: 'array' }, 'Array<unknown>'],
  [{ type: 'array', prefixItems: [{ type: 'string' }], items: { type: 'number' } }, '[string, ...Array<number>]'],
  [{ type: 'object' }, 'Record<string, unknown>'],
  [{ type: 'object', additionalProperties: { type: 'number' } }, 'Record<string, number>'],
  [{ type: 'object', properties: {}, additionalProperties: false }, 'Record<string, never>'],
  [{ anyOf: [{ type: 'string' }, { type: 'number' }] }, 'string | number'],
  [{ oneOf: [{ type: 'string' }, {}] }, 'unknown'],
  [
    { allOf: [{ type: 'object', properties: { a: {} } }, { anyOf: [{ const: 1 }, { const: 2 }] }] },
    '{ a?: unknown } & (1 | 2)',
  ],
  [
    { $ref: '#/$defs/Card', $defs: { Card: { type: 'object', properties: { 'no-name': {} } } } },
    "{ 'no-name'?: unknown }",
  ],
  [{ $ref: '#/definitions/Gone' }, 'unknown'],
])('%j is %s', (schema, type) => {
  expect(schemaType(schema)).toBe(type);
});

test('a zod schema', () => {
  const order = z.object({
    id: z.string(),
    lines: z.array(z.object({ item: z.string(), count: z.number().int() })),
    state: z.enum(['open', 'paid']).optional(),
    note: z.string().nullable(),
    extra: z.record(z.string(), z.boolean()),
  });
  expect(schemaType(toJsonSchema(order))).toBe(
    "{ id: string; lines: Array<{ item: string; count: number }>; state?: 'open' | 'paid'; note: string | null; extra: Record<string, boolean> }",
  );
});

test('a schema that refers to itself ends', () => {
  const tree = {
    $ref: '#/$defs/Node',
    $defs: { Node: { type: 'object', properties: { next: { $ref: '#/$defs/Node' } } } },
  };
  expect(schemaType(tree)).toMatch(/^\{ next\?: \{ next\?: .*unknown/);
});

test('text in quotes can be nothing but text', () => {
  const text = `a'b\\c"d\n\u2028e`;
  expect(new Function(`return ${quoted(text)}`)()).toBe(text);
});
