/** What whoever emits an event may say about it, checked: handlers, the command and the admin API. */
import { MotiaError } from './errors.ts';
import { toName } from './json-values.ts';
import { LONGEST_WAIT_S } from './longest-wait.ts';
import { givenMessageId } from './protocol/event-ids.ts';

/** It goes into a header, which has a limit. */
const LONGEST_GROUP = 1_024;

/** @throws {MotiaError} `INVALID_VALUE` */
export function toGroup(group: unknown): string | undefined {
  if (group === undefined || group === null) return undefined;
  const name = toName(group, 'message groups');
  if (name.length <= LONGEST_GROUP) return name;
  throw new MotiaError('INVALID_VALUE', `a message group has ${LONGEST_GROUP} characters at most`);
}

/** What the broker is to know the event by, if its emitter gave it an id. @throws {MotiaError} `INVALID_VALUE` */
export function toMessageId(topic: string, id: unknown): string | undefined {
  if (id === undefined || id === null) return undefined;
  if (typeof id !== 'string' || id === '') throw new MotiaError('INVALID_VALUE', 'the id of an event is a text');
  return givenMessageId(topic, id);
}

/** When an event with this delay is to be delivered, ms since 1970; at once if it has none. @throws {MotiaError} `INVALID_VALUE` */
export function toDelivery(delay: unknown): number | undefined {
  if (delay === undefined || delay === null || delay === 0) return undefined;
  if (typeof delay !== 'number' || !(delay >= 0 && delay <= LONGEST_WAIT_S)) {
    throw new MotiaError('INVALID_VALUE', `the delay of an event is a number of seconds, 0 to ${LONGEST_WAIT_S}`);
  }
  return Date.now() + delay * 1_000;
}
