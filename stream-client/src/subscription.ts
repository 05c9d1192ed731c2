/** What a program has of an item or a group that it follows: the state now, and who is told of changes and events. */
import { sorted } from './items.ts';
import type { CustomEvent, Item } from './protocol.ts';
import { tell } from './tell.ts';

/** Hears of the state after each change. */
export type Listener<TData> = (state: TData) => void;
// biome-ignore lint/suspicious/noExplicitAny: what handlers send is known to the program only
export type CustomEventListener = (data: any) => void;

export abstract class StreamSubscription<TData = unknown> {
  readonly streamName: string;
  readonly groupId: string;
  /** The item, unless it is the whole group. */
  readonly id: string | undefined;
  #state: TData;
  #isClosed = false;
  /** Of `never`, so that a subscription of any type is one of `unknown` too. */
  readonly #changeListeners = new Set<Listener<never>>();
  readonly #eventListeners = new Map<string, Set<CustomEventListener>>();
  readonly #closeListeners = new Set<() => void>();

  constructor(streamName: string, groupId: string, id: string | undefined, state: TData) {
    this.streamName = streamName;
    this.groupId = groupId;
    this.id = id;
    this.#state = state;
  }

  /** The state that was heard of last; it stays while the connection is lost. Not to be changed. */
  getState(): TData {
    return this.#state;
  }

  /** Calls a function with the state after each change. The first is what there is at the time of the subscription. */
  addChangeListener(listener: Listener<TData>): void {
    this.#changeListeners.add(listener);
  }

  removeChangeListener(listener: Listener<TData>): void {
    this.#changeListeners.delete(listener);
  }

  /**
   * Calls a function with the data of each event of a type that is sent to the group or, for an item, to that item. Those of the
   * type `error` are of the server: their data is `{ code, message }`, for instance with the code `STREAM_ACCESS_DENIED`.
   */
  onEvent(type: string, listener: CustomEventListener): void {
    const listeners = this.#eventListeners.get(type) ?? new Set();
    this.#eventListeners.set(type, listeners.add(listener));
  }

  offEvent(type: string, listener: CustomEventListener): void {
    this.#eventListeners.get(type)?.delete(listener);
  }

  /** Calls a function when the subscription is closed, by its own `close()` or by that of its stream. */
  onClose(listener: () => void): void {
    this.#closeListeners.add(listener);
  }

  /** Ends the subscription: nothing is heard of it any more. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    tell(this.#closeListeners, undefined);
    for (const listeners of [this.#changeListeners, this.#eventListeners, this.#closeListeners]) listeners.clear();
  }

  /** @internal Takes what the server says of the items that this is about. */
  abstract take(items: readonly Item[]): void;

  /** @internal */
  takeEvent({ type, data }: CustomEvent): void {
    tell(this.#eventListeners.get(type) ?? [], data);
  }

  protected setState(state: TData): void {
    this.#state = state;
    tell(this.#changeListeners as Set<Listener<TData>>, state);
  }
}

/** The items of a group, in the order of their creation or of one of their fields. */
export class StreamGroupSubscription<TData extends Item> extends StreamSubscription<TData[]> {
  readonly #sortKey: keyof TData | undefined;

  constructor(streamName: string, groupId: string, sortKey?: keyof TData) {
    super(streamName, groupId, undefined, []);
    this.#sortKey = sortKey;
  }

  /** @internal */
  take(items: readonly TData[]): void {
    this.setState(this.#sortKey === undefined ? [...items] : sorted(items, this.#sortKey));
  }
}

/** One item, or `null` while there is none. */
export class StreamItemSubscription<TData extends Item> extends StreamSubscription<TData | null> {
  constructor(streamName: string, groupId: string, id: string) {
    super(streamName, groupId, id, null);
  }

  /** @internal */
  take(items: readonly TData[]): void {
    const item = items.find(({ id }) => id === this.id) ?? null;
    if (item !== this.getState()) this.setState(item);
  }
}
