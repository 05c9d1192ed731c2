/** What people do with dead letters: read them, have them tried again, and throw them away. */
import { MotiaError } from '../errors.ts';
import type { Names } from '../protocol/subjects.ts';
import { idsOnly, type Tracing, traced } from '../tracing.ts';
import type { Broker } from './connect.ts';
import { type DeadLetter, type DeadLetterDetail, describe, durableOf, parse, shorten } from './dead-letter.ts';
import { EventStore, readEnvelope } from './events.ts';
import { readManifest } from './manifest-store.ts';
import { readMessage, readPage, type StoredMessage } from './stored-messages.ts';
import { assertTaken } from './subscription-targets.ts';
import { apiCode } from './topology.ts';

export interface DeadLetterPage {
  /** The oldest first. */
  deadLetters: DeadLetter[];
  /** There are more: the list goes on after this id. */
  next?: string;
}

/** What was done with many. */
export interface RetriedLetters {
  retried: number;
  /** Those that nobody would take, with the reason. They stay. */
  refused: { id: string; reason: string }[];
  /** There are more: to go on after this id, up to the one in `until`. */
  next?: string;
  until?: string;
}

/** How many a page has at most. */
export const MOST_LISTED = 500;
const USUALLY_LISTED = 100;
/** How many are retried at a time. */
const MOST_RETRIED = 1_000;
const NO_SUCH_MESSAGE: ReadonlySet<number | undefined> = new Set([10037, 10043, 10057]);

export class DeadLetterAdmin {
  readonly #broker: Broker;
  readonly #names: Names;
  readonly #stream: string;
  readonly #events: EventStore;
  readonly #tracing: Tracing;

  constructor(broker: Broker, names: Names, tracing: Tracing = idsOnly) {
    this.#broker = broker;
    this.#names = names;
    this.#stream = names.streams.dead;
    this.#events = new EventStore(broker, names);
    this.#tracing = tracing;
  }

  /**
   * The dead letters of a step, or all of them.
   * @param after the id of the last one that is known.
   * @param data with payloads, but for large ones.
   * @throws {MotiaError} `INVALID_VALUE` for a wrong `limit` or `after`.
   */
  async list({
    step,
    after = '0',
    limit = USUALLY_LISTED,
    data = false,
  }: {
    step?: string | undefined;
    after?: string | undefined;
    limit?: number | undefined;
    data?: boolean;
  } = {}): Promise<DeadLetterPage> {
    if (!Number.isInteger(limit) || limit < 1 || limit > MOST_LISTED) {
      throw new MotiaError('INVALID_VALUE', `a list has a limit from 1 to ${MOST_LISTED}`);
    }
    const { messages, left } = await this.#read(step, after, limit);
    const next = left > 0 ? String(messages.at(-1)?.sequence) : undefined;
    return { deadLetters: messages.map((message) => shorten(message, data)), ...(next !== undefined && { next }) };
  }

  /** @throws {MotiaError} `NOT_FOUND` */
  async show(id: string): Promise<DeadLetterDetail> {
    const message = await this.#find(id);
    const { topic } = describe(message);
    const event = readEnvelope(message, this.#stream, topic);
    const text = Buffer.from(await this.#events.payload(event, message.data)).toString('utf8');
    return { ...describe(message), data: parse(text) };
  }

  /**
   * Has the step that it died in try it again, from its first attempt. First it is stored for the step, then taken away here: a crash
   * in between leaves both.
   * @throws {MotiaError} `NOT_FOUND`, or `UNKNOWN_STEP` when that step does not subscribe to its topic any more.
   */
  async retry(id: string): Promise<DeadLetter> {
    const message = await this.#find(id);
    await this.#retry(message, createTargets(this.#broker, this.#names));
    return describe(message);
  }

  /**
   * The same for all of a step, or all that there are, in the order in which they died. Those that die meanwhile are not among them.
   * @param after as in {@link list}: a thousand are retried at a time.
   * @param until the last one that is meant; all that there are now without.
   */
  async retryAll({
    step,
    after = '0',
    until,
  }: {
    step?: string | undefined;
    after?: string | undefined;
    until?: string | undefined;
  } = {}): Promise<RetriedLetters> {
    const last = until === undefined ? await this.last() : toSequence(until);
    const result: RetriedLetters = { retried: 0, refused: [] };
    const target = createTargets(this.#broker, this.#names);
    let from = after;
    for (let done = 0; done < MOST_RETRIED; ) {
      const { messages, left } = await this.#read(step, from, USUALLY_LISTED);
      for (const message of messages) {
        if (message.sequence > last) return result;
        try {
          await this.#retry(message, target);
          result.retried++;
        } catch (error) {
          if (!(error instanceof MotiaError) || error.code !== 'UNKNOWN_STEP') throw error;
          result.refused.push({ id: String(message.sequence), reason: error.message });
        }
      }
      if (left === 0) return result;
      done += messages.length;
      from = String(messages.at(-1)?.sequence);
    }
    return { ...result, next: from, until: String(last) };
  }

  /** The sequence of the last dead letter that there has been. */
  async last(): Promise<number> {
    return (await this.#broker.jsm.streams.info(this.#stream)).state.last_seq;
  }

  /** Throws one away. @throws {MotiaError} `NOT_FOUND` */
  async remove(id: string): Promise<void> {
    if (!(await this.#delete(toSequence(id)))) throw unknown(id);
  }

  /** Throws away all of a step, or all that there are. @returns how many there were. */
  async purge(step?: string): Promise<number> {
    const filter = step === undefined ? this.#names.deads : this.#names.dead(step);
    return (await this.#broker.jsm.streams.purge(this.#stream, { filter })).purged;
  }

  #read(step: string | undefined, after: string, most: number) {
    const subject = step === undefined ? this.#names.deads : this.#names.dead(step);
    return readPage(this.#broker, this.#stream, subject, toSequence(after) + 1, most);
  }

  async #find(id: string): Promise<StoredMessage> {
    const message = await readMessage(this.#broker, this.#stream, toSequence(id));
    if (!message) throw unknown(id);
    return message;
  }

  async #retry(message: StoredMessage, target: Targets): Promise<void> {
    const { step, topic } = describe(message);
    const durable = await target(step, topic, durableOf(message));
    const event = readEnvelope(message, this.#stream, topic);
    const span = this.#tracing.startSpan(`retry ${topic}`, {
      kind: 'producer',
      parent: event.traceparent,
      attributes: { 'motia.step.name': step, 'messaging.message.id': event.id },
    });
    // What it was emitted by stays known through all retries.
    const link = event.link ?? event.traceparent;
    await traced(span, () =>
      this.#events.retryDead(
        { step, durable },
        { ...event, retriedFrom: message.sequence, traceparent: span.traceparent, ...(link !== '' && { link }) },
        message.data,
      ),
    );
    await this.#delete(message.sequence);
  }

  /** @returns whether it was there. */
  async #delete(sequence: number): Promise<boolean> {
    try {
      return await this.#broker.jsm.streams.deleteMessage(this.#stream, sequence, false);
    } catch (error) {
      if (NO_SUCH_MESSAGE.has(apiCode(error))) return false;
      throw error;
    }
  }
}

/** Finds the consumer that takes the dead letters of a subscription again. */
type Targets = (step: string, topic: string, diedIn: string) => Promise<string>;

/** Looks up each subscription once. */
function createTargets(broker: Broker, names: Names): Targets {
  const found = new Map<string, Promise<string>>();
  const find = async (stepId: string, topic: string, diedIn: string) => {
    const manifest = await readManifest(broker, names);
    const step = manifest?.steps.find(({ id, subscribes }) => id === stepId && subscribes?.includes(topic));
    const whole = names.subscription(stepId, topic);
    // In a partition its place is there, unless the step has ceased to be FIFO: then nobody listens to partitions.
    const isOrdered = step?.infrastructure?.queue?.type === 'fifo' && diedIn.startsWith(`${whole}=_`);
    const durable = isOrdered ? diedIn : whole;
    await assertTaken(broker, names, step, topic, durable);
    return durable;
  };
  return (step, topic, diedIn) => {
    const key = JSON.stringify([step, topic, diedIn]);
    const known = found.get(key) ?? find(step, topic, diedIn);
    found.set(key, known);
    return known;
  };
}

function toSequence(id: string): number {
  if (/^\d{1,15}$/.test(id)) return Number(id);
  throw new MotiaError('INVALID_VALUE', `the id of a dead letter is a number, not "${id.slice(0, 100)}"`);
}

const unknown = (id: string) => new MotiaError('NOT_FOUND', `there is no dead letter ${id}`);
