/** The test kit for whole projects: boots one on a real broker, and gives tests what they need to use it and to look inside. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CronAdmin } from '../shared/broker/cron-admin.ts';
import type { DeadLetter } from '../shared/broker/dead-letter.ts';
import { DeadLetterAdmin } from '../shared/broker/dead-letter-admin.ts';
import { EmitAdmin } from '../shared/broker/emit-admin.ts';
import { StateStore } from '../shared/broker/state.ts';
import { StreamStore } from '../shared/broker/streams.ts';
import { MotiaError } from '../shared/errors.ts';
import { Lifecycle } from '../shared/lifecycle.ts';
import { logSink } from '../shared/logger.ts';
import type { EmitData, MotiaStream, StateManager } from '../shared/types.ts';
import { keepBlankThread } from '../worker/threads/blank-thread.ts';
import { Clock, type TesterClock } from './clock.ts';
import { EventFeed, type Watcher } from './event-feed.ts';
import { HttpClient, type ParseJson, type RequestOptions, type TesterResponse } from './http.ts';
import { Idle } from './idle.ts';
import { CapturedLog, type LogRecord } from './log.ts';
import type { MockLogger } from './mock-logger.ts';
import { startProjectApp } from './project-app.ts';
import { forgetAll } from './reset.ts';
import { createState, createStream } from './stores.ts';
import { Waits } from './waits.ts';

export interface TesterOptions {
  /** Folder of the project. Default: the current one. */
  project?: string;
  /** Writes the log to standard output. Default false: `logs` has it. */
  verbose?: boolean;
  /** The time at which the clock stands first. It may not have passed, since cron steps do not run for a time long ago. Default: now. */
  startTime?: Date | string | number;
  /** Milliseconds that `waitEvents` and each moment of `clock.advance` may take. Default 10,000. */
  timeout?: number;
  /** Handler threads. Default 1. */
  threads?: number;
  /** Reads JSON, in the realm that its objects are to be of. Set by the kit itself where a test file has a realm of its own. */
  parse?: ParseJson;
  /** Stores traces, which the admin API then has: `get('/__motia/api/v1/traces')`. Default false. */
  traces?: boolean;
}

/** A project that runs for a test. */
export interface MotiaTester extends AsyncDisposable {
  /** Where it serves HTTP, for clients of other kinds. */
  readonly url: string;
  get<Body = unknown>(path: string, options?: RequestOptions): Promise<TesterResponse<Body>>;
  post<Body = unknown>(path: string, options?: RequestOptions): Promise<TesterResponse<Body>>;
  put<Body = unknown>(path: string, options?: RequestOptions): Promise<TesterResponse<Body>>;
  patch<Body = unknown>(path: string, options?: RequestOptions): Promise<TesterResponse<Body>>;
  delete<Body = unknown>(path: string, options?: RequestOptions): Promise<TesterResponse<Body>>;
  head<Body = unknown>(path: string, options?: RequestOptions): Promise<TesterResponse<Body>>;
  options<Body = unknown>(path: string, options?: RequestOptions): Promise<TesterResponse<Body>>;
  /** Emits an event, as a handler does. Resolves when the broker has it. @throws {MotiaError} `INVALID_VALUE` */
  emit(event: EmitData): Promise<void>;
  /** Has a cron step run, whatever its schedule says. @throws {MotiaError} `UNKNOWN_STEP` */
  trigger(cronStep: string): Promise<void>;
  /** Captures the events of a topic from now on. */
  watch<Data = unknown>(topic: string): Promise<Watcher<Data>>;
  /**
   * Resolves as soon as nothing is queued or running. What waits for its time does not count: see `clock.pending()`.
   * @throws {MotiaError} `TEST_TIMEOUT` that says what still is.
   */
  waitEvents(options?: { timeout?: number }): Promise<void>;
  /** The state that the steps share. */
  readonly state: StateManager;
  /** Realtime streams, by name. */
  stream<Item = Record<string, unknown>>(name: string): MotiaStream<Item>;
  readonly streams: Record<string, MotiaStream<Record<string, unknown>>>;
  readonly clock: TesterClock;
  /** Events whose attempts are used up, the oldest first, up to 500: of all steps, or of one. */
  deadLetters(step?: string): Promise<DeadLetter[]>;
  /** The log so far: of handlers (`step` says of which), and of the framework. */
  logs(): LogRecord[];
  /** Hears what handlers log: `expect(tester.logger.info).toHaveBeenCalled()`. */
  readonly logger: MockLogger;
  /** Waits, and moves the clock on by as much. */
  sleep(ms: number): Promise<void>;
  /** Forgets all: events, state, streams, dead letters and the log. The clock and watchers go on. */
  reset(): Promise<void>;
  /** Ends everything. Runs that go on have two seconds. */
  close(): Promise<void>;
}

const TIMEOUT_MS = 10_000;

/**
 * Boots the project of the current folder, or of `options.project`, in this process on a real broker of its own.
 * @throws {MotiaError} `PROJECT_INVALID` when a step cannot be loaded; `INVALID_VALUE` for wrong options.
 */
export async function createMotiaTester(options: TesterOptions = {}): Promise<MotiaTester> {
  const { parse = JSON.parse } = options;
  const time = { now: startOf(options.startTime) };
  const timeoutMs = options.timeout ?? TIMEOUT_MS;
  const life = new Lifecycle();
  const log = new CapturedLog(parse, options.verbose ? logSink({ pretty: true }) : undefined);
  const app = await startProjectApp({
    ...{ project: options.project, threads: options.threads },
    ...{ stored: options.traces === true, sink: log },
  });
  life.defer('app', () => app.close(), 20_000);
  try {
    const { broker, names } = app;
    const http = new HttpClient(app.gateway.url, parse);
    life.defer('http', () => http.close());
    const events = new EventFeed(broker, names, parse);
    life.defer('events', () => events.close());
    const waits = new Waits(broker, names, events, time);
    life.defer('waits', () => waits.close());
    const [manifest] = await Promise.all([app.ready, events.start(), waits.start()]);
    const watched = { broker, names, http, events, waits };
    const idle = new Idle(watched);
    life.defer('idle', () => idle.close());
    const clock = new Clock({ ...watched, idle }, time, timeoutMs);
    clock.plan(manifest);
    const [streamStore, cron, emits] = [
      new StreamStore(broker, names),
      new CronAdmin(broker, names),
      new EmitAdmin(broker, names),
    ];
    const letters = new DeadLetterAdmin(broker, names);
    const stream = <Item>(name: string) => createStream<Item>(streamStore, name, parse);
    const send =
      (method: string) =>
      <Body>(path: string, request?: RequestOptions) =>
        http.send(method, path, request) as Promise<TesterResponse<Body>>;
    const tester: MotiaTester = {
      url: app.gateway.url,
      ...{ get: send('GET'), post: send('POST'), put: send('PUT'), patch: send('PATCH'), delete: send('DELETE') },
      ...{ head: send('HEAD'), options: send('OPTIONS') },
      emit: async (event) => void (await emits.emit(event)),
      trigger: (step) => cron.trigger(step),
      watch: async <Data>(topic: string) => events.watch<Data>(topic),
      waitEvents: ({ timeout = timeoutMs } = {}) => idle.wait(timeout),
      state: createState(new StateStore(broker, names), parse),
      stream,
      streams: new Proxy({} as MotiaTester['streams'], {
        get: (_, name) => (typeof name === 'symbol' ? undefined : stream(name)),
      }),
      clock,
      deadLetters: async (step) => (await letters.list({ step, limit: 500 })).deadLetters,
      logs: () => [...log.records],
      logger: log.logger,
      sleep: async (ms) => {
        await sleep(ms);
        await clock.advance(ms);
      },
      reset: async () => {
        await idle.wait(timeoutMs);
        waits.forget();
        await forgetAll(broker, names);
        log.clear();
      },
      close: async () => {
        const [error] = await life.close();
        if (error) throw error;
      },
      [Symbol.asyncDispose]: () => tester.close(),
    };
    setImmediate(keepBlankThread); // for the next tester of this process, when this one is handed over
    return tester;
  } catch (error) {
    await life.close();
    throw error;
  }
}

function startOf(given: Date | string | number | undefined): number {
  const now = Date.now();
  if (given === undefined) return now;
  const at = new Date(given).getTime();
  if (at >= now) return at;
  const wrong = Number.isNaN(at) ? 'is no time' : 'has passed';
  throw new MotiaError(
    'INVALID_VALUE',
    `the startTime ${String(given)} ${wrong}: give one in the future, as 2099-01-01T00:00:00Z`,
  );
}
