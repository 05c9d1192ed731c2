/** JSON Schema as TypeScript: the type of the values that a schema describes. Pure. */
import type { JsonSchema } from '../../shared/types.ts';

type Definitions = Readonly<Record<string, unknown>>;

/** What says nothing about values. */
const ANY = 'unknown';
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;
/** Deeper than any schema that people write; one that refers to itself ends there. */
const MOST_LEVELS = 12;

/** The type of a schema, on one line. `unknown` for what it does not say. */
export function schemaType(schema: unknown): string {
  const root = isObject(schema) ? schema : {};
  const definitions = { ...objectOf(root.definitions), ...objectOf(root.$defs) };
  return typeOf(schema, definitions, 0);
}

function typeOf(schema: unknown, definitions: Definitions, level: number): string {
  if (schema === false) return 'never';
  if (!isObject(schema) || level > MOST_LEVELS) return ANY;
  const of = (part: unknown) => typeOf(part, definitions, level + 1);
  if (typeof schema.$ref === 'string') return of(definitions[schema.$ref.replace(/^#\/(\$defs|definitions)\//, '')]);
  if (schema.const !== undefined) return literal(schema.const);
  if (Array.isArray(schema.enum)) return union(schema.enum.map(literal));
  const either = schema.anyOf ?? schema.oneOf;
  const parts: string[] = [];
  if (Array.isArray(either)) parts.push(union(either.map(of)));
  if (Array.isArray(schema.allOf)) parts.push(...schema.allOf.map(of));
  if (schema.type !== undefined || schema.properties !== undefined) parts.push(ownType(schema, of));
  return intersection(parts);
}

/** What `type` and the keywords that go with it say. */
function ownType(schema: JsonSchema, of: (part: unknown) => string): string {
  const types = schema.type === undefined ? ['object'] : [schema.type].flat();
  const one = (type: unknown): string => {
    switch (type) {
      case 'string':
        return schema.format === 'binary' ? 'Buffer' : 'string';
      case 'integer':
      case 'number':
        return 'number';
      case 'boolean':
        return 'boolean';
      case 'null':
        return 'null';
      case 'array':
        return arrayType(schema, of);
      case 'object':
        return objectType(schema, of);
      default:
        return ANY;
    }
  };
  const all = union(types.map(one));
  return schema.nullable === true ? union([all, 'null']) : all;
}

function arrayType({ items, prefixItems }: JsonSchema, of: (part: unknown) => string): string {
  const first = Array.isArray(prefixItems) ? prefixItems : Array.isArray(items) ? items : undefined;
  if (!first) return `Array<${of(items)}>`;
  const rest = isObject(items) ? [`...Array<${of(items)}>`] : [];
  return `[${[...first.map(of), ...rest].join(', ')}]`;
}

function objectType(schema: JsonSchema, of: (part: unknown) => string): string {
  const properties = Object.entries(objectOf(schema.properties));
  const { additionalProperties: others } = schema;
  const record = others === undefined || others === false ? undefined : `Record<string, ${of(others)}>`;
  if (properties.length === 0)
    return record ?? (others === false ? 'Record<string, never>' : 'Record<string, unknown>');
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  const members = properties.map(
    ([name, part]) => `${propertyName(name)}${required.has(name) ? '' : '?'}: ${of(part)}`,
  );
  const object = `{ ${members.join('; ')} }`;
  // `true` only says that there may be more: as a type it would take away what the rest says.
  return isObject(others) && Object.keys(others).length > 0 ? `${object} & ${record}` : object;
}

const propertyName = (name: string) => (IDENTIFIER.test(name) ? name : quoted(name));

function literal(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value);
  return ANY;
}

function union(types: string[]): string {
  const unique = [...new Set(types)].filter((type) => type !== 'never');
  if (unique.includes(ANY)) return ANY;
  return unique.length === 0 ? 'never' : unique.join(' | ');
}

function intersection(types: string[]): string {
  const unique = [...new Set(types)].filter((type) => type !== ANY);
  if (unique.length < 2) return unique[0] ?? ANY;
  return unique.map((type) => (type.includes(' | ') ? `(${type})` : type)).join(' & ');
}

/** A text as TypeScript writes it, in single quotes. */
export function quoted(text: string): string {
  const escaped = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  return `'${escaped.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')}'`;
}

function isObject(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const objectOf = (value: unknown): Definitions => (isObject(value) ? value : {});
