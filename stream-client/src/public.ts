/** What the entries for browsers and for Node have in common. */
export type { Backoff } from './backoff.ts';
export type { ConnectionState } from './connection.ts';
export type { CustomEvent, Item } from './protocol.ts';
export type { StreamOptions } from './stream.ts';
export {
  type CustomEventListener,
  type Listener,
  StreamGroupSubscription,
  StreamItemSubscription,
  StreamSubscription,
} from './subscription.ts';
