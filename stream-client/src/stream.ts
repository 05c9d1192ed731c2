/** The connection to a server of realtime streams, and what is followed through it. */
import {
  Connection,
  type ConnectionOptions,
  type ConnectionState,
  readAddresses,
  type SocketConstructor,
} from './connection.ts';
import { GroupFeed } from './group-feed.ts';
import { type Item, readFrame } from './protocol.ts';
import { StreamGroupSubscription, StreamItemSubscription, type StreamSubscription } from './subscription.ts';
import { tell } from './tell.ts';

export type StreamOptions = ConnectionOptions;

/**
 * Follows items and groups of streams through one WebSocket. A lost connection is opened again, at the next address when there are
 * several, and continues where it was lost. `close()` ends it; until then it keeps a Node program alive.
 */
export class BaseStream {
  readonly #connection: Connection;
  readonly #feeds = new Map<string, GroupFeed>();
  readonly #subscriptions = new Set<StreamSubscription>();
  readonly #connectionListeners = new Set<(state: ConnectionState) => void>();
  readonly #unsettled = new Set<string>();

  constructor(address: string | readonly string[], options: StreamOptions, socketConstructor: SocketConstructor) {
    this.#connection = new Connection(readAddresses(address), options, socketConstructor, {
      opened: () => {
        for (const feed of this.#feeds.values()) feed.rejoin();
      },
      received: (text) => {
        const frame = readFrame(text);
        if (frame) this.#feeds.get(keyOf(frame.streamName, frame.groupId))?.receive(frame);
      },
      changed: (state) => tell(this.#connectionListeners, state),
    });
  }

  /** Follows one item of a group, whether it exists yet or not. */
  subscribeItem<TData extends Item>(streamName: string, groupId: string, id: string): StreamItemSubscription<TData> {
    return this.#add(new StreamItemSubscription<TData>(streamName, groupId, id));
  }

  /**
   * Follows all items of a group.
   * @param sortKey the field to sort them by. Without one they are in the order of their creation.
   */
  subscribeGroup<TData extends Item>(
    streamName: string,
    groupId: string,
    sortKey?: keyof TData,
  ): StreamGroupSubscription<TData> {
    return this.#add(new StreamGroupSubscription<TData>(streamName, groupId, sortKey));
  }

  /** Ends the connection, and with it all subscriptions. */
  close(): void {
    this.#connection.close();
    for (const subscription of [...this.#subscriptions]) subscription.close();
  }

  getConnectionState(): ConnectionState {
    return this.#connection.state;
  }

  /** Calls a function with the state of the connection whenever it changes. */
  addConnectionListener(listener: (state: ConnectionState) => void): void {
    this.#connectionListeners.add(listener);
  }

  removeConnectionListener(listener: (state: ConnectionState) => void): void {
    this.#connectionListeners.delete(listener);
  }

  #add<T extends StreamSubscription>(subscription: T): T {
    const key = keyOf(subscription.streamName, subscription.groupId);
    const feed = this.#feeds.get(key) ?? this.#newFeed(key, subscription);
    this.#subscriptions.add(subscription);
    feed.add(subscription);
    this.#settleSoon(key);
    subscription.onClose(() => {
      this.#subscriptions.delete(subscription);
      feed.remove(subscription);
      this.#settleSoon(key);
    });
    return subscription;
  }

  #newFeed(key: string, { streamName, groupId }: StreamSubscription): GroupFeed {
    const feed = new GroupFeed(streamName, groupId, (text) => this.#connection.send(text));
    this.#feeds.set(key, feed);
    return feed;
  }

  /** At the end of the current task. What is not connected then joins when it is. */
  #settleSoon(key: string): void {
    if (this.#unsettled.size === 0) queueMicrotask(() => this.#settle());
    this.#unsettled.add(key);
  }

  #settle(): void {
    const keys = [...this.#unsettled];
    this.#unsettled.clear();
    for (const key of keys) {
      const feed = this.#feeds.get(key);
      if (this.#connection.state === 'open') feed?.settle();
      if (feed?.isUnused) this.#feeds.delete(key);
    }
  }
}

const keyOf = (streamName: string, groupId: string) => JSON.stringify([streamName, groupId]);
