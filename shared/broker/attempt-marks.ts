/**
 * Which attempt the first event of an ordered consumer is at. It waits for the next one in its place, unchanged, so this is kept
 * beside it.
 */
import type { Names } from '../protocol/subjects.ts';
import type { Broker } from './connect.ts';
import { readEntry, writeEntry } from './key-value.ts';

export interface AttemptMark {
  /** Which event it is about, by its place in the broker stream. */
  sequence: number;
  /** The next attempt, from 2. */
  attempt: number;
  /** When it is to be made, ms since 1970. */
  notBefore: number;
  /** How often the broker had handed the event out until then. */
  deliveries: number;
}

export class AttemptMarks {
  readonly #broker: Broker;
  readonly #bucket: string;
  readonly #key: string;

  /** Of one durable consumer: it has one first event, and so one mark. */
  constructor(broker: Broker, names: Names, durable: string) {
    this.#broker = broker;
    this.#bucket = names.buckets.delivery;
    this.#key = names.markKey(durable);
  }

  /** The mark of an event, if it has one. */
  async read(sequence: number): Promise<AttemptMark | undefined> {
    const entry = await readEntry(this.#broker, this.#bucket, this.#key);
    if (!entry) return undefined;
    const mark = JSON.parse(Buffer.from(entry.data).toString('utf8')) as AttemptMark;
    return mark.sequence === sequence ? mark : undefined;
  }

  async write(mark: AttemptMark): Promise<void> {
    await writeEntry(this.#broker, this.#bucket, this.#key, JSON.stringify(mark));
  }
}
