/** The client for Node: with the `WebSocket` that newer versions have, otherwise with that of the package `ws`. */
import { createRequire } from 'node:module';
import type { SocketConstructor } from './connection.ts';
import { BaseStream, type StreamOptions } from './stream.ts';

export type { Backoff } from './backoff.ts';
export type { ConnectionState } from './connection.ts';
export type { CustomEvent, Item } from './protocol.ts';
export type { StreamOptions, StreamOptions as NodeStreamOptions } from './stream.ts';
export {
  type CustomEventListener,
  type Listener,
  StreamGroupSubscription,
  StreamItemSubscription,
  StreamSubscription,
} from './subscription.ts';

export class Stream extends BaseStream {
  /**
   * @param address where the server is, for instance `wss://example.org`; several are taken in turn, from the first.
   * @throws TypeError for what is no address or no subprotocol, and Error when `ws` is needed and missing.
   */
  constructor(address: string | readonly string[], options: StreamOptions = {}) {
    super(address, options, socketConstructor());
  }
}

function socketConstructor(): SocketConstructor {
  const { WebSocket } = globalThis as { WebSocket?: SocketConstructor };
  if (WebSocket) return WebSocket;
  try {
    return createRequire(import.meta.url)('ws') as SocketConstructor;
  } catch (cause) {
    throw new Error('This version of Node has no WebSocket of its own: run `npm install ws`.', { cause });
  }
}
