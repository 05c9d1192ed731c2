/** Takes the ticks of one cron step from the broker and has them run, each once. What is due and when is the scheduler's. */
import { randomUUID } from 'node:crypto';
import { ACK_WAIT_MS, tickSource } from '../shared/broker/consumers.ts';
import { type CronRun, type CronStore, readTick, type Tick } from '../shared/broker/cron-store.ts';
import type { Delivery } from '../shared/broker/delivery.ts';
import { PullConsumer } from '../shared/broker/pull-consumer.ts';
import type { ErrorRecord } from '../shared/errors.ts';
import type { StepEntry } from '../shared/steps/manifest.ts';
import { HeldMessage, HeldMessages } from './held-messages.ts';
import type { ConsumerServices } from './request-consumer.ts';
import { identityOf } from './run-identity.ts';
import { RunMetrics } from './run-metrics.ts';
import type { JobEnd } from './threads/handler-thread.ts';
import { type Dropped, decideTick } from './tick-decision.ts';

export interface CronServices extends ConsumerServices {
  cron: CronStore;
}

/** Runs that this worker has at a time, of a step that may overlap with itself. */
const OVERLAPPING = 10;

class Held extends HeldMessage {
  readonly tick: Tick;
  /** Identity of our attempt at it. */
  readonly claim = randomUUID();

  constructor(delivery: Delivery, tick: Tick) {
    super(delivery, ACK_WAIT_MS);
    this.tick = tick;
  }
}

export class CronConsumer {
  readonly kind = 'cron';
  readonly step: StepEntry;
  readonly source: ReturnType<typeof tickSource>;
  readonly puller: PullConsumer;
  readonly #services: CronServices;
  readonly #held = new HeldMessages<Held>(ACK_WAIT_MS);
  readonly #metrics: RunMetrics;

  constructor(services: CronServices, step: StepEntry, onGone: () => void) {
    this.step = step;
    this.#services = services;
    this.#metrics = new RunMetrics(services.metrics, step.id, 'cron');
    this.source = tickSource(services.names, step);
    const most = step.overlap ? OVERLAPPING : 1;
    this.puller = new PullConsumer(services.broker, {
      stream: this.source.stream,
      durable: this.source.durable,
      ackWaitMs: ACK_WAIT_MS,
      room: () => most - this.#held.size,
      onDelivery: (delivery) => this.#take(delivery),
      onGone,
    });
  }

  /** Ticks that this worker holds. */
  get load(): number {
    return this.#held.size;
  }

  /** Tells the broker that the ticks are still being worked on. Call it several times per ack wait. */
  renew(): void {
    this.#held.renew();
  }

  #take(delivery: Delivery): void {
    try {
      const held = new Held(delivery, readTick(delivery));
      if (!this.#held.hold(held, this.puller.mayRepeat(delivery))) return;
      this.#metrics.taken(delivery);
      void this.#begin(held);
    } catch (error) {
      delivery.terminate();
      this.#services.log.error(
        { action: 'tick_malformed', step: this.step.name, err: error },
        'A message that is no tick was dropped',
      );
    }
  }

  /** Enters the run in the step's record, and then has it; or drops the tick. */
  async #begin(held: Held): Promise<void> {
    try {
      const refusal = await this.#claim(held);
      if (refusal === undefined) {
        this.#dispatch(held);
        return;
      }
      held.delivery.ack();
      this.#tellDropped(held, refusal);
    } catch (error) {
      this.#services.log.error(
        { action: 'tick_failed', ...identityOf(this.step), tick: held.tick.tick, err: error },
        'A tick could not be begun; it will come again',
      );
    }
    this.#forget(held);
  }

  /** @returns why the tick does not run, or `undefined` if it is ours to run. */
  async #claim({ tick: { seq, tick, manual }, claim, delivery }: Held): Promise<Dropped | undefined> {
    const { cron } = this.#services;
    for (;;) {
      const { runs, revision } = await cron.readRecord(this.step.id);
      if (runs.some((run) => run.claim === claim)) return undefined; // stored by a write whose answer was lost
      const now = Date.now();
      const taken = { seq, tick, manual, storedAt: delivery.storedAt, behind: delivery.pending };
      const decision = decideTick(taken, runs, this.step, now);
      if (!decision.run) {
        if (decision.why === 'cut off twice') {
          const failed = runs.map((run) =>
            run.seq === seq ? { ...run, endedAt: now, outcome: 'failed' as const } : run,
          );
          if (!(await cron.replaceRecord(this.step.id, { runs: failed, revision }))) continue;
        }
        return decision.why;
      }
      const run: CronRun = { seq, tick, manual, claim, times: decision.times, startedAt: now };
      const others = runs.filter((other) => other.seq !== seq);
      if (await cron.replaceRecord(this.step.id, { runs: [...others, run].sort(bySequence), revision }))
        return undefined;
    }
  }

  #dispatch(held: Held): void {
    const { seq, tick } = held.tick;
    held.job = {
      run: { kind: 'cron', step: this.step.id, meta: { id: `${this.source.stream}:${seq}`, tick } },
      leaseUntil: held.leaseUntil,
      storedAt: held.delivery.storedAt,
      restartable: true,
      displacements: 0,
      onEnd: (end, tookMs, emits) => {
        this.#metrics.ended(end, tookMs, emits);
        void this.#end(held, end);
      },
    };
    this.#services.pool.dispatch(held.job);
  }

  /** If the broker cannot be told, the tick stays unacked and comes again after the ack wait. */
  async #end(held: Held, end: JobEnd): Promise<void> {
    held.ended = true;
    try {
      const error = end.status === 'failed' ? end.error : undefined;
      // Refused what it wanted to do, or without a lease: the tick may be with another worker, who decides.
      const isLost = end.status === 'lost' || error?.code === 'RUN_OVER' || !held.isOurs;
      if (end.status === 'displaced' || end.status === 'unknown') {
        // It has not run: the claim goes before the tick goes to somebody else.
        if (await this.#changeRun(held, () => undefined)) held.delivery.handBack(0);
      } else if (!isLost) {
        const outcome = error ? 'failed' : 'succeeded';
        if (error?.code === 'RUN_CUT_OFF') this.#tellCutOff(held, error); // of any other failure the thread has told
        if (await this.#changeRun(held, (run) => ({ ...run, endedAt: Date.now(), outcome }))) held.delivery.ack();
      }
    } catch (failure) {
      this.#services.log.error(
        { action: 'settle_failed', ...identityOf(this.step, held.job?.span), tick: held.tick.tick, err: failure },
        'The outcome of a cron run could not be stored; it may run once more',
      );
    }
    this.#forget(held);
  }

  /** Changes our run in the step's record, or takes it out. @returns whether it is still ours. */
  async #changeRun({ claim }: Held, change: (run: CronRun) => CronRun | undefined): Promise<boolean> {
    const { cron } = this.#services;
    for (;;) {
      const { runs, revision } = await cron.readRecord(this.step.id);
      if (!runs.some((run) => run.claim === claim)) return false;
      const changed = runs.flatMap((run) => (run.claim === claim ? (change(run) ?? []) : [run]));
      if (await cron.replaceRecord(this.step.id, { runs: changed, revision })) return true;
    }
  }

  #forget(held: Held): void {
    this.#held.release(held);
    this.puller.pull();
  }

  #tellCutOff({ tick: { tick }, job }: Held, error: ErrorRecord): void {
    this.#services.log.error(
      { action: 'run_failed', ...identityOf(this.step, job?.span), tick, err: error },
      `${this.step.name} failed: ${error.message}`,
    );
  }

  #tellDropped({ tick: { tick } }: Held, why: Dropped): void {
    if (why === 'done') return;
    const reasons: Record<typeof why, string> = {
      'cut off twice': 'it was cut off twice',
      'too late': 'it is more than a minute late',
      'still running': 'an earlier run still went on when it was due',
      'later one waits': 'no worker had taken it, and a later one waits',
    };
    this.#services.log.warn(
      { action: 'tick_dropped', ...identityOf(this.step), tick, reason: why },
      `${this.step.name} does not run for ${new Date(tick).toISOString()}: ${reasons[why]}`,
    );
  }
}

const bySequence = (a: CronRun, b: CronRun) => a.seq - b.seq;
