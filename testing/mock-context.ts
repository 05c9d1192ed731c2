/** The context of a handler that a test calls by itself: it records everything, and keeps state and streams in memory. */
import { newTraceId } from '../shared/trace-ids.ts';
import type { EmitData, FlowContext, FlowContextStateStreams, MotiaStream, StateManager } from '../shared/types.ts';
import { createMemoryState, createMemoryStream } from './memory-stores.ts';
import { type AnyFunction, createMockFunction, type MockFunction } from './mock-function.ts';
import { createMockLogger, type MockLogger } from './mock-logger.ts';

/** Each method of something as a mock. */
export type Mocked<T> = { [Name in keyof T]: T[Name] extends AnyFunction ? MockFunction<T[Name]> : T[Name] };

/** The context that a handler type takes: `ContextOf<Handlers['CreateOrder']>`. */
export type ContextOf<Handler extends AnyFunction> =
  Extract<Parameters<Handler>[number], FlowContext<never>> extends never
    ? FlowContext
    : Extract<Parameters<Handler>[number], FlowContext<never>>;

/** Fits every handler. `emit`, the logger and the methods of state and streams are mocks. */
export interface MockContext {
  emit: MockFunction<(event: unknown) => Promise<void>>;
  logger: MockLogger;
  state: Mocked<StateManager>;
  streams: { [Name in keyof FlowContextStateStreams]: Mocked<FlowContextStateStreams[Name]> } & {
    [name: string]: Mocked<MotiaStream<Record<string, unknown>>>;
  };
  traceId: string;
  signal: AbortSignal;
  attempt: number;
  /** The events that were emitted, in their order. */
  emitted<Data = unknown>(topic?: string): EmitData<string, Data>[];
}

export interface MockContextOptions {
  emit?: (event: EmitData) => Promise<void> | void;
  logger?: MockLogger;
  /** Values that are there at first, by group and key; or methods that replace those of the state in memory. */
  state?: Record<string, Record<string, unknown>> | Partial<StateManager>;
  traceId?: string;
  signal?: AbortSignal;
  /** Default 1. */
  attempt?: number;
}

/** Makes a context. */
export function createMockContext(options: MockContextOptions = {}): MockContext {
  const { emit: act, logger = createMockLogger(), state = {}, traceId = newTraceId() } = options;
  const emit = createMockFunction('emit', async (event: unknown) => act?.(event as EmitData));
  return {
    emit,
    logger,
    state: mockState(state),
    streams: mockStreams(),
    traceId,
    signal: options.signal ?? new AbortController().signal,
    attempt: options.attempt ?? 1,
    emitted: <Data>(topic?: string) => {
      const events = emit.mock.calls.map(([event]) => event as EmitData<string, Data>);
      return topic === undefined ? events : events.filter((event) => event.topic === topic);
    },
  };
}

function mockState(given: NonNullable<MockContextOptions['state']>): Mocked<StateManager> {
  const memory = createMemoryState();
  const replaced: Partial<StateManager> = {};
  for (const [name, value] of Object.entries(given)) {
    if (typeof value === 'function') Object.assign(replaced, { [name]: value });
    else for (const [key, one] of Object.entries(value)) void memory.set(name, key, one);
  }
  return mockMethods('state', { ...memory, ...replaced });
}

/** Any stream by any name, as handlers have them. */
function mockStreams(): MockContext['streams'] {
  const made = new Map<string, Mocked<MotiaStream<Record<string, unknown>>>>();
  return new Proxy({} as MockContext['streams'], {
    get: (_, name) => {
      if (typeof name === 'symbol') return undefined;
      const stream = made.get(name) ?? mockMethods(`streams.${name}`, createMemoryStream(name));
      made.set(name, stream);
      return stream;
    },
  });
}

function mockMethods<T extends object>(owner: string, methods: T): Mocked<T> {
  const mocks = Object.entries(methods).map(([name, method]) => [name, createMockFunction(`${owner}.${name}`, method)]);
  return Object.fromEntries(mocks) as Mocked<T>;
}
