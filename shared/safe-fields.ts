/** Turns whatever user code logs into plain JSON values, without ever throwing or running away. */

import { DEFAULT_REDACTION, REDACTED, type Redaction } from './redaction.ts';

/** More than this many values in one record are not looked at. */
const MOST_VALUES = 5_000;
const DEEPEST = 32;
/** Keys that the logger writes itself; a second one of the same name would hide it. */
const OURS: ReadonlySet<string> = new Set(['level', 'time', 'msg']);

interface Walk {
  left: number;
  /** The objects around the current one, to notice cycles. */
  path: object[];
  /** The keys that lead to it. */
  keys: string[];
  redaction: Redaction;
}

/**
 * The fields of a log record: an object's own, or `{ value }` for anything else. A field named as one of the logger's own
 * gets an underscore in front, and secrets are left out. Total: cycles, BigInt, throwing getters and hostile proxies give a text in their place.
 */
export function safeFields(value: unknown, redaction: Redaction = DEFAULT_REDACTION): Record<string, unknown> {
  if (value === undefined || value === null) return {};
  const plain = safe(value, { left: MOST_VALUES, path: [], keys: [], redaction });
  if (typeof plain !== 'object' || plain === null || Array.isArray(plain)) return { value: plain };
  return Object.fromEntries(Object.entries(plain).map(([key, field]) => [OURS.has(key) ? `_${key}` : key, field]));
}

function safe(value: unknown, walk: Walk): unknown {
  switch (typeof value) {
    case 'bigint':
    case 'symbol':
      return String(value);
    case 'function':
      return '[function]';
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'object':
      break;
    default:
      return value;
  }
  if (value === null) return null;
  if (walk.path.includes(value)) return '[circular]';
  if (walk.path.length >= DEEPEST || --walk.left < 0) return '[cut off]';
  walk.path.push(value);
  try {
    return safeObject(value, walk);
  } catch {
    return '[unreadable]';
  } finally {
    walk.path.pop();
  }
}

function safeObject(value: object, walk: Walk): unknown {
  if (value instanceof Error) return safeError(value, walk);
  if (value instanceof Map)
    return safeEntries(
      [...value].map(([key, item]) => [String(key), () => item]),
      walk,
    );
  if (value instanceof Set) return safeList([...value], walk);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return safeList(value, walk);
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === 'function') return safe(toJSON.call(value), walk);
  return safeEntries(readersOf(value, Object.keys(value)), walk);
}

function safeError(error: Error, walk: Walk): unknown {
  const standard = ['name', 'message', 'stack', 'cause'].filter((key) => key in error);
  return safeEntries(readersOf(error, new Set([...standard, ...Object.keys(error)])), walk);
}

function safeList(items: readonly unknown[], walk: Walk): unknown[] {
  const list: unknown[] = [];
  for (const item of items) {
    if (--walk.left < 0) return [...list, '[cut off]'];
    list.push(walk.redaction.hasPaths ? below(String(list.length), walk, () => safe(item, walk)) : safe(item, walk));
  }
  return list;
}

type Reader = readonly [key: string, read: () => unknown];

function readersOf(object: object, keys: Iterable<string>): Reader[] {
  return Array.from(keys, (key) => [key, () => (object as Record<string, unknown>)[key]] as const);
}

function safeEntries(readers: readonly Reader[], walk: Walk): Record<string, unknown> {
  const fields: [string, unknown][] = [];
  for (const [key, read] of readers) {
    if (--walk.left < 0) break;
    let item: unknown;
    try {
      item = walk.redaction.hides(key, walk.keys) ? REDACTED : below(key, walk, () => safe(read(), walk));
    } catch {
      item = '[unreadable]';
    }
    fields.push([key, item]);
  }
  return Object.fromEntries(fields); // and not by assignment: a key may be `__proto__`
}

function below<T>(key: string, walk: Walk, look: () => T): T {
  walk.keys.push(key);
  try {
    return look();
  } finally {
    walk.keys.pop();
  }
}
