/** What is counted of the runs of one step, and of the events of one subscription. */
import type { Delivery } from '../shared/broker/delivery.ts';
import type { RunKind } from '../shared/metrics/definitions.ts';
import type { Durations } from '../shared/metrics/durations.ts';
import type { Counter, Metrics } from '../shared/metrics/metrics.ts';
import { replyStatus } from '../shared/protocol/frames.ts';
import type { Outcome } from './outcome.ts';
import type { JobEnd } from './threads/handler-thread.ts';

/** How runs end; `abandoned` are calls that nobody waited for any more. */
type RunOutcome = 'succeeded' | 'failed' | 'cut_off' | 'abandoned';

export class RunMetrics {
  readonly #metrics: Metrics;
  readonly #step: string;
  readonly #kind: RunKind;
  readonly #wait: Durations;
  readonly #emits: Counter;
  readonly #durations: Partial<Record<RunOutcome, Durations>> = {};

  /** @param step its id. */
  constructor(metrics: Metrics, step: string, kind: RunKind) {
    this.#metrics = metrics;
    this.#step = step;
    this.#kind = kind;
    this.#wait = metrics.histogram('motia_queue_wait_seconds', step, kind);
    this.#emits = metrics.counter('motia_emits_total', step);
  }

  /** A message was taken. The clock of the broker may differ from ours. */
  taken({ receivedAt, storedAt }: Delivery): void {
    this.#wait.add(Math.max(0, receivedAt - storedAt) / 1_000);
  }

  /** A run ended, or was not had: then it is not counted. @param tookMs 0 if it is not known. */
  ended(end: JobEnd, tookMs: number, emits: number, traceparent?: string): void {
    this.#emits.value += emits;
    const outcome = outcomeOf(end);
    if (outcome) this.#add(outcome, tookMs, traceparent);
  }

  /** A call was given up while it was running. */
  abandoned(tookMs: number, traceparent: string): void {
    this.#add('abandoned', tookMs, traceparent);
  }

  #add(outcome: RunOutcome, tookMs: number, traceparent?: string): void {
    this.#durations[outcome] ??= this.#metrics.histogram('motia_run_duration_seconds', this.#step, this.#kind, outcome);
    this.#durations[outcome].add(tookMs / 1_000, traceparent);
  }
}

function outcomeOf(end: JobEnd): RunOutcome | undefined {
  if (end.status === 'replied') return replyStatus(end.frame) < 500 ? 'succeeded' : 'failed';
  if (end.status === 'succeeded') return 'succeeded';
  if (end.status === 'failed') return end.error.code === 'RUN_CUT_OFF' ? 'cut_off' : 'failed';
  return end.status === 'displaced' ? 'cut_off' : undefined;
}

/** The label for what became of an event. */
const OUTCOMES: Readonly<Record<Outcome['action'], string>> = {
  ack: 'done',
  retry: 'retried',
  defer: 'deferred',
  bury: 'dead',
  drop: 'dropped',
  handBack: 'handed_back',
  leave: 'left',
};

/** They are there before the first one is counted: a rise from nothing to one is not seen as a rise. */
const FROM_THE_START: readonly Outcome['action'][] = ['ack', 'retry', 'bury', 'drop'];

/** Counts what became of the events of one subscription. */
export class OutcomeMetrics {
  readonly #find: (outcome: string) => Counter;
  readonly #counters: Partial<Record<Outcome['action'], Counter>> = {};

  constructor(metrics: Metrics, step: string, topic: string) {
    this.#find = (outcome) => metrics.counter('motia_event_attempts_total', step, topic, outcome);
    for (const action of FROM_THE_START) this.#find(OUTCOMES[action]);
  }

  count({ action }: Outcome): void {
    this.#counters[action] ??= this.#find(OUTCOMES[action]);
    this.#counters[action].value++;
  }
}
