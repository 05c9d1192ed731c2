/** What waits to be stored: bounded, and when it is full the oldest goes, since whoever tells something is never to wait. */

/** Together with what is being published, a process keeps at most twice this much. */
const MOST_RECORDS = 20_000;
const MOST_CHARACTERS = 16 * 1024 ** 2;

export interface BufferLimits {
  records?: number;
  characters?: number;
}

export class TelemetryBuffer<T> {
  readonly #mostRecords: number;
  readonly #mostCharacters: number;
  readonly #sizeOf: (record: T) => number;
  #records: T[] = [];
  /** Those before it have been dropped. */
  #first = 0;
  #characters = 0;
  #dropped = 0;

  /** @param sizeOf about how many characters a record will be. */
  constructor(
    sizeOf: (record: T) => number,
    { records = MOST_RECORDS, characters = MOST_CHARACTERS }: BufferLimits = {},
  ) {
    this.#sizeOf = sizeOf;
    this.#mostRecords = records;
    this.#mostCharacters = characters;
  }

  get size(): number {
    return this.#records.length - this.#first;
  }

  add(record: T): void {
    this.#records.push(record);
    this.#characters += this.#sizeOf(record);
    while (this.size > this.#mostRecords || (this.#characters > this.#mostCharacters && this.size > 1)) this.#drop();
  }

  /** Says that records are lost that came from elsewhere, or could not be stored. */
  lose(count: number): void {
    this.#dropped += count;
  }

  /** Everything, and how many have been lost since the last time. */
  take(): { records: T[]; dropped: number } {
    const taken = {
      records: this.#first === 0 ? this.#records : this.#records.slice(this.#first),
      dropped: this.#dropped,
    };
    this.#records = [];
    this.#first = 0;
    this.#characters = 0;
    this.#dropped = 0;
    return taken;
  }

  #drop(): void {
    this.#characters -= this.#sizeOf(this.#records[this.#first] as T);
    this.#records[this.#first++] = undefined as T;
    this.#dropped++;
    if (this.#first < this.#mostRecords) return;
    this.#records = this.#records.slice(this.#first);
    this.#first = 0;
  }
}
