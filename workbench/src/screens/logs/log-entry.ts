/** A log record with a name, so that a link can lead to it: records have none of their own. Pure. */
import type { LogRecord } from '../../api/types.ts';
import type { ShownError } from '../../lib/shown-error.ts';

export interface LogEntry {
  /** Time and digest of the record, and a number if there are several of the same: unique in a list, and part of a path. */
  key: string;
  record: LogRecord;
}

/** The same record has the same key wherever it is read. */
export function keyOf(record: LogRecord): string {
  return `${record.time}~${digestOf(JSON.stringify(record))}`;
}

/** Names records; those that are the same to the letter get numbers. @param taken keys that are in use; what is added joins them. */
export function toEntries(records: readonly LogRecord[], taken: Set<string>): LogEntry[] {
  return records.map((record) => {
    const first = keyOf(record);
    let key = first;
    for (let n = 2; taken.has(key); n++) key = `${first}~${n}`;
    taken.add(key);
    return { key, record };
  });
}

/** What a key says about its record, to look for it: when it was written, and its key without a number. */
export function readKey(key: string): { time: string; first: string } {
  const [time = '', digest = ''] = key.split('~');
  return { time, first: `${time}~${digest}` };
}

/** Takes from `incoming` what is in `known`, each as often as it is there. */
export function withoutKnown(incoming: readonly LogRecord[], known: Map<string, number>): LogRecord[] {
  return incoming.filter((record) => {
    const key = keyOf(record);
    const left = known.get(key) ?? 0;
    if (left === 0) return true;
    known.set(key, left - 1);
    return false;
  });
}

/** FNV-1a, 32 bits. */
function digestOf(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash >>> 0).toString(36);
}

/** Fields that have a place of their own, or mean nothing to people. */
const OWN = new Set(['level', 'time', 'msg', 'traceId', 'spanId', 'step', 'flows', 'action', 'err']);

/** What else a record says. */
export const fieldsOf = (record: LogRecord): [string, unknown][] =>
  Object.entries(record).filter(([name]) => !OWN.has(name));

/** What a failed run is logged with. */
export function errorOf({ err }: LogRecord): ShownError | undefined {
  return typeof err === 'object' && err !== null ? (err as ShownError) : undefined;
}
