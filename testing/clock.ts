/** The time of an app under test: it stands still, and whatever is due happens when a test moves it on, in its order. */
import { CronStore } from '../shared/broker/cron-store.ts';
import { MotiaError } from '../shared/errors.ts';
import { createSchedule, type Schedule } from '../shared/schedule.ts';
import type { Manifest } from '../shared/steps/manifest.ts';
import { toMilliseconds } from './duration.ts';
import type { Idle, Watched } from './idle.ts';
import type { Wait } from './waits.ts';

/**
 * Time for what waits: delayed events, `delaySeconds`, waits between attempts and cron steps. Everything else goes by the clock of the
 * machine: `Date` and timers in handlers, time-outs of handlers and requests, rate limits, and the `ttl` of values.
 */
export interface TesterClock {
  /** The time now. */
  now(): Date;
  /**
   * Moves time on. What becomes due happens in its order; each has ended, with all that follows from it, before the next one begins.
   * @param by `'90s'`, `'1h 30m'`, `'2d'`, or milliseconds.
   * @throws {MotiaError} `INVALID_VALUE` for no length of time, `TEST_TIMEOUT` when a run does not end.
   */
  advance(by: string | number): Promise<void>;
  /** Moves time on to this moment. @throws {MotiaError} `INVALID_VALUE` if it has passed; and as {@link advance}. */
  advanceTo(time: Date | string | number): Promise<void>;
  /** Moves time on to whatever is due next, and lets that happen. @returns whether there was anything. */
  advanceToNext(): Promise<boolean>;
  /** The events that wait for their time, the earliest first. */
  pending(): Wait[];
}

interface Plan {
  stepId: string;
  schedule: Schedule;
  next: number | undefined;
}

/** The present moment, in ms since 1970. */
export interface Present {
  now: number;
}

export class Clock implements TesterClock {
  readonly #app: Pick<Watched, 'broker' | 'names' | 'waits'> & { idle: Idle };
  readonly #time: Present;
  readonly #timeoutMs: number;
  #plans: Plan[] = [];

  /** @param timeoutMs how long the work of one moment may take. */
  constructor(app: Pick<Watched, 'broker' | 'names' | 'waits'> & { idle: Idle }, time: Present, timeoutMs: number) {
    this.#app = app;
    this.#time = time;
    this.#timeoutMs = timeoutMs;
  }

  now(): Date {
    return new Date(this.#time.now);
  }

  async advance(by: string | number): Promise<void> {
    await this.#moveTo(this.#time.now + toMilliseconds(by));
  }

  async advanceTo(time: Date | string | number): Promise<void> {
    const at = new Date(time).getTime();
    if (at >= this.#time.now) return this.#moveTo(at);
    const wrong = Number.isNaN(at) ? 'is no time' : `has passed: it is ${this.now().toISOString()}`;
    throw new MotiaError('INVALID_VALUE', `${String(time)} ${wrong}`);
  }

  async advanceToNext(): Promise<boolean> {
    await this.#app.idle.wait(this.#timeoutMs);
    const next = this.#next();
    if (!Number.isFinite(next)) return false;
    await this.#moveTo(next);
    return true;
  }

  pending(): Wait[] {
    return this.#app.waits.all();
  }

  async #moveTo(time: number): Promise<void> {
    await this.#app.idle.wait(this.#timeoutMs);
    for (let next = this.#next(); next <= time; next = this.#next()) {
      this.#time.now = Math.max(this.#time.now, next);
      if (this.#app.waits.next <= next) await this.#app.waits.release();
      else await this.#fire(next);
      await this.#app.idle.wait(this.#timeoutMs);
    }
    this.#time.now = time;
  }

  #next(): number {
    return Math.min(this.#app.waits.next, ...this.#plans.map(({ next }) => next ?? Number.POSITIVE_INFINITY));
  }

  /** The ticks of one moment. */
  async #fire(tick: number): Promise<void> {
    const { broker, names } = this.#app;
    const cron = new CronStore(broker, names);
    const pauses = await cron.readPauses();
    for (const plan of this.#plans) {
      if (plan.next !== tick) continue;
      plan.next = plan.schedule.next(tick);
      if (!pauses.has(names.cronPause(plan.stepId))) await cron.fire(plan.stepId, tick);
    }
  }

  /** Has the cron steps run from now on. @throws {MotiaError} `INVALID_VALUE` for a schedule that has no meaning. */
  plan(manifest: Manifest): void {
    this.#plans = manifest.steps.flatMap((step) => {
      if (step.type !== 'cron') return [];
      const schedule = createSchedule(step);
      return [{ stepId: step.id, schedule, next: schedule.next(this.#time.now) }];
    });
  }
}
