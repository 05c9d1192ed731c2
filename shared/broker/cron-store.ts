/** Cron steps on the broker: their ticks, how far schedulers have come, what has run, and which are paused. */
import { randomUUID } from 'node:crypto';
import { MotiaError } from '../errors.ts';
import { Header } from '../protocol/headers.ts';
import type { Names } from '../protocol/subjects.ts';
import type { Broker } from './connect.ts';
import type { Delivery } from './delivery.ts';
import { purgeEntries, readEntries, readLast, replaceEntry, writeEntry } from './key-value.ts';
import { publishStored } from './publish.ts';

/** A tick as a worker takes it. */
export interface Tick {
  /** Its sequence in the broker stream: the identity of the message. */
  seq: number;
  /** The time that it stands for, ms since 1970. */
  tick: number;
  /** A person asked for it, outside of the schedule. */
  manual: boolean;
}

/** One run of a cron step, as the record of the step has it. Times are ms since 1970. */
export interface CronRun extends Tick {
  /** Identity of the attempt that has it: whoever finds another one there has lost the run. */
  claim: string;
  /** How often it was begun: a second time if it was cut off. */
  times: number;
  startedAt: number;
  /** Absent while it runs, or if it was cut off. */
  endedAt?: number;
  outcome?: 'succeeded' | 'failed';
}

/** The runs of a step, in the order of their messages, and the revision that has them. */
export interface CronRecord {
  runs: CronRun[];
  revision: number;
}

/** How far schedulers have come with a step. The expression is there because a changed one begins anew. */
export interface CronPosition {
  tick: number;
  cron: string;
  timezone?: string;
}

/** A tick that is late by no more than this runs: a failover loses none. */
export const LATE_MS = 60_000;
/** Ended runs that a record keeps; those that go on are all there. */
const KEPT_RUNS = 16;

export class CronStore {
  readonly #broker: Broker;
  readonly #names: Names;
  readonly #bucket: string;

  constructor(broker: Broker, names: Names) {
    this.#broker = broker;
    this.#names = names;
    this.#bucket = names.buckets.leases;
  }

  /**
   * Stores a tick for the workers, once however often it is stored within two minutes.
   * @throws {MotiaError} `STORE_FULL` when too many of this step wait.
   */
  fire(stepId: string, tick: number): Promise<void> {
    const key = this.#names.tickConsumer(stepId);
    return this.#publish(stepId, { [Header.tick]: String(tick), [Header.messageId]: `${key}:${tick}` });
  }

  /** Stores a run outside of the schedule. @throws {MotiaError} `STORE_FULL` when too many of this step wait. */
  trigger(stepId: string): Promise<void> {
    return this.#publish(stepId, {
      [Header.tick]: String(Date.now()),
      [Header.trigger]: 'manual',
      [Header.messageId]: randomUUID(),
    });
  }

  #publish(stepId: string, headers: Record<string, string> & { 'Nats-Msg-Id': string }): Promise<void> {
    return publishStored(this.#broker, this.#names.tick(stepId), '', headers);
  }

  async readRecord(stepId: string): Promise<CronRecord> {
    const { entry, revision } = await readLast(this.#broker, this.#bucket, this.#names.cronRuns(stepId));
    return { runs: entry ? parse<{ runs: CronRun[] }>(entry.data).runs : [], revision };
  }

  /** The runs of all steps, by the key that {@link Names.cronRuns} makes. */
  async readRecords(): Promise<Map<string, CronRun[]>> {
    const entries = await readEntries(this.#broker, this.#bucket, this.#names.allCronRuns);
    return new Map(entries.map(({ key, data }) => [key, parse<{ runs: CronRun[] }>(data).runs]));
  }

  /** Stores the runs of a step if the record still has this revision. @returns whether it had. */
  async replaceRecord(stepId: string, { runs, revision }: CronRecord): Promise<boolean> {
    const kept = runs.filter(({ endedAt }, index) => endedAt === undefined || index >= runs.length - KEPT_RUNS);
    const json = JSON.stringify({ runs: kept });
    const replaced = await replaceEntry(this.#broker, this.#bucket, this.#names.cronRuns(stepId), json, revision);
    return replaced !== undefined;
  }

  /** How far schedulers have come, by the key that {@link Names.cronPosition} makes. */
  async readPositions(): Promise<Map<string, CronPosition & { revision: number }>> {
    const entries = await readEntries(this.#broker, this.#bucket, this.#names.cronPositions);
    return new Map(entries.map(({ key, data, revision }) => [key, { ...parse<CronPosition>(data), revision }]));
  }

  /** Stores how far a step has come if the present position has this revision, 0 for none. @returns the new one. */
  replacePosition(stepId: string, position: CronPosition, revision: number): Promise<number | undefined> {
    const key = this.#names.cronPosition(stepId);
    return replaceEntry(this.#broker, this.#bucket, key, JSON.stringify(position), revision);
  }

  /** Removes a position by its key: a step that is gone. */
  removePosition(key: string): Promise<void> {
    return purgeEntries(this.#broker, this.#bucket, key);
  }

  async pause(stepId: string): Promise<void> {
    await writeEntry(this.#broker, this.#bucket, this.#names.cronPause(stepId), String(Date.now()));
  }

  resume(stepId: string): Promise<void> {
    return purgeEntries(this.#broker, this.#bucket, this.#names.cronPause(stepId));
  }

  /** The steps that are paused, as keys that {@link Names.cronPause} makes. */
  async readPauses(): Promise<Set<string>> {
    const entries = await readEntries(this.#broker, this.#bucket, this.#names.cronPauses);
    return new Set(entries.map(({ key }) => key));
  }
}

/** Reads a tick. @throws {MotiaError} `INVALID_VALUE` for a message that is none. */
export function readTick(delivery: Delivery): Tick {
  const text = delivery.headers?.get(Header.tick) ?? '';
  // 14 digits last for 3,000 years, and are a date in every language.
  if (!/^\d{1,14}$/.test(text)) throw new MotiaError('INVALID_VALUE', 'the message is not a tick');
  return { seq: delivery.sequence, tick: Number(text), manual: delivery.headers?.get(Header.trigger) === 'manual' };
}

const parse = <T>(data: Uint8Array): T => JSON.parse(Buffer.from(data).toString('utf8')) as T;
