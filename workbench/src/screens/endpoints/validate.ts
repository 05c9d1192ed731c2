/** Whether a body is what the step expects. It is told, and sent all the same: what the step does with a bad one is worth knowing. Pure. */
import { type Schema, type SchemaDraft, Validator } from '@cfworker/json-schema';
import type { JsonSchema } from '../../api/types.ts';

const MOST = 6;

/** @returns what is wrong, for people; empty if nothing is. */
export function problemsOf(text: string, schema: JsonSchema | undefined): string[] {
  if (text.trim() === '') return schema ? ['The body is empty'] : [];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return [`It is not JSON: ${(error as Error).message}`];
  }
  if (!schema) return [];
  const { errors } = new Validator(schema as Schema, draftOf(schema), false).validate(value);
  // Whatever contains a mistake is told as well: the innermost ones say it best.
  const places = errors.map(({ instanceLocation }) => instanceLocation);
  const inner = errors.filter(
    ({ instanceLocation, keyword }) =>
      keyword !== '$ref' &&
      !places.some((other) => other !== instanceLocation && other.startsWith(`${instanceLocation}/`)),
  );
  const told = inner.map(({ instanceLocation, error }) => `${placeOf(instanceLocation)}${error}`);
  return [...new Set(told)].slice(0, MOST);
}

const draftOf = ({ $schema }: JsonSchema): SchemaDraft => (String($schema).includes('draft-07') ? '7' : '2020-12');

/** `items.0.sku: ` of `#/items/0/sku` */
function placeOf(pointer: string): string {
  const path = pointer.replace(/^#\/?/, '').replaceAll('/', '.');
  return path === '' ? '' : `${path}: `;
}
