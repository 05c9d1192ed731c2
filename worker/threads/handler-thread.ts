/** One handler thread as the broker thread sees it: what it runs, whether it answers, how it ends. */
import type { Worker } from 'node:worker_threads';
import { childEnvironment } from '../../shared/config.ts';
import { type ErrorRecord, MotiaError, toErrorRecord } from '../../shared/errors.ts';
import type { SpanExport } from '../../shared/span-export/span-export.ts';
import type { Bundle } from '../../shared/steps/bundle.ts';
import { takeBlankThread } from './blank-thread.ts';
import type { Gate, Gates } from './gates.ts';
import type { LoadedApp, ResultMessage, Run, RunResult, ThreadSetup } from './messages.ts';
import { RunSlots, SLOTS_PER_THREAD } from './run-slots.ts';
import { packRun, unpackFrames, unpackResults, type WireFromThread, WireToThread } from './wire.ts';

/** One run to be had, and who wants to know how it ends. */
export interface Job {
  readonly run: Run;
  /** Limits how many runs of the step go on at a time. */
  readonly gate?: Gate;
  /** How long it will take, if it is brief: such runs go to a thread together, not each to the least loaded one. */
  readonly expectedMs?: number | undefined;
  /** Until when the run's message is surely ours, ms since 1970; `Infinity` if nobody else can get it. See {@link renewLease}. */
  leaseUntil: number;
  /** When the run's message was stored, ms since 1970. */
  readonly storedAt: number;
  /** `traceparent` of the span of a run that failed, was cut off or given up, if there is one. */
  span?: string | undefined;
  /** Where it is; absent while it waits for a thread. */
  at?: { thread: HandlerThread; slot: number };
  /** Whether the run may begin anew after it was cut off through no fault of its own. */
  restartable: boolean;
  /** How often that has happened. */
  displacements: number;
  /** Called when the job goes to a thread. */
  onDispatch?: () => void;
  /** A reply frame before the last one. */
  onFrame?: (frame: Uint8Array) => void;
  /** `tookMs` is how long the handler ran, `emits` how many events it emitted; both are 0 if that is not known. */
  onEnd: (end: JobEnd, tookMs: number, emits: number) => void;
}

export type JobEnd =
  | RunResult
  /** Cut off, started, and not restartable. */
  | { status: 'displaced' };

/** `starting` → `ready` ⇄ `silent` → `draining` → `ended`. A silent thread has not answered for a while: it computes. */
export type ThreadStatus = 'starting' | 'ready' | 'silent' | 'draining' | 'ended';

/** What all handler threads of a worker are told alike. */
export interface ProcessSetup extends Omit<ThreadSetup, 'slots' | 'gates' | 'env' | 'exportTo'> {
  /** If their spans are exported. */
  spanExport?: SpanExport | undefined;
}

export interface ThreadEvents {
  /** Work is about to leave for the thread: what must be on the broker's socket before is sent now. */
  beforeSend: () => void;
  onReady: (thread: HandlerThread, app: LoadedApp) => void;
  onLog: (line: string) => void;
  onConsole: (line: string) => void;
  onSpans: (lines: string[], dropped: number) => void;
  /** A run ended, so there is room for another. */
  onRoom: (thread: HandlerThread) => void;
  /** The thread is gone. `unfinished` has to go elsewhere; `surprise` says why, if nobody asked it to end. */
  onEnded: (thread: HandlerThread, unfinished: Job[], surprise?: string) => void;
}

const PING_AFTER_MS = 100;
/** A thread that does not answer for this long gets no new work. */
const SILENT_AFTER_MS = 250;
const CLOSE_WITHIN_MS = 3_000;
/** A job that was in this many cut-off threads is taken to be the one that ends them. */
const MOST_DISPLACEMENTS = 3;
const OUT_OF_MEMORY = 'ERR_WORKER_OUT_OF_MEMORY';

export class HandlerThread {
  status: ThreadStatus = 'starting';
  readonly #worker: Worker;
  readonly #slots = new RunSlots();
  readonly #gates: Gates;
  /** By slot. */
  readonly #jobs = new Array<Job | undefined>(SLOTS_PER_THREAD).fill(undefined);
  #inFlight = 0;
  /** Slots of runs that were given up and go on all the same. */
  readonly #givenUp = new Set<number>();
  readonly #free: number[] = [];
  readonly #events: ThreadEvents;
  #outgoing: WireToThread | undefined;
  #heardAt = Date.now();
  #pingedAt = 0;
  #endReason: string | undefined;
  #longRuns = 0;
  #terminated = false;
  #outOfMemory = false;

  constructor({ spanExport, ...setup }: ProcessSetup, gates: Gates, events: ThreadEvents) {
    this.#gates = gates;
    this.#events = events;
    for (let slot = SLOTS_PER_THREAD - 1; slot >= 0; slot--) this.#free.push(slot);
    const { worker, setUp } = takeBlankThread();
    this.#worker = worker;
    setUp({
      ...setup,
      ...{ env: childEnvironment({}), slots: this.#slots.buffer, gates: gates.buffer, exportTo: spanExport?.connect() },
    });
    this.#worker.on('message', (batch: WireFromThread) => this.#onBatch(batch));
    this.#worker.on('error', (error) => {
      const { message, code } = toErrorRecord(error);
      this.#endReason = message;
      this.#outOfMemory = code === OUT_OF_MEMORY;
    });
    this.#worker.on('exit', (code) => this.#onExit(code));
  }

  /** Runs in flight. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Those among them that are not brief, and may hold up the others. */
  get longRuns(): number {
    return this.#longRuns;
  }

  /** Has the thread load the steps it is to run. Once. */
  load(bundle: Bundle): void {
    this.#batch().rest.push({ t: 'load', bundle });
  }

  /** Whether something leaves for the thread at the end of this turn of the event loop. */
  get hasOutgoing(): boolean {
    return this.#outgoing !== undefined;
  }

  get hasRoom(): boolean {
    return this.status === 'ready' && this.#free.length > 0;
  }

  /** Sends a job to the thread. Only if it {@link hasRoom}. */
  dispatch(job: Job): void {
    const slot = this.#free.pop() as number;
    if (this.#inFlight++ === 0) this.#heardAt = Date.now();
    this.#jobs[slot] = job;
    if (job.expectedMs === undefined) this.#longRuns++;
    job.at = { thread: this, slot };
    job.onDispatch?.();
    this.#slots.queue(slot, job.leaseUntil, job.storedAt);
    packRun(this.#batch(), { t: 'run', slot, run: job.run, gate: job.gate });
  }

  /**
   * Gives a run up: its signal aborts, it is fenced off from the world, and does not count any more. The thread may end without
   * waiting for it, and whatever it returns is nobody's business.
   */
  giveUp(slot: number, reason: string): void {
    this.#slots.lease(slot, 0);
    this.#leaveGate(slot);
    const job = this.#remove(slot);
    if (job) {
      job.span = this.#slots.span(slot);
      this.#givenUp.add(slot);
    }
    this.#batch().rest.push({ t: 'abort', slot, reason });
    this.#closeIfDrained();
  }

  /** Tells a run how many bytes of its streamed answer the caller has taken. */
  credit(slot: number, taken: number): void {
    this.#batch().rest.push({ t: 'credit', slot, taken });
  }

  /** Renews what a run may rely on. */
  lease(slot: number, until: number): void {
    this.#slots.lease(slot, until);
  }

  /** No new work; ends by itself when the last run is over. */
  drain(): void {
    if (this.status === 'ended') return;
    this.status = 'draining';
    this.#closeIfDrained();
  }

  /** Ends the thread at once, computing or not. */
  terminate(reason: string): void {
    this.#endReason ??= reason;
    this.#terminated = true;
    void this.#worker.terminate();
  }

  /**
   * Asks for a sign of life while there is work, and takes the thread out of service when none comes. Call it regularly.
   * @returns for how long the thread has been silent, in ms.
   */
  checkPulse(now: number): number {
    if (this.#inFlight + this.#givenUp.size === 0 || this.#terminated) return 0;
    if (this.status === 'starting' || this.status === 'ended') return 0;
    const silence = now - this.#heardAt;
    if (silence >= PING_AFTER_MS && this.#pingedAt <= this.#heardAt) {
      this.#pingedAt = now;
      this.#batch().rest.push({ t: 'ping' });
    }
    // Silence counts from the ping: without one there may just be nothing to say.
    if (this.#pingedAt <= this.#heardAt) return 0;
    const unanswered = now - this.#pingedAt;
    if (unanswered >= SILENT_AFTER_MS - PING_AFTER_MS && this.status === 'ready') this.status = 'silent';
    return unanswered;
  }

  /** When a run started, ms since 1970; 0 if it has not. */
  startedAt(slot: number): number {
    return this.#slots.startedAt(slot);
  }

  /** Takes back what the thread has not started. */
  withdrawUnstarted(which: (job: Job) => boolean = () => true): Job[] {
    const jobs: Job[] = [];
    for (const [slot, job] of this.#taken()) {
      if (!which(job) || !this.#slots.tryWithdraw(slot)) continue;
      this.#remove(slot); // the slot stays taken until the thread has seen it
      delete job.at;
      jobs.push(job);
    }
    return jobs;
  }

  /** What is sent at the end of this turn of the event loop. */
  #batch(): WireToThread {
    if (!this.#outgoing) {
      this.#outgoing = new WireToThread();
      setImmediate(() => this.#flush());
    }
    return this.#outgoing;
  }

  #flush(): void {
    const batch = this.#outgoing;
    this.#outgoing = undefined;
    this.#events.beforeSend();
    queueMicrotask(() => {
      if (this.status !== 'ended') this.#worker.postMessage(batch);
    });
  }

  #onBatch(batch: WireFromThread): void {
    this.#heardAt = Date.now();
    if (this.status === 'silent') this.status = 'ready';
    for (const { slot, frame } of unpackFrames(batch)) this.#jobs[slot]?.onFrame?.(frame);
    for (const result of unpackResults(batch)) this.#finish(result);
    for (const message of batch.rest) {
      if (message.t === 'withdrawn') this.#release(message.slot);
      else if (message.t === 'log') this.#events.onLog(message.line);
      else if (message.t === 'console') this.#events.onConsole(message.line);
      else if (message.t === 'spans') this.#events.onSpans(message.lines, message.dropped);
      else if (message.t === 'ready') {
        if (this.status === 'starting') this.status = 'ready';
        this.#events.onReady(this, message.app);
      }
    }
    this.#events.onRoom(this);
    this.#closeIfDrained();
  }

  #finish({ slot, result, tookMs, emits }: ResultMessage): void {
    const job = this.#remove(slot);
    if (job && result.status === 'failed') job.span = this.#slots.span(slot);
    this.#givenUp.delete(slot);
    this.#release(slot);
    job?.onEnd(result, tookMs, emits);
  }

  /** Slots with a job, as they are now. */
  #taken(): [slot: number, job: Job][] {
    return this.#jobs.flatMap((job, slot): [number, Job][] => (job ? [[slot, job]] : []));
  }

  #remove(slot: number): Job | undefined {
    const job = this.#jobs[slot];
    if (!job) return undefined;
    this.#jobs[slot] = undefined;
    this.#inFlight--;
    if (job.expectedMs === undefined) this.#longRuns--;
    return job;
  }

  /** The thread itself counts a run out when it ends; this is for runs that it will not, or not in time. */
  #leaveGate(slot: number): void {
    const gate = this.#jobs[slot]?.gate;
    if (gate && this.#slots.tryEnd(slot)) this.#gates.leave(gate);
  }

  #release(slot: number): void {
    this.#slots.free(slot);
    this.#free.push(slot);
  }

  #closeIfDrained(): void {
    if (this.status !== 'draining' || this.#inFlight > 0) return;
    this.#batch().rest.push({ t: 'close' });
    setTimeout(() => this.terminate('it did not close in time'), CLOSE_WITHIN_MS).unref();
  }

  #onExit(code: number): void {
    const drained = this.status === 'draining' && this.#inFlight === 0;
    this.status = 'ended';
    const unstarted = this.withdrawUnstarted();
    const reason = this.#endReason ?? `its thread ended with code ${code}`;
    // Whoever asked for memory last need not be who has taken it all.
    const guilty = this.#outOfMemory ? undefined : this.#slots.current();
    const displaced: Job[] = [];
    for (const [slot, job] of this.#taken()) {
      this.#leaveGate(slot);
      this.#remove(slot);
      delete job.at;
      job.span = this.#slots.span(slot);
      job.displacements++;
      if (slot === guilty || job.displacements >= MOST_DISPLACEMENTS)
        job.onEnd({ status: 'failed', error: cutOff(reason) }, 0, 0);
      else if (job.restartable) displaced.push(job);
      else job.onEnd({ status: 'displaced' }, 0, 0);
    }
    this.#events.onEnded(this, [...unstarted, ...displaced], drained || this.#terminated ? undefined : reason);
  }
}

/** The broker has confirmed that the job's message is ours for longer. */
export function renewLease(job: Job, until: number): void {
  job.leaseUntil = until;
  job.at?.thread.lease(job.at.slot, until);
}

function cutOff(reason: string): ErrorRecord {
  return toErrorRecord(new MotiaError('RUN_CUT_OFF', `the run was cut off: ${reason}`));
}
