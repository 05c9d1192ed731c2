/** The client for Node: with the `WebSocket` that newer versions have, otherwise with that of the package `ws`. */
import type { IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import type { Socket, SocketConstructor } from './connection.ts';
import { BaseStream, type StreamOptions } from './stream.ts';

export * from './public.ts';
export type { StreamOptions as NodeStreamOptions };

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
  return WebSocket ?? withKeepAlive(loadWs());
}

/** What is used of the package `ws`. */
interface WsSocket extends Socket {
  once(event: 'upgrade', listener: (response: IncomingMessage) => void): void;
}

function loadWs(): new (address: string, protocols?: string[]) => WsSocket {
  try {
    return createRequire(import.meta.url)('ws');
  } catch (cause) {
    throw new Error('This version of Node has no WebSocket of its own: run `npm install ws`.', { cause });
  }
}

const KEEP_ALIVE_MS = 30_000;

/**
 * A client that only listens would never hear of the end of a server whose machine is lost: the operating system asks from time to
 * time. With the WebSockets of Chromium and of newer versions of Node it does so anyway.
 */
const withKeepAlive = (WebSocket: ReturnType<typeof loadWs>): SocketConstructor =>
  class extends WebSocket {
    constructor(address: string, protocols?: string[]) {
      super(address, protocols);
      this.once('upgrade', ({ socket }) => socket.setKeepAlive(true, KEEP_ALIVE_MS));
    }
  };
