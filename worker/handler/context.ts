/** The context that a handler receives; its contract is `FlowContext` in `shared/types.ts`. */
import type { EventStore } from '../../shared/broker/events.ts';
import type { LogLevel } from '../../shared/config.ts';
import { toDelivery, toGroup, toMessageId } from '../../shared/emit-fields.ts';
import { MotiaError } from '../../shared/errors.ts';
import { toJson } from '../../shared/json-values.ts';
import type { Payloads } from '../../shared/payloads.ts';
import { safeFields } from '../../shared/safe-fields.ts';
import { traced } from '../../shared/tracing.ts';
import type { EmitData, FlowContext, FlowContextStateStreams, Logger, StateManager } from '../../shared/types.ts';
import type { ActiveRun } from './active-run.ts';
import { causeOf } from './span-context.ts';
import { createState, type StateServices } from './state.ts';
import { createStreams, type StreamServices } from './streams.ts';
import type { ThreadLog } from './thread-log.ts';

/** What contexts are made from: one set per handler thread. */
export interface Services extends StateServices, StreamServices {
  events: () => EventStore | Promise<EventStore>;
  log: ThreadLog;
  /** Absent where they are not kept. */
  payloads: Payloads | undefined;
}

/** Makes the context of one run. */
export const createContext = (run: ActiveRun, services: Services): FlowContext<EmitData> =>
  new RunContext(run, services);

/**
 * Every part is a closure and a property of its own: handlers take contexts apart, copy them and pass the parts on. Nothing is worked
 * out before it is asked for, without being an accessor: an object with five of these takes ten times as long to make.
 */
class RunContext implements FlowContext<EmitData> {
  readonly emit: FlowContext<EmitData>['emit'];
  readonly state: StateManager;
  readonly streams: FlowContextStateStreams;
  readonly logger: Logger;
  readonly traceId: string;
  readonly attempt: number;
  readonly #run: ActiveRun;

  constructor(run: ActiveRun, services: Services) {
    this.#run = run;
    this.emit = (event) => emit(run, services, event);
    this.state = createState(run, services);
    this.streams = createStreams(run, services);
    this.logger = createRunLogger(services.log, () => run.identity);
    this.traceId = run.span.traceId;
    this.attempt = run.attempt;
  }

  /** Made only for those who want it: few do, and it costs more than most runs. */
  get signal(): AbortSignal {
    return this.#run.signal;
  }
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

function store(run: ActiveRun, { events, tracing, log, payloads }: Services, event: EmitData): Promise<void> {
  const topic: unknown = event?.topic;
  if (typeof topic !== 'string') {
    throw new MotiaError('INVALID_VALUE', 'emit() needs an object { topic, data } with a text as topic');
  }
  const { entry } = run.step;
  if (entry.emits.length > 0 && !entry.emits.some((declared) => declared.topic === topic)) {
    log.write(
      'error',
      { action: 'undeclared_topic', topic, ...run.identity },
      `${entry.name} emitted to "${topic}", which is not in its emits; the event was not sent. Add it in ${entry.file}.`,
    );
    return Promise.resolve();
  }
  const json = toJson(event.data === undefined ? null : event.data);
  run.emits++;
  const group = toGroup(event.messageGroupId);
  const at = toDelivery(event.delay);
  const messageId = toMessageId(topic, event.id);
  const id = run.eventId(topic, json);
  const send = (traceparent: string): Promise<void> => {
    const newEvent = { id, messageId, topic, json, traceparent, group, at };
    const store = events();
    return store instanceof Promise ? store.then((ready) => ready.emit(newEvent)) : store.emit(newEvent);
  };
  const cause = causeOf(run);
  if (!run.span.recorded) return send(cause);
  const span = tracing.startSpan(`send ${topic}`, {
    kind: 'producer',
    parent: cause,
    describe: () => ({
      'messaging.system': 'nats',
      'messaging.operation.type': 'send',
      'messaging.destination.name': topic,
      'messaging.message.id': id,
    }),
  });
  if (!span.recorded) return send(cause);
  if (payloads) span.attach('payload', payloads.json(json));
  return traced(span, () => send(span.traceparent));
}

/** A logger whose records name the run. What the caller passes gives way to that, but for a `step` of its own. */
export function createRunLogger(log: ThreadLog, identity: () => Record<string, unknown>): Logger {
  const write =
    (level: LogLevel) =>
    (message: string, fields?: unknown): void => {
      if (!log.enabled(level)) return;
      const own = safeFields(fields);
      const record = { action: 'log', ...own, ...identity(), ...('step' in own && { step: own.step }) };
      log.write(level, record, typeof message === 'string' ? message : JSON.stringify(safeFields(message)));
    };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (fields) => {
      const added = safeFields(fields);
      return createRunLogger(log, () => ({ ...identity(), ...added }));
    },
  };
}
