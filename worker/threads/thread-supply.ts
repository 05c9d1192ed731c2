/** Starts handler threads, and keeps one in reserve so that an edit does not wait for a thread to start. */
import { MotiaError } from '../../shared/errors.ts';
import type { Bundle } from '../../shared/steps/bundle.ts';
import type { Gates } from './gates.ts';
import { HandlerThread, type ProcessSetup, type ThreadEvents } from './handler-thread.ts';
import type { LoadedApp } from './messages.ts';

/** A thread with no code of the project in it yet. */
export interface StartedThread {
  readonly thread: HandlerThread;
  /**
   * Has the thread load a bundle, once, and gives what it found there.
   * @throws {MotiaError} `PROJECT_INVALID` when the thread ended meanwhile, or took too long.
   */
  load(bundle: Bundle): Promise<LoadedApp>;
}

/** Steps that load for longer are taken to hang. */
const LOAD_WITHIN_MS = 30_000;

export class ThreadSupply {
  readonly #setup: ProcessSetup;
  readonly #gates: Gates;
  readonly #events: ThreadEvents;
  #reserve: StartedThread | undefined;

  constructor(setup: ProcessSetup, gates: Gates, events: ThreadEvents) {
    this.#setup = setup;
    this.#gates = gates;
    this.#events = events;
  }

  /** The thread in reserve, or a new one. */
  take(): StartedThread {
    const taken = this.#reserve ?? this.start();
    this.#reserve = undefined;
    return taken;
  }

  /** Puts a thread in reserve, unless there is one. @returns it, if it is new. */
  fillReserve(): HandlerThread | undefined {
    if (this.#reserve) return undefined;
    this.#reserve = this.start();
    return this.#reserve.thread;
  }

  start(): StartedThread {
    let settle: (app: LoadedApp | MotiaError) => void = () => {};
    const thread = new HandlerThread(this.#setup, this.#gates, {
      ...this.#events,
      onReady: (ready, app) => {
        settle(app);
        this.#events.onReady(ready, app);
      },
      onEnded: (ended, unfinished, surprise) => {
        settle(new MotiaError('PROJECT_INVALID', 'a handler thread ended while it loaded the steps'));
        if (this.#reserve?.thread === ended) this.#reserve = undefined;
        this.#events.onEnded(ended, unfinished, surprise);
      },
    });
    const load = (bundle: Bundle) =>
      new Promise<LoadedApp>((resolve, reject) => {
        const late = `the steps did not load within ${LOAD_WITHIN_MS / 1_000} s: an import hangs`;
        const timer = setTimeout(() => settle(new MotiaError('PROJECT_INVALID', late)), LOAD_WITHIN_MS).unref();
        settle = (app) => {
          clearTimeout(timer);
          if (app instanceof MotiaError) reject(app);
          else resolve(app);
        };
        thread.load(bundle);
      });
    return { thread, load };
  }
}
