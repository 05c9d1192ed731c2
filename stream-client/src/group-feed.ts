/**
 * Everything that is followed of one group. Each frame is taken once: by the feed of the group if that is live, otherwise by that of
 * the item. So subscriptions of the same are one join, and an item needs none while its group is followed.
 */
import { nextItems } from './items.ts';
import { type Frame, type Item, type Join, joinMessage, leaveMessage, type StreamEvent } from './protocol.ts';
import type { StreamSubscription } from './subscription.ts';

/** What the server sends for one join. */
interface Feed {
  readonly join: Join;
  items: readonly Item[];
  /** Of the last frame that was taken since it is live. */
  position: string | undefined;
  /** Whether the server has said what there is. It does not for an item that is not there. */
  isLive: boolean;
  isRefused: boolean;
}

export class GroupFeed {
  readonly #streamName: string;
  readonly #groupId: string;
  readonly #send: (text: string) => void;
  readonly #subscriptions = new Set<StreamSubscription>();
  /** Those that have not been told yet what is known already. */
  readonly #newcomers = new Set<StreamSubscription>();
  /** By item; `undefined` is the whole group. */
  #feeds = new Map<string | undefined, Feed>();

  constructor(streamName: string, groupId: string, send: (text: string) => void) {
    this.#streamName = streamName;
    this.#groupId = groupId;
    this.#send = send;
  }

  get isUnused(): boolean {
    return this.#subscriptions.size === 0;
  }

  /** {@link settle} has to follow, as after {@link remove}; not at once, so that what closes and opens together costs nothing. */
  add(subscription: StreamSubscription): void {
    this.#subscriptions.add(subscription);
    this.#newcomers.add(subscription);
  }

  remove(subscription: StreamSubscription): void {
    this.#subscriptions.delete(subscription);
    this.#newcomers.delete(subscription);
  }

  /** Joins and leaves on an open connection what the subscriptions ask for. */
  settle(): void {
    const { ids, hasGroup } = this.#wanted();
    this.#settleGroup(ids, hasGroup);
    const group = this.#feeds.get(undefined);
    for (const id of ids) {
      const refused = this.#feeds.get(id)?.isRefused && this.#hasNewcomer(id);
      if (refused) this.#leave(id);
      if (!this.#feeds.has(id) && (!group || group.isRefused)) this.#join(id, group);
    }
    for (const id of this.#feeds.keys()) {
      if (id !== undefined && (!ids.has(id) || group?.isLive)) this.#leave(id);
    }
    this.#welcome();
  }

  /**
   * Joins everything on a new connection, where it had come to. An item that was heard of through its group has from now on a feed of
   * its own, unless the group is followed still.
   */
  rejoin(): void {
    const before = this.#feeds;
    this.#feeds = new Map();
    const { ids, hasGroup } = this.#wanted();
    for (const id of ids) {
      const feed = before.get(id) ?? (hasGroup ? undefined : before.get(undefined));
      if (feed || !hasGroup) this.#join(id, feed);
    }
    if (hasGroup) this.#join(undefined, before.get(undefined));
  }

  receive(frame: Frame): void {
    const { id, event } = frame;
    const group = this.#feeds.get(undefined);
    const feed = this.#feeds.get(isAnswer(event) || !group?.isLive ? id : undefined);
    if (!feed) return;
    const isRefusal = event.type === 'event' && event.event.type === 'error' && !feed.isLive;
    if (isRefusal) {
      feed.isRefused = true; // whoever follows may not, or there is no room
    } else {
      feed.isLive ||= event.type !== 'event';
      if (feed.isLive) feed.position = event.type === 'sync' ? frame.position : (frame.position ?? feed.position);
    }
    const items = nextItems(feed.items, event);
    const hasChanged = items !== feed.items;
    feed.items = items;
    for (const subscription of this.#hearers(feed, frame)) {
      if (hasChanged || isRefusal) this.#newcomers.delete(subscription);
      if (hasChanged) subscription.take(items);
      if (event.type === 'event') subscription.takeEvent(event.event);
    }
    if (isAnswer(event) || isRefusal) this.settle();
  }

  #wanted(): { ids: Set<string>; hasGroup: boolean } {
    const all = new Set([...this.#subscriptions].map(({ id }) => id));
    const hasGroup = all.delete(undefined);
    return { ids: all as Set<string>, hasGroup };
  }

  /**
   * A live feed of the group goes on for the items, when nobody follows the group any more: to change over could double an event. The
   * next connection has feeds of theirs.
   */
  #settleGroup(ids: Set<string>, hasGroup: boolean): void {
    const group = this.#feeds.get(undefined);
    const refused = group?.isRefused && this.#hasNewcomer(undefined);
    if (group && (refused || (!hasGroup && !(group.isLive && ids.size > 0)))) this.#leave(undefined);
    if (hasGroup && !this.#feeds.has(undefined)) this.#join(undefined, undefined);
  }

  #hasNewcomer(id: string | undefined): boolean {
    return [...this.#newcomers].some((subscription) => subscription.id === id);
  }

  /** @param from where it goes on. */
  #join(id: string | undefined, from: Feed | undefined): void {
    const { items = [], position } = from ?? {};
    const join: Join = {
      streamName: this.#streamName,
      groupId: this.#groupId,
      ...(id !== undefined && { id }),
      subscriptionId: nextSubscriptionId(),
    };
    this.#feeds.set(id, {
      join,
      items: id === undefined ? items : items.filter((item) => item.id === id),
      position,
      isLive: false,
      isRefused: false,
    });
    this.#send(joinMessage(join, position ?? ''));
  }

  #leave(id: string | undefined): void {
    const feed = this.#feeds.get(id);
    this.#feeds.delete(id);
    if (feed) this.#send(leaveMessage(feed.join));
  }

  /** Tells subscriptions of what others have been told before them. */
  #welcome(): void {
    for (const subscription of this.#newcomers) {
      const feed = [this.#feeds.get(undefined), this.#feeds.get(subscription.id)].find((feed) => feed?.isLive);
      if (!feed) continue;
      this.#newcomers.delete(subscription);
      subscription.take(feed.items);
    }
  }

  /** Who hears of a frame of a feed. That of the group has the items as well when it is live. */
  #hearers({ join, isLive }: Feed, { id, event }: Frame): StreamSubscription[] {
    const concernsAll = isAnswer(event);
    return [...this.#subscriptions].filter((subscription) => {
      const isFed = subscription.id === join.id || (join.id === undefined && isLive);
      return isFed && (concernsAll || subscription.id === undefined || subscription.id === id);
    });
  }
}

/** Tells the state of whatever is joined. */
const isAnswer = ({ type }: StreamEvent) => type === 'sync' || type === 'resumed';

/** Different from those of all other clients: servers of Motia 0.17 have one table for all. */
const nextSubscriptionId = () => `${clientId}-${++subscriptions}`;
const clientId = Math.random().toString(36).slice(2);
let subscriptions = 0;
