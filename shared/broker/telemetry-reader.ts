/** Reads stored spans and log records, batch by batch, without a consumer: nothing is left behind by whoever looks. */

import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { isJsonObject, parseJson } from '../json-values.ts';
import { Header } from '../protocol/headers.ts';
import type { Names, TelemetryKind } from '../protocol/subjects.ts';
import type { Broker } from './connect.ts';
import { type Page, readPage, readPageSince, type StoredMessage } from './stored-messages.ts';

/** Which page of a list is wanted. */
export interface PageQuery {
  /** `next` of the page before. */
  cursor?: string | undefined;
  limit?: number | undefined;
}

/** What one process told at once. */
export interface TelemetryBatch {
  sequence: number;
  /** Ms since 1970. */
  storedAt: number;
  kind: TelemetryKind;
  /** The process that told it. */
  node: string;
  /** How many records it has dropped before. */
  dropped: number;
  /** Bytes, compressed. */
  size: number;
  /** One record each. */
  lines(): Promise<string[]>;
}

/** A batch that is larger was not written by us. */
const LARGEST_BATCH = 16 * 1024 ** 2;
const PAGE = 500;
const KIND_AT = 3;

const decompress = promisify(gunzip);

/** How much a question may have read. A question that needs more is answered in part, and says so. */
export class ReadBudget {
  #batches: number;
  #bytes: number;

  constructor(batches = 5_000, bytes = 32 * 1024 ** 2) {
    this.#batches = batches;
    this.#bytes = bytes;
  }

  spend(batches: readonly TelemetryBatch[]): void {
    this.#batches -= batches.length;
    for (const { size } of batches) this.#bytes -= size;
  }

  get isSpent(): boolean {
    return this.#batches <= 0 || this.#bytes <= 0;
  }
}

export class TelemetryReader {
  readonly names: Names;
  readonly #broker: Broker;
  readonly #stream: string;

  constructor(broker: Broker, names: Names) {
    this.#broker = broker;
    this.names = names;
    this.#stream = names.streams.telemetry;
  }

  /** The sequences that there are; the last is below the first if there are none. */
  async bounds(): Promise<{ first: number; last: number }> {
    const { state } = await this.#broker.jsm.streams.info(this.#stream);
    return { first: state.first_seq, last: state.last_seq };
  }

  /** The first sequence that was stored at this time or later; beyond the last if there is none. */
  async sequenceAt(time: number): Promise<number> {
    const { messages } = await readPageSince(this.#broker, this.#stream, this.names.allTelemetry, time, 1);
    return messages[0]?.sequence ?? (await this.bounds()).last + 1;
  }

  /** All batches with these sequences, in their order. */
  async between(from: number, to: number): Promise<TelemetryBatch[]> {
    const batches: TelemetryBatch[] = [];
    for (let next = from; next <= to; ) {
      const page = await readPage(this.#broker, this.#stream, this.names.allTelemetry, next, to - next + 1);
      if (page.messages.length === 0) break;
      for (const message of page.messages) if (message.sequence <= to) batches.push(toBatch(message));
      next = (page.messages.at(-1)?.sequence ?? to) + 1;
    }
    return batches;
  }

  /** Batches on a subject from a sequence on, in their order, some at a time. */
  async *from(subject: string, sequence: number): AsyncGenerator<TelemetryBatch[]> {
    for (let next = sequence; ; ) {
      const page: Page = await readPage(this.#broker, this.#stream, subject, next, PAGE);
      if (page.messages.length === 0) return;
      yield page.messages.map(toBatch);
      if (page.left === 0) return;
      next = (page.messages.at(-1)?.sequence ?? next) + 1;
    }
  }
}

function toBatch({ subject, sequence, storedAt, headers, data }: StoredMessage): TelemetryBatch {
  return {
    sequence,
    storedAt,
    kind: subject.split('.')[KIND_AT] as TelemetryKind,
    node: headers?.get(Header.node) ?? '',
    dropped: Number(headers?.get(Header.dropped)) || 0,
    size: data.length,
    lines: async () => {
      try {
        const text = await decompress(data, { maxOutputLength: LARGEST_BATCH });
        return text.toString('utf8').split('\n');
      } catch {
        return []; // nobody who speaks the protocol wrote this
      }
    },
  };
}

/** Reads a line; `undefined` if it is no record. */
export function parseRecord<T extends object>(line: string): T | undefined {
  const record = parseJson(line);
  return isJsonObject(record) ? (record as T) : undefined;
}
