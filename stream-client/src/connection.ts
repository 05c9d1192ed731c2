/** One WebSocket that is opened again whenever it is lost, at the next of several addresses. */
import { type Backoff, waitBefore } from './backoff.ts';

/** `connecting` until it is open, and again from its loss until it is back; `closed` after `close()`. */
export type ConnectionState = 'connecting' | 'open' | 'closed';

/** What is used of a WebSocket: browsers, Node and the package `ws` have it. */
export interface Socket {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(text: string): void;
  close(): void;
}

export type SocketConstructor = new (address: string, protocols?: string[]) => Socket;

export interface ConnectionOptions {
  /** Subprotocols to offer, as `new WebSocket` takes them. */
  protocols?: string | string[] | undefined;
  /**
   * Who the client is: offered as the subprotocols `Authorization` and the token, or as `?authToken=` where it has characters that a
   * subprotocol may not have. A function is asked before each attempt to connect, so that a token may expire.
   */
  authToken?: string | (() => string | undefined | Promise<string | undefined>) | undefined;
  /** How long to wait before attempts to connect. */
  backoff?: Backoff | undefined;
}

export interface ConnectionHandlers {
  opened(): void;
  received(text: unknown): void;
  changed(state: ConnectionState): void;
}

/** An attempt that takes longer has failed. */
const CONNECT_MS = 10_000;
/** A connection that was open for less counts as a failed attempt, so that a server that refuses clients is not stormed. */
const STABLE_MS = 5_000;
/** What a subprotocol may consist of. */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

export class Connection {
  state: ConnectionState = 'connecting';
  readonly #addresses: readonly URL[];
  readonly #options: ConnectionOptions;
  readonly #socketConstructor: SocketConstructor;
  readonly #handlers: ConnectionHandlers;
  #socket: Socket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempts = 0;
  #failures = 0;
  #next = 0;
  #openedAt = 0;

  /**
   * Connects at the end of the current task: who closes it before that has opened nothing.
   * @throws TypeError for a subprotocol that may not be one.
   */
  constructor(
    addresses: readonly URL[],
    options: ConnectionOptions,
    socketConstructor: SocketConstructor,
    handlers: ConnectionHandlers,
  ) {
    const unfit = [options.protocols ?? []].flat().find((protocol) => !TOKEN.test(protocol));
    if (unfit !== undefined) throw new TypeError(`"${unfit}" may not be a subprotocol`);
    this.#addresses = addresses;
    this.#options = options;
    this.#socketConstructor = socketConstructor;
    this.#handlers = handlers;
    browser.addEventListener?.('online', this.#online);
    queueMicrotask(() => void this.#connect());
  }

  /** Sends if the connection is open: after it has opened, everything that counts is sent anew. */
  send(text: string): void {
    if (this.state === 'open') this.#socket?.send(text);
  }

  close(): void {
    browser.removeEventListener?.('online', this.#online);
    this.#drop();
    this.#change('closed');
  }

  /** Another network: what was open before is dead, though it may take minutes until that shows. */
  readonly #online = () => {
    this.#drop();
    this.#failures = 0;
    this.#change('connecting');
    void this.#connect();
  };

  async #connect(): Promise<void> {
    if (this.state === 'closed') return;
    const attempt = ++this.#attempts;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#lost(), CONNECT_MS);
    try {
      const { address, protocols } = await this.#target();
      if (this.#isOver(attempt)) return;
      this.#open(new this.#socketConstructor(address, protocols));
    } catch {
      if (!this.#isOver(attempt)) this.#lost(); // a token that could not be had
    }
  }

  #isOver = (attempt: number) => attempt !== this.#attempts || this.state === 'closed';

  async #target(): Promise<{ address: string; protocols?: string[] }> {
    const { authToken, protocols = [] } = this.#options;
    const token = typeof authToken === 'function' ? await authToken() : authToken;
    const address = new URL(this.#addresses[this.#next % this.#addresses.length] as URL);
    const offered = token && TOKEN.test(token) ? ['Authorization', token] : [];
    if (token && offered.length === 0) address.searchParams.set('authToken', token);
    const all = offered.concat(protocols);
    return { address: address.href, ...(all.length > 0 && { protocols: all }) };
  }

  #open(socket: Socket): void {
    this.#socket = socket;
    socket.onopen = () => {
      clearTimeout(this.#timer);
      this.#openedAt = Date.now();
      this.#change('open');
      this.#handlers.opened();
    };
    socket.onmessage = ({ data }: { data: unknown }) => this.#handlers.received(data);
    socket.onclose = () => this.#lost();
    socket.onerror = () => this.#lost(); // a close need not follow
  }

  /** The first attempt after a loss comes soon, each round of failures doubles the wait. */
  #lost(): void {
    if (this.state === 'open' && Date.now() - this.#openedAt >= STABLE_MS) this.#failures = 0;
    this.#drop();
    const wait = waitBefore(this.#failures++, this.#addresses.length, this.#options.backoff ?? {}, Math.random());
    this.#next++;
    this.#timer = setTimeout(() => void this.#connect(), wait);
    this.#change('connecting');
  }

  /** Ends the socket, or the attempt to open one, without a word from it. */
  #drop(): void {
    clearTimeout(this.#timer);
    this.#attempts++;
    const socket = this.#socket;
    this.#socket = undefined;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.onerror = () => undefined; // `ws` tells one that it could not connect, and throws it if nobody hears
    socket.close();
  }

  #change(state: ConnectionState): void {
    if (this.state === state || this.state === 'closed') return;
    this.state = state;
    this.#handlers.changed(state);
  }
}

/** What of a browser is used where there is one. */
const browser = globalThis as {
  addEventListener?: (type: 'online', listener: () => void) => void;
  removeEventListener?: (type: 'online', listener: () => void) => void;
};

/**
 * The addresses as URLs; those of `http` and `https` are those of their WebSockets. In a browser they may be relative to the page.
 *
 * @throws TypeError when there is none, or one is no address of that kind.
 */
export function readAddresses(addresses: string | readonly string[]): URL[] {
  const base = (globalThis as { location?: { href: string } }).location?.href;
  const urls = [addresses].flat().map((address) => {
    const url = new URL(address, base);
    url.protocol = url.protocol.replace('http', 'ws');
    if (!/^wss?:$/.test(url.protocol)) throw new TypeError(`"${address}" is no address of a WebSocket`);
    url.hash = '';
    return url;
  });
  if (urls.length === 0) throw new TypeError('there is no address to connect to');
  return urls;
}
