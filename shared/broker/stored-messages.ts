/** Reads what is stored in broker streams, without a consumer: nothing is taken, and nothing is left behind. */
import type { Msg, MsgHdrs } from '@nats-io/transport-node';
import { MotiaError } from '../errors.ts';
import type { Broker } from './connect.ts';
import { rideOut } from './retry.ts';

/** A message as the broker has it. */
export interface StoredMessage {
  subject: string;
  sequence: number;
  /** Ms since 1970. */
  storedAt: number;
  headers: MsgHdrs | undefined;
  data: Uint8Array;
}

/** Some of the messages on a subject, in the order in which they were stored. */
export interface Page {
  messages: StoredMessage[];
  /** How many come after them. */
  left: number;
}

const RIDE_OUT_MS = 15_000;
const NOT_FOUND = 404;
const END_OF_BATCH = 204;
/** A page ends here, whatever was asked for. */
const MOST_BYTES = 8 * 1024 ** 2;

/** The message with this sequence, or `undefined`. The broker stream has to allow direct gets, here as below. */
export async function readMessage(
  broker: Broker,
  stream: string,
  sequence: number,
): Promise<StoredMessage | undefined> {
  const msg = await get(broker, stream, { seq: sequence });
  return msg && toMessage(msg);
}

/** What was stored last on a subject without wildcards, or `undefined`. */
export async function readLastOn(broker: Broker, stream: string, subject: string): Promise<StoredMessage | undefined> {
  const msg = await get(broker, stream, { last_by_subj: subject });
  return msg && toMessage(msg);
}

/** The last message on each subject that matches one of these, up to a thousand. */
export async function readLastOnEach(broker: Broker, stream: string, subjects: string[]): Promise<StoredMessage[]> {
  return (await getMany(broker, stream, { multi_last: subjects })).messages;
}

/**
 * Messages whose subject matches.
 * @param from the first sequence to look at.
 * @param most how many; a page has fewer when they are large, but one if there is one.
 */
export async function readPage(
  broker: Broker,
  stream: string,
  subject: string,
  from: number,
  most: number,
): Promise<Page> {
  return getMany(broker, stream, {
    seq: Math.max(from, 1),
    next_by_subj: subject,
    batch: most,
    max_bytes: MOST_BYTES,
  });
}

/** The same, from the first message that was stored at this time or later (ms since 1970). */
export async function readPageSince(
  broker: Broker,
  stream: string,
  subject: string,
  time: number,
  most: number,
): Promise<Page> {
  return getMany(broker, stream, {
    start_time: new Date(time).toISOString(),
    next_by_subj: subject,
    batch: most,
    max_bytes: MOST_BYTES,
  });
}

async function getMany(broker: Broker, stream: string, query: object): Promise<Page> {
  const replies = await rideOut(broker, RIDE_OUT_MS, () =>
    broker.mux.requestMany(`$JS.API.DIRECT.GET.${stream}`, JSON.stringify(query), (msg) => codeOf(msg) !== 0),
  );
  const status = replies.pop() as Msg;
  if (codeOf(status) !== END_OF_BATCH && codeOf(status) !== NOT_FOUND) throw refused(status);
  const messages = replies.map(toMessage);
  return { messages, left: messages.length === 0 ? 0 : Number(header(status, 'Nats-Num-Pending')) || 0 };
}

/** How many messages there are on a subject, and the first of them. */
export async function countOn(
  broker: Broker,
  stream: string,
  subject: string,
): Promise<{ count: number; first?: StoredMessage | undefined }> {
  const { messages, left } = await readPage(broker, stream, subject, 1, 1);
  return { count: messages.length + left, first: messages[0] };
}

async function get(broker: Broker, stream: string, query: object): Promise<Msg | undefined> {
  const msg = await rideOut(broker, RIDE_OUT_MS, () =>
    broker.mux.request(`$JS.API.DIRECT.GET.${stream}`, JSON.stringify(query)),
  );
  if (codeOf(msg) === NOT_FOUND) return undefined;
  if (codeOf(msg) !== 0) throw refused(msg);
  return msg;
}

function toMessage(msg: Msg): StoredMessage {
  return {
    subject: header(msg, 'Nats-Subject'),
    sequence: Number(header(msg, 'Nats-Sequence')),
    storedAt: Date.parse(header(msg, 'Nats-Time-Stamp')),
    headers: msg.headers,
    data: msg.data,
  };
}

const header = (msg: Msg, name: string): string => msg.headers?.get(name) ?? '';

const codeOf = (msg: Msg): number => msg.headers?.code ?? 0;

const refused = (msg: Msg) =>
  new MotiaError('BROKER_REFUSED', `the broker refused a read: ${msg.headers?.description}`);
