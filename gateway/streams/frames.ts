/** What clients and the hub say to each other: the messages of clients read, the frames for them written. Pure. */
import { isJsonObject } from '../../shared/json-values.ts';
import { type Position, writePosition } from './position.ts';

/** What a client follows: a group, or one item of it. */
export interface Target {
  streamName: string;
  groupId: string;
  id?: string;
}

/** What a client asks for. */
export interface ClientMessage {
  type: 'join' | 'leave';
  target: Target;
  /** As the client numbers its subscriptions; the oldest clients leave it out. */
  subscriptionId?: string;
  /** Position of the last frame that it has, `''` for none. Absent: it knows nothing of positions. */
  resume?: string;
}

/**
 * Reads a message. @returns `undefined` for what this version does not know, and a text that says what is wrong for what is no
 * message at all.
 */
export function readMessage(text: string): ClientMessage | string | undefined {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return 'The message is not JSON';
  }
  if (!isJsonObject(message) || typeof message.type !== 'string') return 'The message is no object with a type';
  const { type, data } = message;
  if (type !== 'join' && type !== 'leave') return undefined;
  if (!isJsonObject(data)) return `A ${type} needs data`;
  const { streamName, groupId, id, subscriptionId, resume } = data;
  if (typeof streamName !== 'string' || typeof groupId !== 'string') return `A ${type} needs streamName and groupId`;
  for (const [name, value] of Object.entries({ id, subscriptionId, resume })) {
    if (value !== undefined && value !== null && typeof value !== 'string') return `${name} has to be a text`;
  }
  return {
    type,
    target: { streamName, groupId, ...(typeof id === 'string' && { id }) },
    ...(typeof subscriptionId === 'string' && { subscriptionId }),
    ...(typeof resume === 'string' && { resume }),
  };
}

/** What can be told of a group or an item; `json` is the data, as text. */
export type FrameEvent =
  | { type: 'sync' | 'create' | 'update' | 'delete'; json: string }
  | { type: 'event'; json: string }
  | { type: 'resumed' };

/** Which message of the broker a frame comes of: one object for all frames of the same. */
export interface Origin {
  store: 'items' | 'sent';
  sequence: number;
}

export interface FrameFields {
  /** Ms since 1970, with a fraction. Frames of one item have rising ones. */
  timestamp: number;
  /** Absent in an answer to a message that names none. */
  target?: Target;
  event: FrameEvent;
  /** Where who has this frame can go on. */
  position?: Position;
  origin?: Origin;
}

/** One frame for any number of clients: it is written once. */
export class Frame {
  readonly fields: FrameFields;
  #plain: Buffer | undefined;
  #positioned: Buffer | undefined;

  constructor(fields: FrameFields) {
    this.fields = fields;
  }

  /** Position as text, if there is one. */
  get position(): string | undefined {
    return this.fields.position && writePosition(this.fields.position);
  }

  /** Its text; with the position for who has asked for it. */
  bytes(positioned: boolean): Buffer {
    if (!positioned) {
      this.#plain ??= Buffer.from(toText(this.fields));
      return this.#plain;
    }
    this.#positioned ??= Buffer.from(toText(this.fields, this.position));
    return this.#positioned;
  }
}

function toText({ timestamp, target, event }: FrameFields, position?: string): string {
  const named = target ? `${JSON.stringify(target).slice(1, -1)},` : '';
  const placed = position === undefined ? '' : `"position":${JSON.stringify(position)},`;
  return `{"timestamp":${timestamp},${placed}${named}"event":${eventText(event)}}`;
}

function eventText(event: FrameEvent): string {
  if (event.type === 'resumed') return '{"type":"resumed"}';
  if (event.type === 'event') return `{"type":"event","event":${event.json}}`;
  return `{"type":"${event.type}","data":${event.json}}`;
}

/** What a client is told that did wrong, or wants what it may not have. */
export type ErrorCode =
  | 'STREAM_ACCESS_DENIED'
  | 'STREAM_INVALID_MESSAGE'
  | 'STREAM_TOO_MANY_SUBSCRIPTIONS'
  | 'STREAM_GROUP_TOO_LARGE';

export function errorFrame(code: ErrorCode, message: string, target?: Target): Frame {
  const json = JSON.stringify({ type: 'error', data: { code, message } });
  return new Frame({ timestamp: Date.now(), ...(target && { target }), event: { type: 'event', json } });
}
