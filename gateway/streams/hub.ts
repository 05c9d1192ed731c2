/** The realtime streams of this gateway: who follows what, over one feed for each stream that is followed. */
import type { Broker } from '../../shared/broker/connect.ts';
import { ItemChanges } from '../../shared/broker/item-changes.ts';
import { OrderedFeed } from '../../shared/broker/ordered-feed.ts';
import type { Names } from '../../shared/protocol/subjects.ts';
import type { Channel } from './channel.ts';
import type { Client } from './client.ts';
import type { Target } from './frames.ts';
import type { StreamLimits } from './limits.ts';
import { StreamFeed } from './stream-feed.ts';

export class StreamHub {
  readonly #broker: Broker;
  readonly #names: Names;
  readonly #limits: StreamLimits;
  readonly #changes: ItemChanges;
  readonly #feeds = new Map<string, StreamFeed>();

  constructor(broker: Broker, names: Names, limits: StreamLimits) {
    this.#broker = broker;
    this.#names = names;
    this.#limits = limits;
    this.#changes = new ItemChanges(broker, names);
  }

  /**
   * Makes a client follow a group or an item: it is told the state, or what happened since it was here last, and then what happens.
   * @param resume see {@link ClientMessage}.
   * @returns what to leave by, or `undefined` if the client has gone meanwhile.
   */
  async follow(client: Client, target: Target, resume: string | undefined): Promise<Channel | undefined> {
    const channel = this.#feed(target.streamName).channel(target);
    if (channel.loading) await client.untilEnded(channel.loading);
    if (client.ended) {
      channel.release();
      return undefined;
    }
    await channel.join(client, resume);
    return channel;
  }

  /** How many follow something of a stream. */
  followers(stream: string): number {
    return this.#feeds.get(stream)?.followers ?? 0;
  }

  close(): void {
    for (const feed of this.#feeds.values()) feed.close();
    this.#feeds.clear();
  }

  #feed(stream: string): StreamFeed {
    let feed = this.#feeds.get(stream);
    if (!feed) {
      const created = new StreamFeed({
        stream,
        names: this.#names,
        changes: this.#changes,
        limits: this.#limits,
        openFeed: (options) => new OrderedFeed(this.#broker, options),
        onUnused: () => {
          created.close();
          if (this.#feeds.get(stream) === created) this.#feeds.delete(stream);
        },
      });
      feed = created;
      this.#feeds.set(stream, feed);
    }
    return feed;
  }
}
