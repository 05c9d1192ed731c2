/** Values of user code as JSON: what is stored and emitted goes through here. */
import { MotiaError } from './errors.ts';

/**
 * JSON of a value that a handler stores or emits.
 * @throws {MotiaError} `INVALID_VALUE` for `undefined`, functions, cycles and big integers.
 */
export function toJson(value: unknown): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (error) {
    throw new MotiaError('INVALID_VALUE', `the value cannot be written as JSON: ${(error as Error).message}`, {
      cause: error,
    });
  }
  if (json === undefined) throw new MotiaError('INVALID_VALUE', `${typeof value} is not a value that can be stored`);
  return json;
}

/** What a text says that others have written; `undefined` if it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether JSON would call it an object. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Groups, keys and ids are texts; a number is taken as its text, anything else is a mistake of the caller's. */
export function toName(value: unknown, what: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  throw new MotiaError('INVALID_VALUE', `${what} are texts, not ${value === null ? 'null' : typeof value}`);
}

/** What a value is, for people: `a text`, `a list`. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  const kinds: Record<string, string> = { string: 'a text', object: 'an object', undefined: 'nothing' };
  return kinds[typeof value] ?? `a ${typeof value}`;
}
