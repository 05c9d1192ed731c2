/** All that happens in one realtime stream, from the broker to the channels that are followed. */
import type { ItemChange, ItemChanges } from '../../shared/broker/item-changes.ts';
import type { FedMessage, OrderedFeed, OrderedFeedOptions } from '../../shared/broker/ordered-feed.ts';
import { decodeToken, encodeToken } from '../../shared/protocol/encoding.ts';
import type { Names } from '../../shared/protocol/subjects.ts';
import { Channel, type ChannelSource, type Past } from './channel.ts';
import { Frame, type Origin, type Target } from './frames.ts';
import type { ViewedChange } from './item-view.ts';
import type { StreamLimits } from './limits.ts';
import { type Position, readPosition, storeName } from './position.ts';

export interface StreamFeedOptions {
  stream: string;
  names: Names;
  changes: ItemChanges;
  limits: StreamLimits;
  openFeed(options: OrderedFeedOptions): OrderedFeed;
  /** Nobody follows anything of this stream any more. */
  onUnused(): void;
}

/** Times of today have steps of 0.00024 ms, as numbers. */
const TICK_MS = 0.0005;
/** Removals are told for an hour. What is older than this is not resumed. */
const LONGEST_GAP_MS = 55 * 60_000;
const TRY_AGAIN_MS = 250;

export class StreamFeed implements ChannelSource {
  readonly groupSize: number;
  readonly #options: StreamFeedOptions;
  readonly #items: OrderedFeed;
  readonly #sent: OrderedFeed;
  readonly #channels = new Map<string, Channel>();
  readonly #started: Promise<unknown>;
  /** Messages behind a large item that is being fetched. */
  #waiting: FedMessage[] | undefined;
  /** Sequences of what the channels have heard. */
  readonly #heard = { items: 0, sent: 0 };
  #time = 0;

  constructor(options: StreamFeedOptions) {
    this.#options = options;
    const { stream, names, limits, openFeed } = options;
    this.groupSize = limits.groupSize;
    const { streams: bucket } = names.buckets;
    this.#items = openFeed({
      stream: `KV_${bucket}`,
      filter: `$KV.${bucket}.${names.itemsOf(stream)}`,
      onMessage: (message) => this.#onItem(message),
      onReset: () => this.#onItemsReset(),
      afterReset: 'next',
      longestGapMs: LONGEST_GAP_MS,
    });
    this.#sent = openFeed({
      stream: names.streams.sent,
      filter: names.sentThrough(stream),
      onMessage: (message) => this.#onSent(message),
      onReset: () => this.#onSentReset(),
      afterReset: 'first',
    });
    this.#started = Promise.all([this.#items.start(), this.#sent.start()]).then(() => {
      this.#heard.items = Math.max(this.#heard.items, this.#items.position);
      this.#heard.sent = Math.max(this.#heard.sent, this.#sent.position);
      this.clock(this.#items.heardAt);
    });
  }

  /** How many follow a group or an item, a client for each of them. */
  get followers(): number {
    let sum = 0;
    for (const channel of this.#channels.values()) sum += channel.size;
    return sum;
  }

  /** The channel of a group or an item; its user has to release it. */
  channel(target: Target): Channel {
    const group = encodeToken(target.groupId);
    const key = target.id === undefined ? group : `${group}.${encodeToken(target.id)}`;
    let channel = this.#channels.get(key);
    if (!channel) {
      channel = new Channel(key, target, this);
      this.#channels.set(key, channel);
      channel.load();
    }
    channel.retain();
    return channel;
  }

  close(): void {
    this.#waiting = undefined;
    this.#items.close();
    this.#sent.close();
  }

  // What channels ask for.

  async present(channel: Channel): Promise<ItemChange[]> {
    await this.#started;
    const { changes } = this.#options;
    while (channel.isUsed) {
      try {
        return await changes.present(this.#itemFilter(channel));
      } catch {
        await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_MS));
      }
    }
    return [];
  }

  async since(channel: Channel, resume: string): Promise<Past | undefined> {
    const now = this.position();
    const from = readPosition(resume);
    if (!from || from.store !== now.store || this.#items.now() - from.time > LONGEST_GAP_MS) return undefined;
    if (from.sentStore !== now.sentStore) Object.assign(from, { sentStore: now.sentStore, sent: 0 });
    const { changes, limits } = this.#options;
    const [changed, sent] = await Promise.all([
      changes.after(this.#itemFilter(channel), from.items, limits.replayed),
      changes.sentAfter(this.#sentSubjects(channel), from.sent, limits.replayed),
    ]);
    const { store, sentStore } = this.position();
    const isOther = store !== now.store || sentStore !== now.sentStore;
    return changed === 'too many' || sent === 'too many' || isOther ? undefined : { from, changes: changed, sent };
  }

  targetOf(channel: Channel, key: string): Target {
    const [, , token] = key.split('.');
    if (token === undefined || channel.target.id !== undefined) return channel.target;
    const id = decodeToken(token) ?? channel.idOf(key); // the token of a long id does not say it
    return id === undefined ? channel.target : { ...channel.target, id };
  }

  clock(atLeast = 0): number {
    this.#time = Math.max(this.#time, atLeast);
    return this.#time;
  }

  tick(atLeast = 0): number {
    return this.clock(Math.max(this.#time + TICK_MS, atLeast));
  }

  position(): Position {
    const time = Math.max(this.#time, this.#items.heardAt);
    const stores = { store: storeName(this.#items.incarnation), sentStore: storeName(this.#sent.incarnation) };
    return { ...stores, ...this.#heard, time };
  }

  onUnused(channel: Channel): void {
    this.#channels.delete(channel.key);
    if (this.#channels.size === 0) this.#options.onUnused();
  }

  // What comes from the broker.

  #onItem(message: FedMessage): void {
    if (this.#waiting) this.#waiting.push(message);
    else if (!this.#options.changes.isLarge(message)) this.#tellChange(this.#options.changes.readSmall(message));
    else if (this.#listeners(message.subject.split('.').slice(-2)).length > 0) void this.#onLargeItem(message);
    else this.#heard.items = message.sequence;
  }

  /** Whatever comes after it waits, so that the order is kept. */
  async #onLargeItem(message: FedMessage): Promise<void> {
    const waiting: FedMessage[] = [];
    this.#waiting = waiting;
    let change: ItemChange | undefined;
    while (this.#waiting === waiting && !change) {
      change = await this.#options.changes.read(message).catch(() => undefined);
      if (!change) await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_MS));
    }
    if (this.#waiting !== waiting || !change) return; // it has begun anew meanwhile
    this.#waiting = undefined;
    this.#tellChange(change);
    for (const next of waiting) this.#onItem(next);
  }

  #tellChange(change: ItemChange): void {
    this.#heard.items = change.sequence;
    const origin: Origin = { store: 'items', sequence: change.sequence };
    let frame: Frame | undefined;
    let told: ViewedChange;
    for (const channel of this.#listeners(change.key.split('.').slice(1))) {
      const viewed = channel.apply(change);
      if (!viewed) continue;
      if (!frame || told?.type !== viewed.type) frame = this.#changeFrame(channel, change, viewed, origin);
      told = viewed;
      channel.tell(frame);
    }
  }

  #changeFrame(
    { target }: Channel,
    change: ItemChange,
    { type, id, json }: NonNullable<ViewedChange>,
    origin: Origin,
  ): Frame {
    const { streamName, groupId } = target;
    return new Frame({
      timestamp: this.tick(change.time),
      target: { streamName, groupId, id },
      event: { type, json },
      position: this.position(),
      origin,
    });
  }

  #onSent(message: FedMessage): void {
    this.#heard.sent = message.sequence;
    const sent = this.#options.changes.readSent(message);
    if (!sent) return;
    const origin: Origin = { store: 'sent', sequence: sent.sequence };
    let frame: Frame | undefined;
    for (const channel of this.#listeners(sent.key.split('.').slice(1))) {
      frame ??= new Frame({
        timestamp: this.tick(),
        target: this.targetOf(channel, sent.key),
        event: { type: 'event', json: sent.json },
        position: this.position(),
        origin,
      });
      channel.tell(frame);
    }
  }

  /** The channels of a group and an item of it: the more exact one first, since it knows the item's id. */
  #listeners([group = '', item]: string[]): Channel[] {
    const ofItem = item === undefined ? undefined : this.#channels.get(`${group}.${item}`);
    return [ofItem, this.#channels.get(group)].filter((channel) => channel !== undefined);
  }

  #onItemsReset(): void {
    this.#waiting = undefined;
    this.#heard.items = this.#items.position;
    this.clock(this.#items.heardAt);
    for (const channel of this.#channels.values()) channel.load();
  }

  #onSentReset(): void {
    this.#heard.sent = 0;
    for (const channel of this.#channels.values()) channel.onSentReset();
  }

  #itemFilter({ target: { streamName, groupId, id } }: Channel): string {
    const { names } = this.#options;
    return id === undefined ? names.itemGroup(streamName, groupId) : names.itemKey(streamName, groupId, id);
  }

  #sentSubjects({ target: { streamName, groupId, id } }: Channel): string[] {
    const { names } = this.#options;
    if (id !== undefined) return [names.sentToItem(streamName, groupId, id)];
    return [names.sentToGroup(streamName, groupId), names.sentToItems(streamName, groupId)];
  }
}
