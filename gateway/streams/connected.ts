/** The clients that are connected to this gateway: how many there may be, which of them still live, and their end with the gateway. */
import type pino from 'pino';
import type { Client } from './client.ts';
import type { StreamLimits } from './limits.ts';

/** A client as its connection is seen. */
export interface Connected extends Client {
  /** Streams may have come to the app. */
  onManifest(): void;
  /** Asks for a sign of life; ends the connection if the last one was not given. */
  checkLife(): void;
  /** Ends it in an orderly way, so that the client moves on to another gateway. */
  goAway(): void;
  /** Ends it at once. */
  cutOff(): void;
}

/** How long clients may take for an orderly end. */
const GOODBYE_MS = 2_000;
/** That clients are refused is told no more often than this. */
const TOLD_EVERY_MS = 10_000;

export class ConnectedClients {
  readonly #limits: StreamLimits;
  readonly #log: pino.Logger;
  readonly #clients = new Set<Connected>();
  readonly #ofAddress = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;
  #places = 0;
  #closing = false;
  #toldAt = Number.NEGATIVE_INFINITY;
  #onEmpty = () => {};

  constructor(limits: StreamLimits, log: pino.Logger) {
    this.#limits = limits;
    this.#log = log;
    this.#timer = setInterval(() => {
      for (const client of this.#clients) client.checkLife();
    }, limits.pingMs).unref();
  }

  get count(): number {
    return this.#clients.size;
  }

  get closing(): boolean {
    return this.#closing;
  }

  /** @returns how the place is given back, or `undefined` if there is none. */
  takePlace(address: string): (() => void) | undefined {
    const own = this.#ofAddress.get(address) ?? 0;
    if (this.#places >= this.#limits.clients || own >= this.#limits.clientsPerAddress) {
      this.#tellFull(address);
      return undefined;
    }
    this.#places++;
    this.#ofAddress.set(address, own + 1);
    return () => {
      this.#places--;
      const left = (this.#ofAddress.get(address) ?? 1) - 1;
      if (left > 0) this.#ofAddress.set(address, left);
      else this.#ofAddress.delete(address);
    };
  }

  #tellFull(address: string): void {
    if (performance.now() - this.#toldAt < TOLD_EVERY_MS) return;
    this.#toldAt = performance.now();
    this.#log.warn(
      { action: 'stream_clients_full', clients: this.#places, address },
      'Clients of realtime streams are refused: see MOTIA_STREAM_CLIENTS and MOTIA_STREAM_CLIENTS_PER_ADDRESS',
    );
  }

  add(client: Connected): void {
    this.#clients.add(client);
    if (this.#closing) client.goAway();
  }

  remove(client: Connected): void {
    this.#clients.delete(client);
    if (this.#clients.size === 0) this.#onEmpty();
  }

  /** Streams may have come to the app. */
  onManifest(): void {
    for (const client of this.#clients) client.onManifest();
  }

  /** Sends all away; whoever does not go is cut off. */
  async close(): Promise<void> {
    this.#closing = true;
    clearInterval(this.#timer);
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    if (this.#clients.size === 0) return;
    for (const client of this.#clients) client.goAway();
    const late = setTimeout(() => {
      for (const client of this.#clients) client.cutOff();
    }, GOODBYE_MS);
    await empty;
    clearTimeout(late);
  }
}
