/** The stored log: pages of it from the newest on, and what is added to it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { MotiaError } from '../errors.ts';
import { LOG_LEVELS, type LogLevel } from '../log-levels.ts';
import type { LogRecord } from '../telemetry-records.ts';
import { type PageQuery, parseRecord, ReadBudget, type TelemetryReader } from './telemetry-reader.ts';
import { readTrace } from './telemetry-trace.ts';

/** Which records; all that is given has to hold. */
export interface LogFilter {
  /** This level and above. */
  level?: LogLevel | undefined;
  step?: string | undefined;
  flow?: string | undefined;
  traceId?: string | undefined;
  /** Anywhere in the record, in any case. */
  text?: string | undefined;
  /** Ms since 1970. */
  since?: number | undefined;
  until?: number | undefined;
}

export interface LogPage {
  /** The newest first. */
  logs: LogRecord[];
  /** What the next page is asked for with; absent when everything was looked at. */
  next?: string;
  /** Up to when everything was looked at, ISO 8601; absent when that is all there is. */
  searchedTo?: string;
}

const LEVELS: readonly string[] = LOG_LEVELS;
const DEFAULT_LIMIT = 100;
export const MOST_LOGS = 1_000;
/** Batches that are read at a time, backwards. */
const CHUNK = 200;
const POLL_MS = 300;

/**
 * A page of the log, from the newest record or where the page before has ended. Records of several processes are in order within some 200 ms.
 * A page may have fewer than asked for, or none, when much had to be looked at: then there is a `next`.
 * @throws {MotiaError} `INVALID_VALUE`
 */
export async function listLogs(
  reader: TelemetryReader,
  filter: LogFilter,
  { cursor, limit = DEFAULT_LIMIT }: PageQuery = {},
): Promise<LogPage> {
  const most = Math.min(Math.max(limit, 1), MOST_LOGS);
  if (filter.traceId !== undefined && cursor === undefined) return logsOfTrace(reader, filter, most);
  const { first, last } = await reader.bounds();
  let [high, below] = cursor === undefined ? [await startOf(reader, filter, last), undefined] : parseCursor(cursor);
  const budget = new ReadBudget();
  const logs: LogRecord[] = [];
  const matches = matcherOf(filter);
  while (high >= first) {
    const low = Math.max(high - CHUNK + 1, first);
    const batches = (await reader.between(low, high)).reverse();
    budget.spend(batches);
    for (const batch of batches) {
      // What a batch tells of was before it was stored.
      if (filter.since !== undefined && batch.storedAt < filter.since) return { logs: sorted(logs) };
      if (batch.kind !== 'logs') continue;
      const lines = await batch.lines();
      const start = batch.sequence === high && below !== undefined ? below : lines.length;
      for (let at = start - 1; at >= 0; at--) {
        const record = matches(lines[at] as string);
        if (!record) continue;
        logs.push(record);
        if (logs.length < most) continue;
        return { logs: sorted(logs), next: `${batch.sequence}.${at}`, searchedTo: record.time };
      }
    }
    below = undefined;
    high = low - 1;
    const oldest = batches.at(-1);
    if (budget.isSpent && oldest && high >= first) {
      return { logs: sorted(logs), next: `${high}`, searchedTo: new Date(oldest.storedAt).toISOString() };
    }
  }
  return { logs: sorted(logs) };
}

/** Records as they are stored, from now on or from `since`, until `signal` aborts. */
export async function* followLogs(
  reader: TelemetryReader,
  filter: LogFilter,
  signal: AbortSignal,
): AsyncGenerator<LogRecord> {
  const matches = matcherOf(filter);
  const { last } = await reader.bounds();
  let next = filter.since === undefined ? last + 1 : await reader.sequenceAt(filter.since);
  while (!signal.aborted) {
    for await (const batches of reader.from(reader.names.telemetryOf('logs'), next)) {
      for (const batch of batches) {
        if (signal.aborted) return;
        for (const line of await batch.lines()) {
          const record = matches(line);
          if (record) yield record;
        }
        next = batch.sequence + 1;
      }
    }
    await sleep(POLL_MS, undefined, { signal }).catch(() => {}); // aborted
  }
}

/** Those of a trace are found without looking at all others. */
async function logsOfTrace(reader: TelemetryReader, filter: LogFilter, most: number): Promise<LogPage> {
  const { logs } = await readTrace(reader, filter.traceId as string);
  const matches = matcherOf(filter);
  return {
    logs: logs
      .filter((record) => matches(JSON.stringify(record)))
      .reverse()
      .slice(0, most),
  };
}

async function startOf(reader: TelemetryReader, { until }: LogFilter, last: number): Promise<number> {
  return until === undefined ? last : Math.min((await reader.sequenceAt(until + LATEST_MS)) - 1, last);
}

/** A record is stored within this time, unless the broker was away. */
const LATEST_MS = 10_000;

function parseCursor(cursor: string): [sequence: number, below: number | undefined] {
  const [, sequence, below] = /^(\d{1,15})(?:\.(\d{1,9}))?$/.exec(cursor) ?? [];
  if (sequence === undefined) throw new MotiaError('INVALID_VALUE', 'the cursor is not one that a page came with');
  return [Number(sequence), below === undefined ? undefined : Number(below)];
}

/** Gives the record of a line that fits; what is cheap is looked at first. */
function matcherOf(filter: LogFilter): (line: string) => LogRecord | undefined {
  const { level, step, flow, traceId, since, until } = filter;
  const text = filter.text?.toLowerCase();
  const lowest = level === undefined ? 0 : LEVELS.indexOf(level);
  return (line) => {
    if (text !== undefined && !line.toLowerCase().includes(text)) return undefined;
    if (traceId !== undefined && !line.includes(traceId)) return undefined;
    const record = parseRecord<LogRecord>(line);
    if (!record || LEVELS.indexOf(record.level) < lowest) return undefined;
    if (step !== undefined && record.step !== step) return undefined;
    if (flow !== undefined && !record.flows?.includes(flow)) return undefined;
    if (traceId !== undefined && record.traceId !== traceId) return undefined;
    const time = Date.parse(record.time);
    if ((since !== undefined && time < since) || (until !== undefined && time > until)) return undefined;
    return record;
  };
}

const sorted = (logs: LogRecord[]) => logs.sort((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : 0));
