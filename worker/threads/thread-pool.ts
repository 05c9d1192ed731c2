/**
 * The handler threads of one worker: sends each job to the least loaded thread that answers, replaces threads that compute for
 * too long, and swaps all of them for new code without dropping a job.
 */
import type pino from 'pino';
import type { Bundle } from '../../shared/steps/bundle.ts';
import { STORED_COUNT_BYTES } from '../../shared/thinning.ts';
import { type Gate, Gates, MOST_GATES } from './gates.ts';
import type { HandlerThread, Job, ProcessSetup } from './handler-thread.ts';
import type { LoadedApp } from './messages.ts';
import { type StartedThread, ThreadSupply } from './thread-supply.ts';

export interface ThreadPoolOptions {
  setup: Omit<ProcessSetup, 'storedCounts'>;
  /** Handler threads in service. */
  size: number;
  /** Keep a started thread in reserve, so that the next swap is quick. */
  keepWarm: boolean;
  log: pino.Logger;
  onLog: (line: string) => void;
  /** What handlers have printed, to be stored. Default: nothing is done with it. */
  onConsole?: (line: string) => void;
  /** Lines of ended spans, to be stored. Default: nothing is done with them. */
  onSpans?: (lines: string[], dropped: number) => void;
  /** Called before work leaves for a thread. */
  beforeSend: () => void;
}

const PULSE_MS = 50;
/** Brief events that go to the same thread together at most. */
const LARGEST_BATCH = 128;
/** How long a brief call may wait for others of its thread while another thread is free. */
const LONGEST_WAIT_MS = 10;
/** The same for an event outside of a burst. */
const EVENTS_WAIT_MS = 1;
/** Threads beyond the set number, started while others compute. */
const MOST_SPARES = 6;
const SPARE_LINGERS_MS = 10_000;
const RESTART_AFTER_MS = 200;
/** No edit for this long. */
const QUIET_MS = 3_000;

export const HANDLER_STATES = ['idle', 'busy', 'blocked', 'starting', 'draining'] as const;
export type HandlerState = (typeof HANDLER_STATES)[number];

function stateOf({ status, inFlight }: HandlerThread): HandlerState | undefined {
  if (status === 'ready') return inFlight > 0 ? 'busy' : 'idle';
  if (status === 'silent') return 'blocked';
  return status === 'ended' ? undefined : status;
}

export class ThreadPool {
  readonly #options: ThreadPoolOptions;
  readonly #threads = new Set<HandlerThread>();
  /** Threads of the newest code; the others drain. */
  #generation = new Set<HandlerThread>();
  #bundle: Bundle | undefined;
  #completion: NodeJS.Timeout | undefined;
  readonly #queue: Job[] = [];
  readonly #gates = new Gates();
  readonly #supply: ThreadSupply;
  readonly #gateIndexes = new Map<string, number>();
  #pulse: NodeJS.Timeout | undefined;
  #batchThread: HandlerThread | undefined;
  #batchLeft = 0;
  #crowdedSince = 0;
  #closing = false;
  /** A thread that has been silent for this long is ended. */
  blockedTimeoutMs = 30_000;

  constructor(options: ThreadPoolOptions) {
    this.#options = options;
    const setup = { ...options.setup, storedCounts: new SharedArrayBuffer(STORED_COUNT_BYTES) };
    this.#supply = new ThreadSupply(setup, this.#gates, {
      onReady: () => this.#dispatchQueued(),
      beforeSend: options.beforeSend,
      onLog: options.onLog,
      onConsole: options.onConsole ?? (() => {}),
      onSpans: options.onSpans ?? (() => {}),
      onRoom: () => this.#dispatchQueued(),
      onEnded: (thread, unfinished, surprise) => this.#onEnded(thread, unfinished, surprise),
    });
  }

  /** Runs in flight or waiting for a thread. */
  get load(): number {
    let load = this.#queue.length;
    for (const thread of this.#threads) load += thread.inFlight;
    return load;
  }

  /** Runs that wait for a thread. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Whether a thread with the newest code answers. */
  get answers(): boolean {
    return [...this.#generation].some(({ status }) => status === 'ready');
  }

  /** How many threads there are in each state. One that is blocked computes without a pause; one in reserve is starting. */
  states(): Map<HandlerState, number> {
    const states = new Map<HandlerState, number>(HANDLER_STATES.map((state) => [state, 0]));
    for (const thread of this.#threads) {
      const state = stateOf(thread);
      if (state) states.set(state, (states.get(state) ?? 0) + 1);
    }
    return states;
  }

  /**
   * Has a new thread load this bundle, shows `accept` what it found, and if that resolves to `true` lets it take over: further
   * threads of the same code join it, the old ones drain.
   * @returns whether it took over.
   * @throws {MotiaError} `PROJECT_INVALID` when the thread ended while it loaded the steps, or took too long; and what
   * `accept` throws.
   */
  async swap(bundle: Bundle, accept: (app: LoadedApp) => Promise<boolean>): Promise<boolean> {
    const started = this.#supply.take();
    const generation = new Set([started.thread]);
    this.#threads.add(started.thread);
    let accepted = false;
    try {
      accepted = (await accept(await started.load(bundle))) && !this.#closing;
    } finally {
      if (!accepted) started.thread.drain();
    }
    if (!accepted) return false;
    const old = this.#generation;
    this.#generation = generation;
    this.#bundle = bundle;
    for (const thread of old) {
      thread.drain();
      for (const job of thread.withdrawUnstarted()) this.dispatch(job);
    }
    this.#dispatchQueued();
    this.#refill();
    return true;
  }

  /** Runs a job as soon as a thread is free for it. */
  dispatch(job: Job): void {
    const thread = job.expectedMs === undefined ? this.#leastLoaded() : this.#threadForBrief(job);
    if (thread) thread.dispatch(job);
    else this.#queue.push(job);
    this.#pulse ??= setInterval(() => this.#checkPulses(), PULSE_MS).unref();
  }

  /** The place where a step counts its runs, over all threads and versions of the code. */
  gate(stepId: string, limit: number): Gate {
    const index = this.#gateIndexes.get(stepId) ?? Math.min(this.#gateIndexes.size, MOST_GATES - 1);
    this.#gateIndexes.set(stepId, index);
    return { index, limit };
  }

  /** Takes a job back that waits for a thread. */
  withdraw(job: Job): boolean {
    const index = this.#queue.indexOf(job);
    if (index >= 0) this.#queue.splice(index, 1);
    return index >= 0;
  }

  /** Takes back the events and ticks that have not started. Calls stay: their callers wait. */
  withdrawEvents(): Job[] {
    const mayWait = ({ run }: Job) => run.kind !== 'api';
    const queued = this.#queue.filter(mayWait);
    for (const job of queued) this.withdraw(job);
    return [...queued, ...[...this.#threads].flatMap((thread) => thread.withdrawUnstarted(mayWait))];
  }

  /** Lets every thread end after its last run, and ends those that do not within `graceMs`. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    for (const thread of this.#threads) thread.drain();
    const giveUp = Date.now() + graceMs;
    while (this.#threads.size > 0 && Date.now() < giveUp) await new Promise((resolve) => setTimeout(resolve, 10));
    for (const thread of this.#threads) thread.terminate('the worker shut down');
    clearInterval(this.#pulse);
    clearTimeout(this.#completion);
  }

  #leastLoaded(): HandlerThread | undefined {
    let best: HandlerThread | undefined;
    for (const thread of this.#generation) {
      if (thread.hasRoom && (best === undefined || thread.inFlight < best.inFlight)) best = thread;
    }
    return best;
  }

  /** The thread of the last brief run, as long as that does not hold this one up: to wake another costs more than the run. */
  #threadForBrief(job: Job): HandlerThread | undefined {
    const thread = this.#batchThread;
    if (thread?.hasRoom && this.#generation.has(thread) && this.#mayJoin(thread, job)) return thread;
    this.#batchLeft = LARGEST_BATCH;
    this.#batchThread = this.#leastLoaded();
    return this.#batchThread;
  }

  /** Calls are spread when they would wait; events come in bursts, of which each turn of the event loop sends one part. */
  #mayJoin(thread: HandlerThread, { run, expectedMs = 0 }: Job): boolean {
    if (run.kind === 'api') return thread.longRuns === 0 && thread.inFlight * expectedMs <= LONGEST_WAIT_MS;
    if (thread.hasOutgoing && this.#batchLeft-- > 0) return true;
    return thread.longRuns === 0 && thread.inFlight * expectedMs <= EVENTS_WAIT_MS;
  }

  #dispatchQueued(): void {
    while (this.#queue.length > 0) {
      const thread = this.#leastLoaded();
      if (!thread) return;
      const job = this.#queue.shift() as Job;
      if (job.leaseUntil > Date.now()) thread.dispatch(job);
      else job.onEnd({ status: 'lost' }, 0, 0);
    }
  }

  #onEnded(thread: HandlerThread, unfinished: Job[], surprise: string | undefined): void {
    if (surprise !== undefined) {
      this.#options.log.error({ action: 'thread_ended', reason: surprise }, `A handler thread ended: ${surprise}`);
    }
    this.#threads.delete(thread);
    for (const job of unfinished) this.dispatch(job);
    if (this.#generation.delete(thread)) setTimeout(() => this.#refill(), RESTART_AFTER_MS).unref();
  }

  /** Brings the newest generation to its size, and keeps a thread ready for the next one. */
  #refill(): void {
    if (this.#closing || !this.#bundle) return;
    if (this.#options.keepWarm && this.#generation.size > 0) {
      // The next edit may come soon: a thread for it goes first, and the generation is completed when it is quiet.
      const reserve = this.#supply.fillReserve();
      if (reserve) this.#threads.add(reserve);
      clearTimeout(this.#completion);
      this.#completion = setTimeout(() => this.#complete(), QUIET_MS).unref();
    } else {
      this.#complete();
    }
  }

  #complete(): void {
    while (!this.#closing && this.#generation.size < this.#options.size) this.#join(this.#supply.start());
  }

  /** Has a thread join the newest generation. One that ends while it loads is replaced like any other. */
  #join({ thread, load }: StartedThread): void {
    this.#threads.add(thread);
    this.#generation.add(thread);
    load(this.#bundle as Bundle).catch(() => thread.terminate('it did not load the steps'));
  }

  #checkPulses(): void {
    const now = Date.now();
    let silent = 0;
    for (const thread of this.#threads) {
      const silence = thread.checkPulse(now);
      if (thread.status === 'silent') {
        silent++;
        for (const job of thread.withdrawUnstarted()) this.dispatch(job);
      }
      if (silence > this.blockedTimeoutMs) {
        this.#options.log.error(
          { action: 'thread_blocked', blockedMs: silence },
          'A handler has blocked its thread for too long; the thread is ended',
        );
        thread.terminate(`it blocked its thread for more than ${this.blockedTimeoutMs / 1000} s`);
      }
    }
    this.#adjust(silent, now);
    if (this.load === 0 && this.#generation.size <= this.#options.size) {
      clearInterval(this.#pulse);
      this.#pulse = undefined;
    }
  }

  /** Keeps the set number of threads answering, within bounds; lets spares go once they are not needed any more. */
  #adjust(silent: number, now: number): void {
    const { size } = this.#options;
    const wanted = Math.min(size + silent, size + MOST_SPARES);
    if (silent > 0 && this.#bundle && this.#generation.size < wanted) {
      this.#options.log.warn(
        { action: 'thread_silent', silent },
        'A handler keeps its thread busy; another thread starts',
      );
      this.#join(this.#supply.take());
    }
    if (this.#generation.size <= wanted) this.#crowdedSince = now;
    if (now - this.#crowdedSince < SPARE_LINGERS_MS) return;
    const spare = [...this.#generation].find((thread) => thread.status === 'ready' && thread.inFlight === 0);
    if (!spare) return;
    this.#generation.delete(spare);
    spare.drain();
    this.#crowdedSince = now;
  }
}
