/** Changes of a JSON value that are data themselves. They mean the same in every language: `protocol/golden/updates.json`. */
import { MotiaError } from './errors.ts';
import { isJsonObject, kindOf } from './json-values.ts';
import type { UpdateOperation } from './types.ts';

/**
 * The value after these operations, one after the other; the given one stays as it is.
 * @param value `null` for nothing
 * @throws {MotiaError} `INVALID_VALUE` that names the operation which cannot be done.
 */
export function applyOperations(value: unknown, operations: readonly UpdateOperation[]): unknown {
  return operations.reduce<unknown>(applyOperation, value);
}

function applyOperation(value: unknown, operation: UpdateOperation): unknown {
  if (!isJsonObject(operation)) throw refused('an operation is an object with a type');
  const { type, path, value: operand, by = 1 } = operation as { [key: string]: unknown };
  const what = typeof path === 'string' && path !== '' ? `${type} "${path}"` : String(type);
  const keys = toKeys(path, what);
  switch (type) {
    case 'set':
      if (operand === undefined) throw refused(`${what}: no value is given`);
      return replaceAt(value, keys, what, () => operand);
    case 'merge':
      if (!isJsonObject(operand)) throw refused(`${what}: what is merged has to be an object, not ${kindOf(operand)}`);
      return replaceAt(value, keys, what, (old) => ({ ...toObject(old, what), ...operand }));
    case 'increment':
      return replaceAt(value, keys, what, (old) => add(old, by, 1, what));
    case 'decrement':
      return replaceAt(value, keys, what, (old) => add(old, by, -1, what));
    case 'remove':
      if (keys.length === 0) throw refused('remove: a path is needed');
      return removeAt(value, keys, what);
    default:
      throw refused(`there is no operation of type ${JSON.stringify(type) ?? 'undefined'}`);
  }
}

/** The keys from the whole value to the place of a path: none if there is no path. */
function toKeys(path: unknown, what: string): string[] {
  if (path === undefined || path === null || path === '') return [];
  if (typeof path !== 'string') throw refused(`${what}: the path has to be a text, not ${kindOf(path)}`);
  return path.split('.');
}

/** Replaces what is at a place, `null` for nothing. Objects on the way there are made where nothing is. */
function replaceAt(value: unknown, keys: string[], what: string, change: (old: unknown) => unknown): unknown {
  const [key, ...rest] = keys;
  if (key === undefined) return change(value);
  if (Array.isArray(value)) {
    const index = toIndex(key, value.length, what);
    return value.toSpliced(index, 1, replaceAt(value[index] ?? null, rest, what, change));
  }
  const object = toObject(value, what);
  const old = Object.hasOwn(object, key) ? object[key] : null;
  return { ...object, [key]: replaceAt(old, rest, what, change) };
}

/** Takes away what is at a place, if anything is. */
function removeAt(value: unknown, keys: string[], what: string): unknown {
  const [key, ...rest] = keys as [string, ...string[]];
  if (value === null) return null;
  if (Array.isArray(value)) {
    const index = toIndex(key, value.length, what);
    if (index === value.length) return value;
    return rest.length === 0
      ? value.toSpliced(index, 1)
      : value.toSpliced(index, 1, removeAt(value[index], rest, what));
  }
  const object = toObject(value, what);
  if (!Object.hasOwn(object, key)) return object;
  const { [key]: removed, ...others } = object;
  return rest.length === 0 ? others : { ...object, [key]: removeAt(removed, rest, what) };
}

/** The index of an element, or of the one that may follow the last. */
function toIndex(key: string, length: number, what: string): number {
  const index = /^(0|[1-9]\d{0,9})$/.test(key) ? Number(key) : -1;
  if (index < 0 || index > length) throw refused(`${what}: "${key}" is no index of a list of ${length}`);
  return index;
}

/** What has members: `null` is taken for an object without any. */
function toObject(value: unknown, what: string): Record<string, unknown> {
  if (value === null) return {};
  if (!isJsonObject(value)) throw refused(`${what}: there is ${kindOf(value)} where an object has to be`);
  return value;
}

function add(old: unknown, by: unknown, sign: 1 | -1, what: string): number {
  if (typeof by !== 'number' || !Number.isFinite(by)) throw refused(`${what}: "by" is ${kindOf(by)}, not a number`);
  if (old !== null && typeof old !== 'number') throw refused(`${what}: there is ${kindOf(old)}, not a number`);
  const sum = (old ?? 0) + sign * by;
  if (!Number.isFinite(sum)) throw refused(`${what}: the result is too large for a number`);
  return sum;
}

const refused = (message: string) => new MotiaError('INVALID_VALUE', message);
