/**
 * The words of the framework, and the contract that users program against. The implementation of the context lives in
 * `worker/context.ts`.
 *
 * - **Step**: a file with a `config` and a `handler`.
 * - **Flow**: a label that groups steps for people.
 * - **Topic**: the name events are emitted to. **Event**: one emitted message.
 * - **Subscription**: one (topic, event step) pair. Each has its own copy of every event.
 * - **Run**: one execution of a handler. **Attempt**: the n-th run of the same event in a step that failed before.
 * - **Trace**: everything that one outside cause (request, tick) set off.
 * - **Group**: the first key of state and streams.
 * - **Stream**: a named realtime collection of items (the broker's own streams are "broker streams").
 * - **Dead letter**: an event whose attempts are used up.
 * - **Manifest**: the list of steps that gateway and scheduler read.
 */

/** A zod 3 or zod 4 schema, or a plain JSON Schema object. */
export type StepSchema = ZodLike | JsonSchema;

/** What zod 3 and zod 4 schemas have in common; named structurally so that either version of the library fits. */
export interface ZodLike<Output = unknown> {
  parse(value: unknown): Output;
  safeParse(value: unknown): { success: boolean; data?: Output; error?: unknown };
}

/** A JSON Schema, draft 7 or 2020-12. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** A topic a step may emit to. `label` and `conditional` only decorate the graph. */
export type Emit = string | { topic: string; label?: string; conditional?: boolean };

/** Documentation of one query parameter. */
export interface QueryParam {
  name: string;
  description: string;
}

export type ApiMethod = 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH' | 'OPTIONS' | 'HEAD';

interface StepConfigBase {
  /** Unique within the project. */
  name: string;
  description?: string;
  flows?: readonly string[];
  /** Topics drawn in the graph only; they never affect delivery. */
  virtualEmits?: readonly Emit[];
  virtualSubscribes?: readonly string[];
  /** Files that a production build has to carry along, relative to the step. */
  includeFiles?: readonly string[];
}

/** An HTTP endpoint. */
export interface ApiRouteConfig extends StepConfigBase {
  type: 'api';
  /** Express 4 path syntax: `:id`, `:id?`, `*`, groups. */
  path: string;
  method: ApiMethod;
  /** Topics the handler may emit to. Empty: any topic. */
  emits: readonly Emit[];
  virtualSubscribes?: readonly string[];
  middleware?: readonly ApiMiddleware[];
  bodySchema?: StepSchema;
  responseSchema?: Readonly<Record<number, StepSchema>>;
  queryParams?: readonly QueryParam[];
}

/** Delivery settings of an event step. */
export interface Infrastructure {
  handler?: {
    /** MB, 128 to 10240. Checked, but not enforced: handlers share the memory of their worker. */
    ram?: number;
    /** vCPU, bound to `ram`. Checked, but not enforced, as `ram`. */
    cpu?: number;
    /** Seconds after which a run is ended, 1 to 900. */
    timeout?: number;
  };
  queue?: {
    /** `fifo`: events of one message group, and those without any, run one after the other, over all workers. */
    type?: 'fifo' | 'standard';
    /** Attempts after the first, 0 or more. */
    maxRetries?: number;
    /**
     * Seconds that an event of a lost worker waits before another one gets it: 1 to 30, larger values count as 30. Default 10. A
     * run may take as long as it likes: its worker renews the wait.
     */
    visibilityTimeout?: number;
    /** Seconds that an event waits before its first run in this step, 0 to 900. Default 0. */
    delaySeconds?: number;
    /** Runs of this step at a time in one worker. Default 10. */
    concurrency?: number;
    /**
     * Runs of each subscription of this step at a time, over all workers: with several topics, that many for each of them. Default: no
     * limit but that of each worker. Not with `fifo`.
     */
    globalConcurrency?: number;
    /** How often runs of this step may start, over all workers. */
    rateLimit?: RateLimit;
    /** Wait between two attempts. */
    backoff?: Backoff;
    /** Whether an event whose attempts are used up is kept as a dead letter (default), or dropped with one line in the log. */
    deadLetter?: boolean;
  };
}

/** A wait that grows from attempt to attempt. */
export interface Backoff {
  /** Seconds before the second attempt. Default 1. */
  initial?: number;
  /** What each further wait is multiplied with, 1 to 100. Default 2. */
  factor?: number;
  /** Seconds that no wait exceeds, but for its random part. Default 90. */
  max?: number;
  /** Share of each wait that is random, in both directions: 0.2, the default, means ± 20 %. */
  jitter?: number;
}

/**
 * No more than `limit` runs start within any `per` seconds, as exactly as the clocks of the workers agree. They are spread
 * evenly: one starts `per / limit` seconds after the other at the earliest. What has to wait is not an attempt.
 */
export interface RateLimit {
  /** 1 to 100,000. */
  limit: number;
  /** Seconds, 0.1 to 86,400. */
  per: number;
}

/** A consumer of topics. */
export interface EventConfig extends StepConfigBase {
  type: 'event';
  subscribes: readonly string[];
  emits: readonly Emit[];
  input?: StepSchema | null;
  infrastructure?: Infrastructure;
}

/** A schedule. */
export interface CronConfig extends StepConfigBase {
  type: 'cron';
  /** 5 fields, 6 with leading seconds, or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`. */
  cron: string;
  /** IANA name, as `Europe/Berlin`. Default: the local time of the scheduler. */
  timezone?: string;
  /** Ticks more than a minute late, because no scheduler or worker ran: left out (default), or run one after the other. */
  missed?: 'skip' | 'catchUp';
  /** Whether a tick may run while an earlier one still does. Otherwise it is left out. */
  overlap?: boolean;
  emits: readonly Emit[];
}

/** A place on the drawing board without code. */
export interface NoopConfig extends StepConfigBase {
  type: 'noop';
  virtualEmits: readonly Emit[];
  virtualSubscribes: readonly string[];
}

export type StepConfig = ApiRouteConfig | EventConfig | CronConfig | NoopConfig;

/** What an API handler and its middleware receive. Middleware may add properties. */
export interface ApiRequest<Body = unknown> {
  /** Parsed JSON, form fields or text; a `Buffer` for any other content type; `{}` without a body. */
  body: Body;
  /** The body as it came: text for textual content types, a `Buffer` for all others, `''` without a body. */
  rawBody: string | Buffer;
  /** Lower-cased names; repeated ones joined by `, `. */
  headers: Record<string, string | string[] | undefined>;
  pathParams: Record<string, string>;
  queryParams: Record<string, string | string[]>;
  method: string;
  /** Path and query as the client sent them. */
  url: string;
  /** Files of a `multipart/form-data` body; its other fields are in `body`. */
  files?: UploadedFile[];
  /** The only file, when there is exactly one. */
  file?: UploadedFile;
}

export interface UploadedFile {
  fieldname: string;
  originalname: string;
  mimetype: string;
  size: number;
  buffer: Buffer;
}

/**
 * A body that is sent bit by bit, as it is made: a `ReadableStream`, a Node `Readable`, any other async iterable such as an async
 * generator, or a generator, of text and bytes. It is read no faster than the client takes it, and closed (a generator's `finally` runs)
 * when the client leaves. What it throws breaks the connection off, since the status has been sent by then.
 */
export type StreamedBody =
  | ReadableStream<string | Uint8Array>
  | AsyncIterable<string | Uint8Array>
  | IterableIterator<string | Uint8Array>;

/**
 * What an API handler returns. `Buffer` and string bodies are sent as they are, a {@link StreamedBody} bit by bit, anything else as
 * JSON.
 */
export interface ApiResponse<Status extends number = number, Body = unknown> {
  status: Status;
  headers?: Record<string, string | string[]>;
  body?: Body;
}

export interface Logger {
  debug(message: string, fields?: unknown): void;
  info(message: string, fields?: unknown): void;
  warn(message: string, fields?: unknown): void;
  error(message: string, fields?: unknown): void;
  /** The same logger with fields added to every record. */
  child(fields: Record<string, unknown>): Logger;
}

/** One event to emit. */
export interface EmitData<Topic extends string = string, Data = unknown> {
  topic: Topic;
  data: Data;
  /** Events of one group are handled in order by FIFO steps. Any text of up to 1,024 characters. */
  messageGroupId?: string;
  /** Seconds until it is delivered, 0 to 31 days. Default 0. */
  delay?: number;
  /** Of events with the same id that are emitted to a topic within two minutes, by whichever steps, the first one counts. */
  id?: string;
}

export type Emitter<Data> = (event: Data) => Promise<void>;

/**
 * One change of a JSON value. `path` leads to a part of it: the keys from outside in, with dots between them (`'a.b'`); in a list
 * they are indices. Without one the whole value is meant. What is missing on the way is made, except by `remove`.
 */
export type UpdateOperation =
  | { type: 'set'; path?: string; value: unknown }
  /** Adds members to an object, or replaces those that it has. */
  | { type: 'merge'; path?: string; value: Record<string, unknown> }
  /** Nothing counts as 0. `by` is 1 by default. */
  | { type: 'increment'; path?: string; by?: number }
  | { type: 'decrement'; path?: string; by?: number }
  | { type: 'remove'; path: string };

/** What `update` takes: a function from the present value to the new one, or operations that are done one after the other. */
export type UpdateChange<Current, Next> = readonly UpdateOperation[] | ((current: Current) => Next | Promise<Next>);

/** How a value is stored. */
export interface SetOptions {
  /** Whole seconds, 1 to 315,360,000, after which the value goes by itself. Default: it stays. A later `set` without it ends it. */
  ttl?: number | undefined;
  /** Stores the value only if what is there has this revision; 0 means that nothing is there. */
  ifRevision?: number | undefined;
}

/** A stored value and what is known of it. */
export interface StateEntry<T = unknown> {
  value: T;
  /** A whole number above 0, which each change of the value makes greater. */
  revision: number;
  /** When the value goes by itself, in ms since 1970. */
  expiresAt?: number;
}

/** Which page of a list is wanted. */
export interface PageOptions {
  /** Items of the page, 1 to 1,000. Default 100. A page has fewer when they are large. */
  limit?: number | undefined;
  /** `next` of the page before. Default: the first page. */
  after?: string | undefined;
}

/** A part of a list. */
export interface Page<Item> {
  items: Item[];
  /** There may be more: `after` of the next page. */
  next?: string;
}

/** Values shared by all steps, kept by the broker. Any string is a valid group and key. */
export interface StateManager {
  /** The stored value, or `null`. */
  get<T = unknown>(group: string, key: string): Promise<T | null>;
  /** The stored value with its revision, or `null` if nothing is there. */
  getEntry<T = unknown>(group: string, key: string): Promise<StateEntry<T> | null>;
  /**
   * Stores a JSON value (falsy ones included) and returns it. `undefined` is refused.
   * @throws {MotiaError} `REVISION_CONFLICT`, with the `revision` of what is there, if that is not `ifRevision`.
   */
  set<T = unknown>(group: string, key: string, value: T, options?: SetOptions): Promise<T>;
  /**
   * Changes a value in one step, whoever else changes it at the same time, in any language, and returns the new one.
   * @param change operations as data, or a function that makes the new value from the present one (`null` for nothing). It may be
   * called several times, so it should do nothing else, and it holds up all other updates of this key. If it throws, nothing is
   * stored. A `ttl` goes on as it was.
   * @throws {MotiaError} `INVALID_VALUE` for an operation that cannot be done, and for a function that returns nothing.
   */
  update<T = unknown>(group: string, key: string, change: UpdateChange<T | null, T>): Promise<T>;
  /** Removes a value and returns it, or `null`. */
  delete<T = unknown>(group: string, key: string): Promise<T | null>;
  /** All values of a group, in no promised order. */
  getGroup<T = unknown>(group: string): Promise<T[]>;
  /**
   * Some of the values of a group with their keys, those first that were not changed for the longest time. One that is changed
   * while pages are read comes again, in a later one; none is left out.
   */
  getGroupPage<T = unknown>(group: string, options?: PageOptions): Promise<Page<StateEntry<T> & { key: string }>>;
  /** Some of the groups that there are, and how many keys each has. */
  listGroups(options?: PageOptions): Promise<Page<{ group: string; keys: number }>>;
  /** Removes all values of a group. */
  clear(group: string): Promise<void>;
}

/** What every handler receives besides its input. */
export interface FlowContext<EmitType = EmitData> {
  /** Resolves once the broker has stored the event. */
  emit: Emitter<EmitType>;
  state: StateManager;
  streams: FlowContextStateStreams;
  logger: Logger;
  /** OpenTelemetry trace id (32 hex digits), the same in every step that one cause set off. */
  traceId: string;
  /** Aborted when nobody waits for this run any more: client gone, deadline or timeout over, worker draining by force. */
  signal: AbortSignal;
  /** 1 for the first run of an event, 2 for its first retry, … */
  attempt: number;
}

/** Runs around the handler; the first in the list is the outermost. (Written as a method: parameters may be narrower.) */
export type ApiMiddleware<Body = unknown, EmitType = unknown, Response = unknown> = {
  handle(
    req: ApiRequest<Body>,
    ctx: FlowContext<EmitType>,
    next: () => Promise<ApiResponse<number, Response>>,
  ): Promise<ApiResponse<number, Response>> | ApiResponse<number, Response>;
}['handle'];

export type ApiRouteHandler<Body = unknown, Response = ApiResponse, EmitType = never> = (
  req: ApiRequest<Body>,
  ctx: FlowContext<EmitType>,
) => Promise<Response> | Response;
export type EventHandler<Input = unknown, EmitType = never> = (
  input: Input,
  ctx: FlowContext<EmitType>,
) => Promise<void> | void;
export type CronHandler<EmitType = never> = (ctx: FlowContext<EmitType>) => Promise<void> | void;

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
/** Filled by the project's generated `types.d.ts`: the handler type of each step by its name. */
// biome-ignore lint/suspicious/noEmptyInterface: augmented by `declare module 'motia'`
export interface Handlers {}

/** `motia.config.ts`. Every setting is optional; flags and environment variables win over it. */
export interface MotiaConfig {
  /** Settings of the HTTP gateway. */
  http?: {
    /** Largest request body in bytes. Default 10 MB. */
    bodyLimit?: number;
    /** Origins that browsers may call from: `'*'` (default), one or more origins, or `false` for none. */
    cors?: { origins: '*' | false | readonly string[] };
    /** Seconds until a call that is not answered gets 504. Default 30. */
    timeout?: number;
    /** Seconds for which the answer to a call with an `Idempotency-Key` is kept, up to 7 days. Default 24 hours. */
    idempotencyWindow?: number;
    /** What happens to a body that does not fit `bodySchema`. Default `warn`. */
    validation?: 'enforce' | 'warn' | 'ignore';
  };
  /** Settings of the workers. */
  workers?: {
    /** Seconds until a handler that computes without a pause is ended, and its thread replaced. Default 30. */
    blockedTimeout?: number;
  };
  /** Who may follow streams, as far as that does not depend on the stream. Without it all clients are anonymous. */
  streamAuth?: StreamAuthConfig;
  /** What is stored of spans and log records. `MOTIA_TELEMETRY_DAYS` and `MOTIA_TELEMETRY_BYTES` win over it. */
  telemetry?: {
    /** How long they stay. Default 3 days. */
    days?: number;
    /** How many bytes of them, compressed. Default 1 GiB, or what the disk has room for. */
    bytes?: number;
  };
  /** How requests are traced. */
  tracing?: {
    /** Requests with a `traceparent` go on with the trace of the caller's, who so chooses `traceId`. Default false: it is linked to. */
    trustIncoming?: boolean;
  };
  /** What logs tell. */
  logs?: {
    /**
     * Fields whose values are not told, besides those that never are, such as `password` and `authorization`. A name is meant wherever it is,
     * a path like `user.*.card` from the top.
     */
    redact?: readonly string[];
  };
  /** Keys of Motia 0.x that other parts of the framework explain or ignore. */
  plugins?: readonly unknown[];
  adapters?: Record<string, unknown>;
  redis?: unknown;
  app?: unknown;
}
