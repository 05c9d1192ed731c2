/** A group, or one item, that clients of this gateway follow: its items as they are now, and who is told of changes. */
import type { ItemChange, SentMessage } from '../../shared/broker/item-changes.ts';
import type { Client, Follower } from './client.ts';
import { errorFrame, Frame, type FrameEvent, type Target } from './frames.ts';
import { ItemView, readItem, type ViewedChange } from './item-view.ts';
import { laterOf, type Position } from './position.ts';

/** What happened in a channel after a position. */
export interface Past {
  from: Position;
  changes: ItemChange[];
  sent: SentMessage[];
}

/** What a channel needs of the feed that it hears from. */
export interface ChannelSource {
  readonly groupSize: number;
  /** The items of the channel, as they are stored now. Tries again until it has them or the channel is unused. */
  present(channel: Channel): Promise<ItemChange[]>;
  /** @returns `undefined` if that cannot be told any more. */
  since(channel: Channel, position: string): Promise<Past | undefined>;
  /** What is sent to an item names it. */
  targetOf(channel: Channel, key: string): Target;
  /** The time of the newest frame, and of the next ones if it is later. */
  clock(atLeast?: number): number;
  /** A time after that of every frame so far. */
  tick(atLeast?: number): number;
  /** Where who has heard everything so far can go on. */
  position(): Position;
  /** Nobody uses the channel any more. */
  onUnused(channel: Channel): void;
}

/** A state that was told within this time is told again as it is: positions hold for an hour. */
const STATE_STAYS_MS = 60_000;

export class Channel {
  /** Tokens of the group, and of the item if it is one, with a dot between them. */
  readonly key: string;
  readonly target: Target;
  readonly #source: ChannelSource;
  readonly #followers = new Map<Client, Follower>();
  #users = 0;
  #view = new ItemView();
  /** Changes that came while the items are read. */
  #held: ItemChange[] | undefined;
  #loading: Promise<void> = Promise.resolve();
  #state: { frame: Frame; at: number } | undefined;

  constructor(key: string, target: Target, source: ChannelSource) {
    this.key = key;
    this.target = target;
    this.#source = source;
  }

  /** How many clients there are. */
  get size(): number {
    return this.#followers.size;
  }

  get isUsed(): boolean {
    return this.#users > 0;
  }

  /** Counts a user, until it has left, or is released. */
  retain(): void {
    this.#users++;
  }

  release(): void {
    this.#users--;
    if (this.#users === 0) this.#source.onUnused(this);
  }

  /** Reads the items, and tells those who follow already. */
  load(): void {
    this.#held ??= [];
    this.#loading = this.#loading.then(() => this.#load());
  }

  /** Resolves when the items are known; absent when they are. */
  get loading(): Promise<void> | undefined {
    return this.#held && this.#loading;
  }

  /** Makes a user a follower, or tells a follower the state once more. Not before the items are known. */
  async join(client: Client, resume: string | undefined): Promise<void> {
    const known = this.#followers.get(client);
    if (known) this.release();
    const follower = known ?? this.#follow(client);
    client.positioned ||= resume !== undefined;
    if (resume) await this.#resume(follower, resume);
    else this.#tellState(follower);
  }

  leave(client: Client): void {
    const follower = this.#followers.get(client);
    if (!follower) return;
    this.#followers.delete(client);
    client.forget(follower);
    this.release();
  }

  /** Takes in a change. @returns what it is to those who follow. */
  apply(change: ItemChange): ViewedChange {
    if (this.#held) {
      this.#held.push(change);
      return undefined;
    }
    const viewed = this.#view.apply(change);
    if (viewed) this.#state = undefined;
    return viewed;
  }

  /** The id of an item that is here. */
  idOf(key: string): string | undefined {
    return this.#view.idOf(key);
  }

  /** Tells those who follow. */
  tell(frame: Frame): void {
    for (const follower of this.#followers.values()) {
      if (follower.held) follower.held.push(frame);
      else this.#tellOne(follower, frame);
    }
  }

  /** What was sent is counted anew. */
  onSentReset(): void {
    for (const { had } of this.#followers.values()) had.sent = 0;
  }

  #follow(client: Client): Follower {
    const follower: Follower = {
      client,
      had: { items: 0, sent: 0 },
      catchUp: (last) => {
        if (this.target.id !== undefined && this.#view.one() === undefined) client.send(last, follower);
        else this.#tellState(follower);
      },
    };
    this.#followers.set(client, follower);
    return follower;
  }

  #tellOne(follower: Follower, frame: Frame): void {
    const { client, had } = follower;
    const { origin, position } = frame.fields;
    if (origin && origin.sequence <= had[origin.store]) return;
    const isAhead = position && (had.items > position.items || had.sent > position.sent);
    client.send(isAhead ? new Frame({ ...frame.fields, position: laterOf(position, had) }) : frame, follower);
  }

  async #load(): Promise<void> {
    this.#held ??= [];
    const present = await this.#source.present(this);
    if (!this.isUsed) return;
    const before = this.#view;
    this.#view = new ItemView(present);
    for (const change of this.#held) this.#view.apply(change);
    this.#held = undefined;
    this.#state = undefined;
    if (this.#followers.size > 0) this.#tellReloaded(before);
  }

  /** After something may have been missed. Of an item that is gone there is no state to tell. */
  #tellReloaded(before: ItemView): void {
    this.#source.tick();
    const lost = this.target.id === undefined || this.#view.one() !== undefined ? undefined : before.one();
    const gone = lost === undefined ? undefined : this.#frame({ type: 'delete', json: lost }, this.#source.clock());
    for (const follower of this.#followers.values()) {
      follower.had = { items: 0, sent: 0 };
      if (follower.held) continue; // it is about to be told
      if (gone) follower.client.send(gone, follower);
      else this.#tellState(follower);
    }
  }

  /** Tells all items, or the one that there is. That there is none hears only who asks for positions. */
  #tellState(follower: Follower): void {
    const { client } = follower;
    const isGroup = this.target.id === undefined;
    if (isGroup && this.#view.size > this.#source.groupSize) {
      client.answer(errorFrame('STREAM_GROUP_TOO_LARGE', 'The group is too large to be followed', this.target));
      this.leave(client);
      return;
    }
    if (!isGroup && !client.positioned && this.#view.one() === undefined) return;
    if (!this.#state || Date.now() - this.#state.at > STATE_STAYS_MS) {
      const json = isGroup ? this.#view.all() : (this.#view.one() ?? 'null');
      const frame = this.#frame({ type: 'sync', json }, this.#source.clock(this.#view.time));
      this.#state = { frame, at: Date.now() };
    }
    client.send(this.#state.frame, follower);
  }

  /** Tells what happened after a position, and then what came while that was read. */
  async #resume(follower: Follower, resume: string): Promise<void> {
    const { client } = follower;
    const held: Frame[] = [];
    follower.held = held;
    const past = await this.#source.since(this, resume).catch(() => undefined);
    delete follower.held;
    if (client.ended) return;
    if (past) this.#tellPast(follower, past);
    else this.#tellState(follower); // which has all that is held, but for what was sent
    for (const frame of held) if (past || frame.fields.origin?.store === 'sent') this.#tellOne(follower, frame);
  }

  #tellPast(follower: Follower, { from, changes, sent }: Past): void {
    const { client } = follower;
    let position = from;
    const tell = (event: FrameEvent, timestamp: number, target = this.target) =>
      client.send(new Frame({ timestamp, target, event, position }), follower);
    tell({ type: 'resumed' }, from.time);
    for (const change of changes) {
      position = { ...position, items: change.sequence };
      if (change.json === undefined && change.kind !== 'delete') continue; // its successor follows
      const item = readItem(change);
      if (!item) continue;
      this.#source.clock(change.time);
      tell({ type: change.kind, json: item.json }, change.time, { ...this.target, id: item.id });
    }
    for (const { key, sequence, json } of sent) {
      position = { ...position, sent: sequence };
      tell({ type: 'event', json }, this.#source.tick(), this.#source.targetOf(this, key));
    }
    follower.had = { items: position.items, sent: position.sent };
  }

  #frame(event: FrameEvent, timestamp: number): Frame {
    return new Frame({ timestamp, target: this.target, event, position: this.#source.position() });
  }
}
