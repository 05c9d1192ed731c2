/** Publishing into a broker stream, resolved when the broker has stored the message. */
import type { MsgHdrs } from '@nats-io/transport-node';
import { MotiaError } from '../errors.ts';
import type { Broker } from './connect.ts';
import { rideOut } from './retry.ts';

interface Refusal {
  error?: { code: number; err_code?: number; description: string };
}

const RETRY_FOR_MS = 30_000;
/** Broker error codes: no more room in a stream by bytes, by messages, per subject; insufficient resources. */
const STORE_FULL = new Set([10077, 10047, 10023]);

/**
 * Stores one message. A lost connection, a server that just restarts or a leader election is ridden out for 30 s, or `forMs`: the
 * message id makes sure that a message stored by an earlier try is not stored twice.
 * @throws {MotiaError} `STORE_FULL`, `BROKER_REFUSED`, or `BROKER_LOST` / `BROKER_TIMEOUT` when 30 s were not enough.
 */
export function publishStored(
  broker: Broker,
  subject: string,
  data: Uint8Array | string,
  messageHeaders: Record<string, string> & { 'Nats-Msg-Id': string },
  forMs = RETRY_FOR_MS,
): Promise<void> {
  const options = { headers: toHeaders(messageHeaders) };
  return rideOut(broker, forMs, () => broker.mux.request(subject, data, options, checkStored));
}

/** Broker error codes: what is stored last is not what a write expected; the same, by a write that is not stored on enough servers yet. */
export const WRONG_LAST_SEQUENCE = 10071;
export const OVERTAKEN = 10164;
/** What passes when a write that is under way is stored, or is not: that one, and a message with the same id. */
const UNDER_WAY: ReadonlySet<number | undefined> = new Set([OVERTAKEN, 10158]);

/**
 * Stores one message, as {@link publishStored}, unless its subject has one already: then nothing happens.
 * @throws {MotiaError} as {@link publishStored}
 */
export function publishFirst(
  broker: Broker,
  subject: string,
  data: Uint8Array | string,
  messageHeaders: Record<string, string> & { 'Nats-Msg-Id': string },
): Promise<void> {
  const options = { headers: toHeaders({ ...messageHeaders, 'Nats-Expected-Last-Subject-Sequence': '0' }) };
  return rideOut(broker, RETRY_FOR_MS, () =>
    broker.mux.request(subject, data, options, (reply) => {
      if (reply.json<Refusal>().error?.err_code !== WRONG_LAST_SEQUENCE) checkStored(reply);
    }),
  );
}

/**
 * Checks what the broker answered to a publish. The usual answer is known by its first characters, without reading it all.
 * @throws {MotiaError} as {@link readAnswer}
 */
export function checkStored(reply: { data: Uint8Array; json<T>(): T }): void {
  for (let i = 0; i < STORED.length; i++) {
    if (reply.data[i] === STORED[i]) continue;
    readAnswer(reply);
    return;
  }
}

const NO_MESSAGE = 10037;

/**
 * Whether a message that was stored still is: one of a work queue goes when it is acked.
 * @param answer the data of what the broker answered when it stored the message.
 */
export async function isStillStored(broker: Broker, stream: string, answer: Uint8Array): Promise<boolean> {
  const { seq } = JSON.parse(Buffer.from(answer).toString('utf8')) as { seq: number };
  const reply = await broker.mux.request(`$JS.API.STREAM.MSG.GET.${stream}`, JSON.stringify({ seq }));
  if (reply.json<Refusal>().error?.err_code === NO_MESSAGE) return false;
  readAnswer(reply);
  return true;
}

const STORED = Buffer.from('{"stream":');

/** Reads an answer of the broker. @throws {MotiaError} `STORE_FULL`, `BROKER_REFUSED`, or `BROKER_TIMEOUT` when it is not ready. */
export function readAnswer<Answer>(reply: { json<T>(): T }): Answer {
  const answer = reply.json<Answer & Refusal>();
  if (!answer.error) return answer;
  const { code, err_code: errCode, description } = answer.error;
  if ((errCode !== undefined && STORE_FULL.has(errCode)) || /maximum (bytes|messages)/.test(description)) {
    throw new MotiaError('STORE_FULL', `the broker has no room for this message: ${description}`);
  }
  // 503 is what a stream without a leader answers; it has one again in a few seconds.
  throw new MotiaError(
    code === 503 || UNDER_WAY.has(errCode) ? 'BROKER_TIMEOUT' : 'BROKER_REFUSED',
    `the broker refused a request: ${description}`,
  );
}

/**
 * Headers with the given entries. Publishing asks them for nothing but their bytes, so they are no more than that: the client's
 * own headers cost as much as the rest of a publish.
 * @throws {MotiaError} `INVALID_VALUE` for a value with a line break.
 */
export function toHeaders(entries: Record<string, string>): MsgHdrs {
  let text = 'NATS/1.0\r\n';
  for (const name in entries) {
    const value = entries[name] as string;
    if (/[\r\n]/.test(value)) throw new MotiaError('INVALID_VALUE', `the header ${name} has a line break`);
    text += `${name}: ${value}\r\n`;
  }
  const bytes = Buffer.from(`${text}\r\n`);
  return { encode: () => bytes } as Pick<EncodedHeaders, 'encode'> as EncodedHeaders;
}

/** What the client calls when it publishes; its public type leaves that out. */
type EncodedHeaders = MsgHdrs & { encode(): Uint8Array };
