/** What the broker knows repetitions of an event by, when its emitter says what is one. */
import { createHash } from 'node:crypto';

/** The message id of an event that was emitted with an id: ids count for the whole app, in each topic by itself. */
export function givenMessageId(topic: string, id: string): string {
  // No id that is made of a run begins with \0: an id of the emitter's own is never one of those.
  return createHash('sha1').update(`\0${topic}\0${id}`).digest('base64url');
}
