/**
 * What steps are doing, counted from the runs that processes tell of. What was read stays in memory for as long as somebody looks, and is shared by
 * all who do: each question reads only what is new.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SpanRecord } from '../telemetry-records.ts';
import { parseRecord, type TelemetryReader } from './telemetry-reader.ts';

/** The runs of a step that began in the last minutes. */
export interface StepActivity {
  /** Name of the step. */
  step: string;
  /** Those that have ended. Of busy steps a part is recorded only; those that failed all are. */
  runs: number;
  failed: number;
  /** Those that have gone on for more than a second. */
  running: number;
  /** ISO 8601. */
  lastRunAt: string;
}

/** What became known of a step since the last time. */
export interface StepPulse {
  step: string;
  /** Runs that have gone on for a second. */
  started: number;
  finished: number;
  /** Among those that have finished. */
  failed: number;
}

/** How far back runs are counted. */
export const ACTIVITY_MS = 5 * 60_000;
/** And not more batches than these. */
const MOST_BATCHES = 5_000;
/** A run whose process was lost is told of no more. */
const LONGEST_RUN_MS = 60 * 60_000;
/** Who asks sooner is told the same. */
const FRESH_MS = 200;
const POLL_MS = 500;
const SECOND_MS = 1_000;
/** Processes that run no steps, by the role that their names begin with: about half of what is told is theirs. */
const WITHOUT_RUNS = /^(gateway|scheduler)-/;
/** Attribute that every run has, and nothing else. */
const OF_RUNS = '"motia.queue.wait_ms"';

interface Counted {
  lastRun: number;
  /** Runs by the second in which they began, ms since 1970. */
  seconds: Map<number, { runs: number; failed: number }>;
}

export class Activity {
  readonly #reader: TelemetryReader;
  readonly #steps = new Map<string, Counted>();
  /** Runs that go on, by the id of their span. */
  readonly #running = new Map<string, { step: string; start: number }>();
  readonly #followers = new Set<Map<string, StepPulse>>();
  /** The first sequence that was not read. */
  #next: number | undefined;
  #readAt = 0;
  #reading: Promise<void> | undefined;

  constructor(reader: TelemetryReader) {
    this.#reader = reader;
  }

  /** @param since ms since 1970, not longer ago than {@link ACTIVITY_MS}. */
  async list(since: number): Promise<StepActivity[]> {
    await this.#readNew();
    this.#forget();
    const running = new Map<string, number>();
    for (const { step } of this.#running.values()) running.set(step, (running.get(step) ?? 0) + 1);
    return [...this.#steps].map(([step, { lastRun, seconds }]) => {
      const [of, lastRunAt] = [{ runs: 0, failed: 0 }, new Date(lastRun).toISOString()];
      for (const [second, { runs, failed }] of seconds) {
        if (second + SECOND_MS <= since) continue;
        of.runs += runs;
        of.failed += failed;
      }
      return { step, ...of, running: running.get(step) ?? 0, lastRunAt };
    });
  }

  /** What becomes known from now on, until `signal` aborts. Who is slow is told the sum. */
  async *follow(signal: AbortSignal): AsyncGenerator<{ steps: StepPulse[] }> {
    await this.#readNew();
    const news = new Map<string, StepPulse>();
    this.#followers.add(news);
    try {
      while (!signal.aborted) {
        await this.#readNew();
        const steps = [...news.values()];
        news.clear();
        if (steps.length > 0) yield { steps };
        await sleep(POLL_MS, undefined, { signal }).catch(() => {}); // aborted
      }
    } finally {
      this.#followers.delete(news);
    }
  }

  #readNew(): Promise<void> {
    if (!this.#reading && Date.now() - this.#readAt < FRESH_MS) return Promise.resolve();
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
      this.#readAt = Date.now();
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    this.#next ??= await this.#start();
    for await (const batches of this.#reader.from(this.#reader.names.telemetryOf('spans'), this.#next)) {
      for (const batch of batches) {
        for (const line of WITHOUT_RUNS.test(batch.node) ? [] : await batch.lines()) {
          const span = line.includes(OF_RUNS) ? parseRecord<SpanRecord>(line) : undefined;
          if (span) this.#add(span);
        }
        this.#next = batch.sequence + 1;
      }
    }
  }

  async #start(): Promise<number> {
    const [{ last }, from] = await Promise.all([
      this.#reader.bounds(),
      this.#reader.sequenceAt(Date.now() - ACTIVITY_MS),
    ]);
    return Math.max(from, last - MOST_BATCHES, 1);
  }

  #add({ spanId, start, end, error, attributes = {} }: SpanRecord): void {
    const step = attributes['motia.step.name'];
    if (typeof step !== 'string' || typeof start !== 'number') return;
    const counted = this.#steps.get(step) ?? { lastRun: start, seconds: new Map() };
    this.#steps.set(step, counted);
    counted.lastRun = Math.max(counted.lastRun, start);
    if (end === undefined) {
      this.#running.set(spanId, { step, start });
      this.#tell(step, { started: 1, finished: 0, failed: 0 });
      return;
    }
    this.#running.delete(spanId);
    const failed = error === undefined ? 0 : 1;
    const second = Math.floor(start / SECOND_MS) * SECOND_MS;
    const before = counted.seconds.get(second) ?? { runs: 0, failed: 0 };
    counted.seconds.set(second, { runs: before.runs + 1, failed: before.failed + failed });
    this.#tell(step, { started: 0, finished: 1, failed });
  }

  #tell(step: string, { started, finished, failed }: Omit<StepPulse, 'step'>): void {
    for (const news of this.#followers) {
      const pulse = news.get(step) ?? { step, started: 0, finished: 0, failed: 0 };
      pulse.started += started;
      pulse.finished += finished;
      pulse.failed += failed;
      news.set(step, pulse);
    }
  }

  #forget(): void {
    const now = Date.now();
    for (const [spanId, { start }] of this.#running) if (start < now - LONGEST_RUN_MS) this.#running.delete(spanId);
    const goesOn = new Set([...this.#running.values()].map(({ step }) => step));
    for (const [step, { seconds }] of this.#steps) {
      for (const second of seconds.keys()) if (second < now - ACTIVITY_MS) seconds.delete(second);
      if (seconds.size === 0 && !goesOn.has(step)) this.#steps.delete(step);
    }
  }
}
