/** One run while it is going on: who it is, whether it may still act, and how it ends (once). */
import { AsyncLocalStorage } from 'node:async_hooks';
import { hash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { MotiaError } from '../../shared/errors.ts';
import type { LoadedStep } from '../../shared/steps/load.ts';
import type { Span } from '../../shared/tracing.ts';
import type { RunResult } from '../threads/messages.ts';
import type { RunSlots } from '../threads/run-slots.ts';
import type { BodyStream } from './body-stream.ts';

/** The run that the code being executed belongs to. */
export const currentRun = new AsyncLocalStorage<ActiveRun>();

export interface RunIdentity {
  step: LoadedStep;
  slot: number;
  /** Identity of the message behind the run: the same when it runs again. */
  messageId: string;
  attempt: number;
  span: Span;
}

export class ActiveRun {
  readonly step: LoadedStep;
  readonly slot: number;
  readonly messageId: string;
  readonly attempt: number;
  readonly span: Span;
  /** Events that it has emitted. */
  emits = 0;
  /** Set when its answer is streamed. */
  stream: BodyStream | undefined;
  /** Whether it was told that the run goes on. */
  announced = false;
  readonly #slots: RunSlots;
  readonly #onEnd: (result: RunResult) => void;
  #ended = false;
  #fenced: string | undefined;
  #controller: AbortController | undefined;
  /** Emits that are not stored yet. */
  #openEmits = 0;
  #emitFailed = false;
  #onSettled: (() => void) | undefined;
  /** How often each event has been emitted by this run. */
  #emitted: Map<string, number> | undefined;

  constructor(
    { step, slot, messageId, attempt, span }: RunIdentity,
    slots: RunSlots,
    onEnd: (result: RunResult) => void,
  ) {
    this.step = step;
    this.slot = slot;
    this.messageId = messageId;
    this.attempt = attempt;
    this.span = span;
    this.#slots = slots;
    this.#onEnd = onEnd;
  }

  /** What records of the log say of it. */
  get identity(): Record<string, unknown> {
    const { name, flows } = this.step.entry;
    const identity = { step: name, traceId: this.span.traceId, spanId: this.span.spanId };
    return flows.length === 0 ? identity : { ...identity, flows };
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Ends the run. Only the first end counts: what a cut-off handler returns later is nobody's business. */
  end(result: RunResult): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#onEnd(result);
  }

  /** Aborted when nobody waits for the run any more. Made when first asked for. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#fenced !== undefined) this.#controller.abort(new MotiaError('RUN_OVER', this.#fenced));
    }
    return this.#controller.signal;
  }

  /** Nobody waits any more: later operations of the run are refused. */
  fence(reason: string): void {
    this.#fenced ??= reason;
    this.#controller?.abort(new MotiaError('RUN_OVER', reason));
  }

  /**
   * To be called before the run acts on the world.
   * @throws {MotiaError} `RUN_OVER` if the run was given up, or its message may be with another worker by now.
   */
  assertMayAct(): void {
    if (this.#fenced !== undefined) throw new MotiaError('RUN_OVER', `this run is over: ${this.#fenced}`);
    if (!this.#ended && !this.#slots.leased(this.slot, Date.now())) {
      this.fence('its event may be with another worker by now');
      this.assertMayAct();
    }
  }

  /** Tells the broker thread that code of this run goes on. */
  enter(): void {
    if (!this.#ended) this.#slots.enter(this.slot);
  }

  /** Runs an operation on the world, and tells the broker thread that the handler goes on after it. */
  async act<T>(operation: () => Promise<T>): Promise<T> {
    this.assertMayAct();
    try {
      return await operation();
    } finally {
      this.enter();
    }
  }

  /**
   * The id of an event that this run emits: the same when the run is had again and emits the same, so that the broker stores
   * it once. Not the place in the order of emits: an attempt that takes another branch would lose an event to it.
   */
  eventId(topic: string, json: string): string {
    const identity = `${this.messageId}\0${this.step.entry.id}\0${topic}\0${json}`;
    const content = hash('sha1', identity, 'base64url');
    this.#emitted ??= new Map();
    const before = this.#emitted.get(content) ?? 0;
    this.#emitted.set(content, before + 1);
    return before === 0 ? content : `${content}.${before}`;
  }

  /**
   * Remembers an emit until it is stored, awaited by the handler or not.
   * @returns what to give to the handler. If the emit fails and nobody handles that, the run fails (see `guards.ts`): so
   * nothing of ours waits for this promise.
   */
  track(emit: Promise<void>): Promise<void> {
    this.#openEmits++;
    return emit.then(this.#emitSettled, (error) => {
      this.#emitFailed = true;
      this.#emitSettled();
      throw error;
    });
  }

  #emitSettled = (): void => {
    this.enter();
    if (--this.#openEmits === 0) this.#onSettled?.();
  };

  get hasOpenEmits(): boolean {
    return this.#openEmits > 0 || this.#emitFailed;
  }

  /** Resolves when every emit is stored, or has failed and that is known to whoever it concerns. */
  async settleEmits(): Promise<void> {
    while (this.#openEmits > 0) {
      await new Promise<void>((resolve) => {
        this.#onSettled = resolve;
      });
    }
    if (this.#emitFailed) await nextTurn(); // Node tells of unhandled rejections before it
  }
}
