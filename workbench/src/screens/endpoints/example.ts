/** An example of what a JSON Schema describes: the shape with simple values, to be filled in. Pure. */
import type { JsonSchema } from '../../api/types.ts';

const DEEPEST = 8;

export function exampleOf(schema: JsonSchema): unknown {
  return example(schema, schema, 0);
}

function example(schema: JsonSchema, root: JsonSchema, depth: number): unknown {
  if (depth > DEEPEST) return null;
  const next = (one: unknown) => example(isSchema(one) ? one : {}, root, depth + 1);
  const { $ref, anyOf, oneOf, allOf, properties, items, prefixItems, enum: choices } = schema;
  if (typeof $ref === 'string') return next(resolve($ref, root));
  if ('const' in schema) return schema.const;
  if ('default' in schema) return schema.default;
  if (Array.isArray(schema.examples) && schema.examples.length > 0) return schema.examples[0];
  if (Array.isArray(choices)) return choices[0];
  const either = [anyOf, oneOf].find(Array.isArray) as JsonSchema[] | undefined;
  if (either) return next(either.find(({ type }) => type !== 'null') ?? either[0]);
  if (Array.isArray(allOf)) return Object.assign({}, ...allOf.map(next));
  const type = Array.isArray(schema.type) ? schema.type.find((one) => one !== 'null') : schema.type;
  if (type === 'object' || isSchema(properties)) {
    return Object.fromEntries(Object.entries(properties ?? {}).map(([name, one]) => [name, next(one)]));
  }
  if (type === 'array') return Array.isArray(prefixItems) ? prefixItems.map(next) : [next(items)];
  return simple(type, schema);
}

function simple(type: unknown, { description, minimum, format }: JsonSchema): unknown {
  switch (type) {
    case 'string':
      return formatted(format) ?? (typeof description === 'string' ? description : 'string');
    case 'integer':
    case 'number':
      return typeof minimum === 'number' ? minimum : 0;
    case 'boolean':
      return false;
    default:
      return null;
  }
}

const formatted = (format: unknown): string | undefined =>
  ({
    'date-time': '2026-01-31T12:00:00Z',
    date: '2026-01-31',
    email: 'someone@example.org',
    uri: 'https://example.org',
    uuid: '00000000-0000-4000-8000-000000000000',
  })[String(format)];

const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A reference within the same document. */
function resolve(ref: string, root: JsonSchema): unknown {
  let found: unknown = root;
  for (const part of ref.replace(/^#\/?/, '').split('/').filter(Boolean)) {
    const name = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
    found = isSchema(found) ? found[name] : undefined;
  }
  return found;
}
