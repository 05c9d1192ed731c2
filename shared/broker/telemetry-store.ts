/**
 * Stores what a process tells of itself, its spans and log records, in the broker stream that people's views are made from. Nobody waits for it:
 * records are gathered, and published in batches.
 */
import { hostname } from 'node:os';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type pino from 'pino';
import { tapLog } from '../logger.ts';
import { Header } from '../protocol/headers.ts';
import type { Names, TelemetryKind } from '../protocol/subjects.ts';
import type { RecordedSpan, SpanSink } from '../recorded-span.ts';
import { type BufferLimits, TelemetryBuffer } from '../telemetry-buffer.ts';
import { logLine, spanLine, traceOfLog, traceOfSpan } from '../telemetry-records.ts';
import { beganAt, newSpanId } from '../trace-ids.ts';
import type { Broker } from './connect.ts';
import { publishStored } from './publish.ts';

/** Records wait this long for others. */
const FLUSH_MS = 200;
/** Of text, before it is compressed: a message may be as large as this even when nothing can be compressed. */
const LARGEST_BATCH = 512 * 1024;
/** What is told of a trace by then is found by when the trace began; what comes later has subjects of its own. */
export const YOUNG_MS = 15_000;
/** How far clocks of machines may be apart. */
export const CLOCK_SKEW_MS = 5_000;
/** A message is tried for so long when the connection drops just then. */
export const RETRY_FOR_MS = 5_000;
const AGAIN_AFTER_MS = 30_000;
const CLOSE_WITHIN_MS = 2_000;
/** A span that is not written out yet counts as this many characters. */
const SPAN_CHARACTERS = 600;

/** Records that are written out without a pause: about a millisecond. */
const MOST_AT_ONCE = 500;

const sizeOf = (span: RecordedSpan | string) =>
  typeof span === 'string' ? span.length : SPAN_CHARACTERS + span.attached.length;

const compress = promisify(gzip);

interface Batch {
  subject: string;
  lines: string[];
  characters: number;
}

export class TelemetryStore {
  readonly #broker: Broker;
  readonly #names: Names;
  readonly #node: string;
  readonly #log: pino.Logger;
  readonly #spans: TelemetryBuffer<RecordedSpan | string>;
  readonly #logs: TelemetryBuffer<string>;
  /** Makes message ids unique over processes. */
  readonly #origin = newSpanId();
  #batches = 0;
  #timer: NodeJS.Timeout | undefined;
  #publishing: Promise<void> | undefined;
  #failing = false;

  /** @param role of this process: `gateway`, `worker`, `scheduler`. */
  constructor(broker: Broker, names: Names, role: string, log: pino.Logger, limits?: BufferLimits) {
    this.#broker = broker;
    this.#names = names;
    this.#node = `${role}-${hostname()}-${process.pid}`;
    this.#log = log;
    this.#spans = new TelemetryBuffer((span) => sizeOf(span), limits);
    this.#logs = new TelemetryBuffer((line) => line.length, limits);
  }

  /** Takes a span of this thread. */
  readonly addSpan: SpanSink = (span) => {
    this.#spans.add(span);
    this.#schedule();
  };

  /** Takes spans of another thread, and how many that one has dropped. */
  addSpanLines(lines: string[], dropped: number): void {
    for (const line of lines) this.#spans.add(line);
    if (dropped > 0) this.#spans.lose(dropped);
    this.#schedule();
  }

  /** Takes a finished line of the log. */
  addLogLine(line: string): void {
    const stored = logLine(line.trimEnd());
    if (stored !== '') this.#logs.add(stored);
    this.#schedule();
  }

  /** Publishes what is left, if that takes no longer than two seconds. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    const rest = (async () => {
      await this.#publishing;
      await this.#publishAll();
    })();
    await Promise.race([rest, new Promise((resolve) => setTimeout(resolve, CLOSE_WITHIN_MS).unref())]);
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => {
      this.#publishing = this.#publishAll().finally(() => {
        this.#timer = undefined;
        if (this.#spans.size + this.#logs.size > 0) this.#schedule();
      });
    }, FLUSH_MS).unref();
  }

  async #publishAll(): Promise<void> {
    // Only then is it decided what is late. Meanwhile the buffers are full at most.
    await this.#broker.whenConnected(AGAIN_AFTER_MS);
    if (!this.#broker.connected()) return;
    await this.#publish('spans', this.#spans, (span) => {
      const line = typeof span === 'string' ? span : spanLine(span);
      return [line, traceOfSpan(line)];
    });
    await this.#publish('logs', this.#logs, (line) => [line, traceOfLog(line)]);
  }

  async #publish<T>(
    kind: TelemetryKind,
    buffer: TelemetryBuffer<T>,
    write: (record: T) => [line: string, traceId: string | undefined],
  ): Promise<void> {
    const { records, dropped } = buffer.take();
    let untold = dropped;
    for (let at = 0; at < records.length; at += MOST_AT_ONCE) {
      for (const { subject, lines } of this.#toBatches(kind, records.slice(at, at + MOST_AT_ONCE), write)) {
        if (await this.#isPublished(subject, lines, untold)) untold = 0;
        else buffer.lose(lines.length);
      }
    }
    if (untold > 0) buffer.lose(untold);
  }

  async #isPublished(subject: string, lines: string[], dropped: number): Promise<boolean> {
    try {
      const data = await compress(lines.join('\n'), { level: 1 });
      const headers = {
        [Header.messageId]: `${this.#origin}.${this.#batches++}`,
        [Header.node]: this.#node,
        ...(dropped > 0 && { [Header.dropped]: String(dropped) }),
      };
      await publishStored(this.#broker, subject, data, headers, RETRY_FOR_MS);
      this.#failing = false;
      return true;
    } catch (error) {
      if (!this.#failing) {
        this.#log.warn({ action: 'telemetry_failed', err: error }, 'Spans and log records could not be stored');
      }
      this.#failing = true;
      return false;
    }
  }

  #toBatches<T>(
    kind: TelemetryKind,
    records: T[],
    write: (record: T) => [line: string, traceId: string | undefined],
  ): Batch[] {
    const full: Batch[] = [];
    const open = new Map<string, Batch>();
    const now = Date.now();
    for (const record of records) {
      const [line, traceId] = write(record);
      const subject =
        traceId === undefined || isYoung(traceId, now)
          ? this.#names.telemetry(kind, this.#node)
          : this.#names.lateTelemetry(kind, traceId);
      let batch = open.get(subject);
      if (batch && batch.characters + line.length > LARGEST_BATCH) {
        full.push(batch);
        batch = undefined;
      }
      if (!batch) {
        batch = { subject, lines: [], characters: 0 };
        open.set(subject, batch);
      }
      batch.lines.push(line);
      batch.characters += line.length + 1;
    }
    return [...full, ...open.values()];
  }
}

/** Whether it is found by when its trace began. One that others have begun is not, unless by chance, which does no harm. */
function isYoung(traceId: string, now: number): boolean {
  const age = now - beganAt(traceId);
  return age < YOUNG_MS && age > -CLOCK_SKEW_MS;
}

/** Starts to store what this process tells, the lines of its log among it. @returns what is to be given spans. */
export function startTelemetryStore(
  broker: Broker,
  names: Names,
  role: string,
  log: pino.Logger,
): { store: TelemetryStore; close: () => Promise<void> } {
  const store = new TelemetryStore(broker, names, role, log);
  const untap = tapLog((line) => store.addLogLine(line));
  return {
    store,
    close: () => {
      untap();
      return store.close();
    },
  };
}
