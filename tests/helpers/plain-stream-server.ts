/**
 * A server that speaks the stream protocol without our additions, as servers of Motia 0.17 do: no positions, a sync for every join,
 * nothing for an item that is not there, and one copy of a frame for each subscription that it concerns.
 */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

type Item = { id: string; [field: string]: unknown };
interface Target {
  streamName: string;
  groupId: string;
  id?: string;
}
interface Subscription extends Target {
  socket: WebSocket;
  subscriptionId: string;
}

export class PlainStreamServer implements AsyncDisposable {
  readonly #server: WebSocketServer;
  readonly #groups = new Map<string, Map<string, Item>>();
  readonly #subscriptions = new Set<Subscription>();

  /** Clients that were refused. */
  refusals = 0;

  private constructor(isAllowed: (request: IncomingMessage) => boolean) {
    this.#server = new WebSocketServer({
      port: 0,
      host: '127.0.0.1',
      verifyClient: ({ req }: { req: IncomingMessage }) => {
        const allowed = isAllowed(req);
        if (!allowed) this.refusals++;
        return allowed;
      },
    });
    this.#server.on('connection', (socket) => {
      socket.on('message', (text) => this.#receive(socket, String(text)));
      socket.on('close', () => this.#forget(({ socket: other }) => other === socket));
    });
  }

  /** @param isAllowed which clients may connect; the others get 401. */
  static async start(isAllowed: (request: IncomingMessage) => boolean = () => true): Promise<PlainStreamServer> {
    const server = new PlainStreamServer(isAllowed);
    await once(server.#server, 'listening');
    return server;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get subscriptions(): number {
    return this.#subscriptions.size;
  }

  set(streamName: string, groupId: string, item: Item): void {
    const group = this.#group(streamName, groupId);
    const type = group.has(item.id) ? 'update' : 'create';
    group.set(item.id, item);
    this.#tell({ streamName, groupId, id: item.id }, { type, data: item });
  }

  delete(streamName: string, groupId: string, id: string): void {
    const group = this.#group(streamName, groupId);
    const data = group.get(id) ?? null;
    group.delete(id);
    this.#tell({ streamName, groupId, id }, { type: 'delete', data });
  }

  send(target: Target, type: string, data: unknown): void {
    this.#tell(target, { type: 'event', event: { type, data } });
  }

  /** Ends all connections, as a server does that is started again. */
  disconnect(): void {
    for (const socket of this.#server.clients) socket.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.disconnect();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #receive(socket: WebSocket, text: string): void {
    const { type, data } = JSON.parse(text) as { type: string; data: Target & { subscriptionId: string } };
    const { streamName, groupId, id, subscriptionId } = data;
    if (type === 'leave') {
      this.#forget((one) => one.subscriptionId === subscriptionId);
      return;
    }
    const group = this.#group(streamName, groupId);
    const now = id === undefined ? [...group.values()] : group.get(id);
    const target = { streamName, groupId, ...(id !== undefined && { id }) };
    if (now) socket.send(frame(target, { type: 'sync', data: now }));
    this.#subscriptions.add({ socket, subscriptionId, ...target });
  }

  #forget(which: (one: Subscription) => boolean): void {
    for (const one of this.#subscriptions) if (which(one)) this.#subscriptions.delete(one);
  }

  #group(streamName: string, groupId: string): Map<string, Item> {
    const key = JSON.stringify([streamName, groupId]);
    const group = this.#groups.get(key) ?? new Map();
    this.#groups.set(key, group);
    return group;
  }

  #tell(target: Target, event: object): void {
    for (const { socket, streamName, groupId, id } of this.#subscriptions) {
      if (streamName !== target.streamName || groupId !== target.groupId) continue;
      if (id === undefined || id === target.id) socket.send(frame(target, event));
    }
  }
}

const frame = (target: Target, event: object) => JSON.stringify({ timestamp: Date.now(), ...target, event });
