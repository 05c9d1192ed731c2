/** What every handler receives besides its input, and the handlers themselves. */
import type { StateManager } from './state.ts';
import type { FlowContextStateStreams } from './streams.ts';

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

export type EventHandler<Input = unknown, EmitType = never> = (
  input: Input,
  ctx: FlowContext<EmitType>,
) => Promise<void> | void;
export type CronHandler<EmitType = never> = (ctx: FlowContext<EmitType>) => Promise<void> | void;

/** Filled by the project's generated `types.d.ts`: the handler type of each step by its name. */
// biome-ignore lint/suspicious/noEmptyInterface: augmented by `declare module 'motia'`
export interface Handlers {}
