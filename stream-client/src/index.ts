/** The client for browsers, and for whatever else has a `WebSocket` of its own. */
import type { SocketConstructor } from './connection.ts';
import { BaseStream, type StreamOptions } from './stream.ts';

export * from './public.ts';
export type { StreamOptions as BrowserStreamOptions };

export class Stream extends BaseStream {
  /**
   * @param address where the server is, for instance `wss://example.org`; several are taken in turn, from the first.
   * @throws TypeError for what is no address or no subprotocol.
   */
  constructor(address: string | readonly string[], options: StreamOptions = {}) {
    const { WebSocket } = globalThis as { WebSocket?: SocketConstructor };
    if (!WebSocket) throw new Error('There is no WebSocket here. In Node, import from motia-stream-client/node.');
    super(address, options, WebSocket);
  }
}
