/** The context that a handler receives; its contract is `FlowContext` in `shared/types.ts`. */
import type { EventStore } from '../../shared/broker/events.ts';
import type { StateStore } from '../../shared/broker/state.ts';
import { toJson } from '../../shared/broker/state.ts';
import type { LogLevel } from '../../shared/config.ts';
import { MotiaError } from '../../shared/errors.ts';
import { LONGEST_WAIT_S } from '../../shared/longest-wait.ts';
import { givenMessageId } from '../../shared/protocol/event-ids.ts';
import { safeFields } from '../../shared/safe-fields.ts';
import { type Tracing, traced } from '../../shared/tracing.ts';
import type { EmitData, FlowContext, FlowContextStateStreams, Logger, StateManager } from '../../shared/types.ts';
import type { ActiveRun } from './active-run.ts';
import type { ThreadLog } from './thread-log.ts';

/** What contexts are made from: one set per handler thread. */
export interface Services {
  events: () => EventStore | Promise<EventStore>;
  state: () => StateStore | Promise<StateStore>;
  tracing: Tracing;
  log: ThreadLog;
  streams: FlowContextStateStreams;
}

/** Makes the context of one run. Every part is a closure: handlers take contexts apart and pass the parts on. */
export function createContext(run: ActiveRun, services: Services): FlowContext<EmitData> {
  let logger: Logger | undefined;
  let state: StateManager | undefined;
  return {
    emit: (event) => emit(run, services, event),
    get state() {
      state ??= createState(run, services);
      return state;
    },
    get logger() {
      logger ??= createRunLogger(services.log, {
        step: run.step.entry.name,
        traceId: run.span.traceId,
        spanId: run.span.spanId,
      });
      return logger;
    },
    streams: services.streams,
    get traceId() {
      return run.span.traceId;
    },
    attempt: run.attempt,
    get signal() {
      return run.signal;
    },
  };
}

/** Emits by the thousand are common in one run: so this makes as few promises as it can. */
function emit(run: ActiveRun, services: Services, event: EmitData): Promise<void> {
  let stored: Promise<void>;
  try {
    run.assertMayAct();
    stored = store(run, services, event);
  } catch (error) {
    stored = Promise.reject(error);
  }
  return run.track(stored);
}

function store(run: ActiveRun, { events, tracing, log }: Services, event: EmitData): Promise<void> {
  const topic: unknown = event?.topic;
  if (typeof topic !== 'string') {
    throw new MotiaError('INVALID_VALUE', 'emit() needs an object { topic, data } with a text as topic');
  }
  const { entry } = run.step;
  if (entry.emits.length > 0 && !entry.emits.some((declared) => declared.topic === topic)) {
    log.write(
      'error',
      { action: 'undeclared_topic', topic, step: entry.name, traceId: run.span.traceId },
      `${entry.name} emitted to "${topic}", which is not in its emits; the event was not sent. Add it in ${entry.file}.`,
    );
    return Promise.resolve();
  }
  const json = toJson(event.data === undefined ? null : event.data);
  const group = toGroup(event.messageGroupId);
  const at = toDelivery(event.delay);
  const messageId = toMessageId(topic, event.id);
  const id = run.eventId(topic, json);
  const send = (traceparent: string): Promise<void> => {
    const newEvent = { id, messageId, topic, json, traceparent, group, at };
    const store = events();
    return store instanceof Promise ? store.then((ready) => ready.emit(newEvent)) : store.emit(newEvent);
  };
  if (!tracing.recording) return send(run.span.traceparent);
  const span = tracing.startSpan(`send ${topic}`, {
    kind: 'producer',
    parent: run.span.traceparent,
    attributes: {
      'messaging.system': 'nats',
      'messaging.operation.type': 'send',
      'messaging.destination.name': topic,
      'messaging.message.id': id,
    },
  });
  return traced(span, () => send(span.traceparent));
}

/** It goes into a header, which has a limit. */
const LONGEST_GROUP = 1_024;

function toGroup(group: unknown): string | undefined {
  if (group === undefined || group === null) return undefined;
  const name = toName(group);
  if (name.length <= LONGEST_GROUP) return name;
  throw new MotiaError('INVALID_VALUE', `a message group has ${LONGEST_GROUP} characters at most`);
}

function toMessageId(topic: string, id: unknown): string | undefined {
  if (id === undefined || id === null) return undefined;
  if (typeof id !== 'string' || id === '') throw new MotiaError('INVALID_VALUE', 'the id of an event is a text');
  return givenMessageId(topic, id);
}

/** When an event with this delay is to be delivered, ms since 1970; at once if it has none. */
function toDelivery(delay: unknown): number | undefined {
  if (delay === undefined || delay === null || delay === 0) return undefined;
  if (typeof delay !== 'number' || !(delay >= 0 && delay <= LONGEST_WAIT_S)) {
    throw new MotiaError('INVALID_VALUE', `the delay of an event is a number of seconds, 0 to ${LONGEST_WAIT_S}`);
  }
  return Date.now() + delay * 1_000;
}

function createState(run: ActiveRun, { state, tracing }: Services): StateManager {
  const operate = <T>(
    name: string,
    address: [group: string, key?: string],
    operation: (store: StateStore) => Promise<T>,
  ) =>
    run.act(async () => {
      if (!tracing.recording) return operation(await state());
      const [group, key] = address;
      const span = tracing.startSpan(`state.${name}`, {
        kind: 'client',
        parent: run.span.traceparent,
        attributes: {
          'db.system.name': 'nats',
          'db.operation.name': name,
          'motia.state.group': group,
          ...(key !== undefined && { 'motia.state.key': key }),
        },
      });
      return traced(span, async () => operation(await state()));
    });
  return {
    get: async <T>(group: string, key: string) => {
      const [g, k] = [toName(group), toName(key)];
      return (await operate('get', [g, k], (store) => store.get(g, k))) as T | null;
    },
    set: async <T>(group: string, key: string, value: T) => {
      const [g, k] = [toName(group), toName(key)];
      await operate('set', [g, k], (store) => store.set(g, k, value));
      return value;
    },
    delete: async <T>(group: string, key: string) => {
      const [g, k] = [toName(group), toName(key)];
      return (await operate('delete', [g, k], (store) => store.delete(g, k))) as T | null;
    },
    getGroup: async <T>(group: string) => {
      const g = toName(group);
      return (await operate('getGroup', [g], (store) => store.getGroup(g))) as T[];
    },
    clear: async (group: string) => {
      const g = toName(group);
      await operate('clear', [g], (store) => store.clear(g));
    },
  };
}

/** Groups and keys are texts; a number is taken as its text, anything else is a mistake of the caller's. */
function toName(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  throw new MotiaError(
    'INVALID_VALUE',
    `groups and keys of state are texts, not ${value === null ? 'null' : typeof value}`,
  );
}

/** A logger whose records name the run. What the caller passes gives way to that, but for a `step` of its own. */
export function createRunLogger(log: ThreadLog, identity: Record<string, unknown>): Logger {
  const write =
    (level: LogLevel) =>
    (message: string, fields?: unknown): void => {
      if (!log.enabled(level)) return;
      const own = safeFields(fields);
      const record = { action: 'log', ...own, ...identity, ...('step' in own && { step: own.step }) };
      log.write(level, record, typeof message === 'string' ? message : JSON.stringify(safeFields(message)));
    };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (fields) => createRunLogger(log, { ...identity, ...safeFields(fields) }),
  };
}
