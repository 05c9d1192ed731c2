/**
 * The list of stored traces. What was read stays in memory for the next question, which reads only what is new, and further back when that is asked
 * for; so it is to be let go when nobody has asked for a while.
 */
import { MotiaError } from '../errors.ts';
import type { SpanRecord } from '../telemetry-records.ts';
import {
  type PageQuery,
  parseRecord,
  ReadBudget,
  type TelemetryBatch,
  type TelemetryReader,
} from './telemetry-reader.ts';
import { CLOCK_SKEW_MS, RETRY_FOR_MS, YOUNG_MS } from './telemetry-store.ts';
import { FoldedTrace, type TraceFilter, type TraceSummary } from './telemetry-summary.ts';

export interface TracePage {
  /** The newest first. */
  traces: TraceSummary[];
  /** What the next page is asked for with; absent when there is none. */
  next?: string;
  /** Traces that began before are not in the list, although some are stored: ask for earlier ones with `until`. ISO 8601. */
  reachesTo?: string;
}

const DEFAULT_LIMIT = 50;
export const MOST_TRACES_LISTED = 500;
/** Who asks for traces that began before, more than this long ago, does not read all that came since. */
const RECENT_MS = 10 * 60_000;
/** In memory, a few hundred bytes each. */
const MOST_TRACES = 20_000;
/** Batches that are read at a time, backwards. */
const CHUNK = 200;
const SETTLED_MS = YOUNG_MS + CLOCK_SKEW_MS + RETRY_FOR_MS;

export class TraceList {
  readonly #reader: TelemetryReader;
  readonly #until: number | undefined;
  readonly #traces = new Map<string, FoldedTrace>();
  /** Sequences from the one to the other were read; none yet when the second is below the first. */
  #low = 0;
  #high = -1;
  /** All records of traces that began later were read. Ms since 1970. */
  #reachesTo = Number.POSITIVE_INFINITY;
  #isFull = false;
  #turn: Promise<unknown> = Promise.resolve();

  /** @param until begins with traces of that time, ms since 1970, and not with the newest. */
  constructor(reader: TelemetryReader, until?: number) {
    this.#reader = reader;
    this.#until = until;
  }

  /** Whether traces of this time were read. */
  reaches(time: number): boolean {
    return time > this.#reachesTo;
  }

  /** @throws {MotiaError} `INVALID_VALUE` */
  list(filter: TraceFilter, { cursor, limit }: PageQuery = {}) {
    const page = this.#turn.then(() =>
      this.#list(filter, cursor === undefined ? undefined : parseCursor(cursor), limit),
    );
    this.#turn = page.catch(() => {});
    return page;
  }

  async #list(filter: TraceFilter, cursor: Cursor | undefined, limit = DEFAULT_LIMIT): Promise<TracePage> {
    const most = Math.min(Math.max(limit, 1), MOST_TRACES_LISTED);
    const { first, last } = await this.#reader.bounds();
    const budget = new ReadBudget();
    await this.#readNew(last, budget);
    let found = this.#find(filter, cursor);
    while (found.length <= most && this.#low > first && !this.#isFull && !budget.isSpent) {
      if (filter.since !== undefined && this.#reachesTo < filter.since) break;
      await this.#readEarlier(first, budget);
      found = this.#find(filter, cursor);
    }
    const hasAll = this.#low <= first && !this.#isFull;
    if (hasAll) {
      this.#reachesTo = Number.NEGATIVE_INFINITY;
      found = this.#find(filter, cursor);
    }
    const traces = found.slice(0, most);
    const end = traces.at(-1);
    const isAll = hasAll || (filter.since !== undefined && this.#reachesTo < filter.since);
    const page: TracePage = { traces: traces.map((trace) => trace.toSummary()) };
    // A page that is not full says where the search goes on.
    if (found.length > most && end) page.next = toCursor(end.start, end.traceId);
    else if (!isAll && !this.#isFull) page.next = toCursor(Math.min(this.#reachesTo, cursor?.start ?? Infinity), '~');
    if (!isAll && found.length <= most) page.reachesTo = new Date(this.#reachesTo).toISOString();
    return page;
  }

  /** What was stored since the last question. */
  async #readNew(last: number, budget: ReadBudget): Promise<void> {
    if (this.#high < this.#low) {
      const high = this.#until === undefined ? last : (await this.#reader.sequenceAt(this.#until + SETTLED_MS)) - 1;
      this.#high = Math.min(high, last);
      this.#low = this.#high + 1;
      if (this.#until !== undefined) await this.#readLate(budget);
      return;
    }
    if (this.#until !== undefined) return;
    while (this.#high < last) {
      const to = Math.min(this.#high + CHUNK, last);
      await this.#fold(await this.#reader.between(this.#high + 1, to));
      this.#high = to;
    }
    this.#makeRoom();
  }

  /** What was told later of traces of the time that was asked for, as far as it may be read. */
  async #readLate(budget: ReadBudget): Promise<void> {
    for await (const batches of this.#reader.from(this.#reader.names.lateSpans, this.#high + 1)) {
      budget.spend(batches);
      await this.#fold(batches);
      if (budget.isSpent) return;
    }
  }

  async #readEarlier(first: number, budget: ReadBudget): Promise<void> {
    const from = Math.max(this.#low - CHUNK, first);
    const batches = await this.#reader.between(from, this.#low - 1);
    budget.spend(batches);
    await this.#fold(batches);
    this.#low = from;
    const oldest = batches[0];
    if (oldest) this.#reachesTo = Math.min(this.#reachesTo, oldest.storedAt + CLOCK_SKEW_MS);
    this.#makeRoom();
  }

  async #fold(batches: readonly TelemetryBatch[]): Promise<void> {
    for (const batch of batches) {
      if (batch.kind !== 'spans') continue;
      for (const line of await batch.lines()) {
        const span = parseRecord<SpanRecord>(line);
        if (typeof span?.traceId !== 'string' || typeof span.start !== 'number') continue;
        let trace = this.#traces.get(span.traceId);
        if (!trace) {
          trace = new FoldedTrace(span.traceId);
          this.#traces.set(span.traceId, trace);
        }
        trace.add(span);
      }
    }
  }

  /** The oldest are forgotten when there are too many, and the list reaches no further back from then on. */
  #makeRoom(): void {
    if (this.#traces.size <= MOST_TRACES) return;
    const newestFirst = [...this.#traces.values()].sort((a, b) => b.start - a.start);
    for (const trace of newestFirst.splice((MOST_TRACES * 3) / 4)) {
      this.#traces.delete(trace.traceId);
      this.#isFull = true;
    }
    this.#reachesTo = Math.max(this.#reachesTo, newestFirst.at(-1)?.start ?? 0);
  }

  /** Those of which all is known, the newest first. */
  #find(filter: TraceFilter, cursor: Cursor | undefined): FoldedTrace[] {
    const found: FoldedTrace[] = [];
    for (const trace of this.#traces.values()) {
      if (trace.start < this.#reachesTo || (this.#until !== undefined && trace.start > this.#until)) continue;
      if (cursor && !isBefore(trace, cursor)) continue;
      if (trace.fits(filter)) found.push(trace);
    }
    return found.sort((a, b) => b.start - a.start || (a.traceId < b.traceId ? 1 : -1));
  }
}

/**
 * A page of the list, from `recent` if that is what is asked for.
 * @throws {MotiaError} `INVALID_VALUE`
 */
export function listTraces(
  reader: TelemetryReader,
  recent: TraceList,
  filter: TraceFilter,
  page: PageQuery = {},
): Promise<TracePage> {
  const goesOnAt = page.cursor === undefined ? Infinity : parseCursor(page.cursor).start;
  const until = Math.min(filter.until ?? Infinity, goesOnAt);
  const list = until < Date.now() - RECENT_MS && !recent.reaches(until) ? new TraceList(reader, until) : recent;
  return list.list(filter, page);
}

interface Cursor {
  start: number;
  traceId: string;
}

const isBefore = (trace: FoldedTrace, { start, traceId }: Cursor) =>
  trace.start < start || (trace.start === start && trace.traceId < traceId);

const toCursor = (start: number, traceId: string) => `${start}.${traceId}`;

function parseCursor(cursor: string): Cursor {
  const [, start, traceId] = /^(\d{1,14}(?:\.\d{1,6})?)\.([0-9a-f]{32}|~)$/.exec(cursor) ?? [];
  if (start === undefined || traceId === undefined) {
    throw new MotiaError('INVALID_VALUE', 'the cursor is not one that a page came with');
  }
  return { start: Number(start), traceId };
}
