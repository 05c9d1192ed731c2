/** A dead letter: how its message reads. */
import { Header } from '../protocol/headers.ts';
import { parseTraceparent } from '../trace-ids.ts';
import { decodeText, readEnvelope } from './events.ts';
import type { StoredMessage } from './stored-messages.ts';

/** A dead letter as people see it. Times are ISO 8601 in UTC. */
export interface DeadLetter {
  /** Its number among the dead letters: never used for another one. */
  id: string;
  /** Id of the step that it died in. */
  step: string;
  topic: string;
  eventId: string;
  /** Attempts that were made. */
  attempts: number;
  group?: string;
  traceId?: string;
  emittedAt: string;
  diedAt: string;
  /** What the last attempt failed with. A list has the beginning of the message only, and no stack. */
  error: { name: string; message: string; stack?: string; code?: string };
  /** In a list that is to have them: the payload, unless it is large. */
  data?: unknown;
}

/** One with its payload. */
export interface DeadLetterDetail extends DeadLetter {
  /** The payload; as a text if it is no JSON. */
  data: unknown;
}

/** Of an error's message in a list. */
const SHOWN_MESSAGE = 500;

/** The consumer that a dead letter comes from is the beginning of its message id. */
export const durableOf = ({ headers }: StoredMessage): string => headers?.get(Header.messageId).split(':')[0] ?? '';

/** A dead letter from its message. */
export function describe(message: StoredMessage): DeadLetter {
  const get = (name: string) => message.headers?.get(name) ?? '';
  const event = readEnvelope(message, '', decodeText(get(Header.topic)));
  const traceId = parseTraceparent(event.traceparent)?.traceId;
  return {
    id: String(message.sequence),
    step: decodeText(get(Header.step)),
    topic: event.topic,
    eventId: event.id,
    attempts: event.attempt,
    ...(event.group !== undefined && { group: event.group }),
    ...(traceId !== undefined && { traceId }),
    emittedAt: new Date(event.emittedAt).toISOString(),
    diedAt: new Date(message.storedAt).toISOString(),
    error: toError(decodeText(get(Header.error))),
  };
}

/** More of a payload is not in a list. */
const SHOWN_BYTES = 16 * 1024;

/** The same for a list. */
export function shorten(message: StoredMessage, withData: boolean): DeadLetter {
  const letter = describe(message);
  const { name, message: text } = letter.error;
  const short = { ...letter, error: { name, message: text.slice(0, SHOWN_MESSAGE) } };
  const isShown = withData && message.data.length > 0 && message.data.length <= SHOWN_BYTES;
  return isShown ? { ...short, data: parse(Buffer.from(message.data).toString('utf8')) } : short;
}

/** A dead letter may be the work of any worker. */
function toError(json: string): DeadLetter['error'] {
  const record = parse(json) as Partial<DeadLetter['error']> | null;
  const { name, message, stack, code } = typeof record === 'object' && record !== null ? record : {};
  return {
    name: String(name ?? 'Error'),
    message: String(message ?? json),
    ...(stack !== undefined && { stack: String(stack) }),
    ...(code !== undefined && { code: String(code) }),
  };
}

/** JSON, or a text as it is. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
