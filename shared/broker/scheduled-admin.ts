/** Events that wait for their time: emitted with a delay, or between two attempts. People see them, throw them away, and have them at once. */
import { MotiaError } from '../errors.ts';
import { parseJson } from '../json-values.ts';
import { decodeTopic } from '../protocol/encoding.ts';
import { Header } from '../protocol/headers.ts';
import { type Names, partsOfSubscription, wholeOf } from '../protocol/subjects.ts';
import type { Page, PageOptions } from '../types.ts';
import type { Broker } from './connect.ts';
import { dueOf } from './event-search.ts';
import { decodeText, readEnvelope } from './events.ts';
import { toLimit, toPosition } from './page.ts';
import { readAnswer, toHeaders, WRONG_LAST_SEQUENCE } from './publish.ts';
import { topicOfTarget } from './queue-admin.ts';
import { readMessage, readPage, type StoredMessage } from './stored-messages.ts';

export interface ScheduledEvent {
  /** Of the wait; an event that waits in several steps has one in each. */
  id: string;
  eventId: string;
  topic: string;
  /** Id of the step; absent for an event with a delay, which waits for all that subscribe. */
  step?: string;
  /** Its time, ISO 8601 in UTC. */
  at: string;
  /** The attempt that comes then; absent for an event with a delay. */
  attempt?: number;
  /** Absent for one that is large. */
  data?: unknown;
}

/** Larger payloads are not in a list. */
const MOST_BYTES = 16 * 1024;
/** What the broker says of a message, and what was meant for the first time. */
const NOT_KEPT =
  /^Nats-(Subject|Sequence|Time-Stamp|Stream|Num-Pending|Last-Sequence|UpTo-Sequence|Msg-Id|Expected-.*|Schedule)$/;

export class ScheduledAdmin {
  readonly #broker: Broker;
  readonly #names: Names;
  readonly #stream: string;

  constructor(broker: Broker, names: Names) {
    this.#broker = broker;
    this.#names = names;
    this.#stream = names.streams.scheduled;
  }

  /** In the order in which they were stored. @throws {MotiaError} `INVALID_VALUE` for a wrong `limit` or `after`. */
  async list(options: PageOptions = {}): Promise<Page<ScheduledEvent>> {
    const [from, most] = [toPosition(options) + 1, toLimit(options)];
    const { messages, left } = await readPage(this.#broker, this.#stream, this.#names.schedules, from, most);
    const last = messages.at(-1);
    return { items: messages.map(describe), ...(left > 0 && last && { next: String(last.sequence) }) };
  }

  /** Throws one away. @throws {MotiaError} `NOT_FOUND` for one whose time has come, as below. */
  async remove(id: string): Promise<void> {
    const { subject, sequence } = await this.#find(id);
    const filter = { filter: subject, seq: sequence + 1 }; // what came in its place stays
    if ((await this.#broker.jsm.streams.purge(this.#stream, filter)).purged === 0) throw unknown(id);
  }

  /** Its time is now. */
  async run(id: string): Promise<void> {
    const { subject, sequence, headers, data } = await this.#find(id);
    const kept = [...(headers ?? [])].filter(([name]) => !NOT_KEPT.test(name));
    const options = {
      headers: toHeaders({
        ...Object.fromEntries(kept.map(([name, [value = '']]) => [name, value])),
        [Header.messageId]: `${this.#stream}:${sequence}`,
        'Nats-Schedule': `@at ${new Date().toISOString()}`,
        'Nats-Expected-Last-Subject-Sequence': String(sequence), // otherwise its time has come meanwhile
      }),
    };
    await this.#broker.mux.request(subject, data, options, (reply) => {
      const code = reply.json<{ error?: { err_code?: number } }>().error?.err_code;
      if (code === WRONG_LAST_SEQUENCE) throw unknown(id);
      readAnswer(reply);
    });
  }

  async #find(id: string): Promise<StoredMessage> {
    const message = await readMessage(this.#broker, this.#stream, toPosition({ after: id }));
    if (message && isSchedule(message)) return message;
    throw unknown(id);
  }
}

const isSchedule = ({ headers }: StoredMessage) => headers?.has('Nats-Schedule') === true;

function describe(message: StoredMessage): ScheduledEvent {
  const { sequence, subject, headers, data } = message;
  const [, , durable = ''] = subject.split('.');
  const isDelayed = durable === 'ev';
  const target = topicOfTarget(headers?.get('Nats-Schedule-Target') ?? '');
  const topic = isDelayed ? decodeTopic(target) : decodeText(headers?.get(Header.topic) ?? '');
  const { id: eventId, attempt, blob } = readEnvelope(message, '', topic);
  const isHere = blob === undefined && data.length <= MOST_BYTES;
  return {
    ...{ id: String(sequence), eventId, topic, at: dueOf(message) },
    ...(!isDelayed && { step: partsOfSubscription(wholeOf(durable)).step, attempt }),
    ...(isHere && { data: parseJson(Buffer.from(data).toString('utf8')) }),
  };
}

const unknown = (id: string) => new MotiaError('NOT_FOUND', `no event waits for its time as ${id.slice(0, 100)}`);
