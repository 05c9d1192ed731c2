/** Realtime streams as handlers and the project see them. */
import type { UpdateChange } from './state.ts';
import type { StepSchema } from './step-config.ts';

/** An item as it is given back: with its id, the time of its creation (ms since 1970), and where it belongs. */
export type StreamItem<Item = Record<string, unknown>> = Item & {
  id: string;
  _createdAt?: number;
  __motia?: { type: 'state-stream'; streamName: string; groupId: string; id: string };
};

/** What is sent to whoever follows a group or an item, and not kept. */
export interface StreamEvent {
  type: string;
  data: unknown;
}

/** A realtime collection of items, as handlers see it. */
export interface MotiaStream<Item = unknown> {
  get(groupId: string, id: string): Promise<StreamItem<Item> | null>;
  /** Stores an item and returns it as stored. `id` wins over one in the item; `null` is refused. */
  set(groupId: string, id: string, item: Item): Promise<StreamItem<Item>>;
  /** Changes an item in one step, as {@link StateManager.update} does a value, and returns it as stored. */
  update(groupId: string, id: string, change: UpdateChange<StreamItem<Item> | null, Item>): Promise<StreamItem<Item>>;
  /** Removes an item and returns it, or `null`. */
  delete(groupId: string, id: string): Promise<StreamItem<Item> | null>;
  /** All items of a group, the oldest first. */
  getGroup(groupId: string): Promise<StreamItem<Item>[]>;
  /** Sends an event to whoever follows the group, or one item of it. Resolves once the broker has it. */
  send(channel: { groupId: string; id?: string }, event: StreamEvent): Promise<void>;
}

export interface StreamConfig {
  /** Unique within the project. */
  name: string;
  /** Describes the items; it is not enforced. */
  schema: StepSchema;
  baseConfig: { storageType: 'default' } | { storageType: 'custom'; factory: () => unknown };
  /**
   * Whether a client may follow a group, or one item of it. Without it everyone may. The file may export it beside `config` instead.
   * What is thrown is logged, and the client denied, as it is when no answer comes within 5 s.
   * @param authContext what `streamAuth.authenticate` has returned for this client: `null` for one that is anonymous, and for all
   * of them in a project without `streamAuth`.
   */
  canAccess?(subscription: StreamSubscription, authContext: StreamAuthContext): boolean | Promise<boolean>;
}

/** What a client wants to follow: a group of a stream, or with `id` one of its items. */
export interface StreamSubscription {
  groupId: string;
  id?: string;
}

/** The request of a client that wants to follow streams. */
export interface StreamAuthRequest {
  /** As they came, the offered subprotocols (`sec-websocket-protocol`) among them. Names are in lower case. */
  headers: Record<string, string | string[] | undefined>;
  /** Path and query, as `/?authToken=…`. */
  url: string;
}

/** Who the clients of streams are. */
export interface StreamAuthConfig<Context = unknown> {
  /** Describes the context. One that does not fit is a mistake of `authenticate`: it is logged, and the client refused. */
  contextSchema?: StepSchema | null;
  /**
   * Finds out who a client is, before it may follow anything.
   * @returns what `canAccess` of the streams is to know of the client: JSON of up to 64 KB, or `null` if it stays anonymous.
   * @throws whatever it throws refuses the client.
   */
  authenticate(request: StreamAuthRequest): Context | null | Promise<Context | null>;
}

/** Filled by the project's generated `types.d.ts`. */
// biome-ignore lint/suspicious/noEmptyInterface: augmented by `declare module 'motia'`
export interface FlowContextStateStreams {}
/** Filled by the project's generated `types.d.ts`: what `streamAuth` found out about a client. */
// biome-ignore lint/suspicious/noEmptyInterface: augmented by `declare module 'motia'`
export interface StreamAuthContext {}
