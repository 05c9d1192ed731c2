/** Fires the ticks of an app's cron steps while it leads. */
import type pino from 'pino';
import type { CronPosition, CronStore } from '../shared/broker/cron-store.ts';
import { MotiaError } from '../shared/errors.ts';
import type { Counter, Metrics } from '../shared/metrics/metrics.ts';
import type { Names } from '../shared/protocol/subjects.ts';
import { createSchedule, type Schedule } from '../shared/schedule.ts';
import { hasSeventhField } from '../shared/steps/cron-expression.ts';
import type { Manifest, StepEntry } from '../shared/steps/manifest.ts';
import type { Leader } from './leader.ts';
import { type DueTicks, dueTicks, MOST_COUNTED } from './ticks.ts';

/** Longest sleep between two rounds: a clock that was set, a new leader or a new step is noticed then. */
const LONGEST_SLEEP_MS = 250;

const TICK_OUTCOMES = ['fired', 'missed', 'refused'] as const;

interface Planned {
  step: StepEntry & { cron: string };
  schedule: Schedule;
}

/** How far a step has come, and its first tick after that. */
interface Place {
  position: CronPosition;
  revision: number;
  next: number | undefined;
}

export class Scheduler {
  readonly #names: Names;
  readonly #cron: CronStore;
  readonly #leader: Leader;
  readonly #log: pino.Logger;
  readonly #metrics: Metrics;
  /** Cron steps by the key of their position; `undefined` before the first manifest. */
  #planned: Map<string, Planned> | undefined;
  #places = new Map<string, Place>();
  /** The leader's term in which the places were read. */
  #term = 0;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();
  #stopped = false;
  readonly #told = new Set<string>();
  /** Steps of which no more ticks may wait. */
  readonly #full = new Set<string>();

  constructor(services: { names: Names; cron: CronStore; leader: Leader; log: pino.Logger; metrics: Metrics }) {
    this.#names = services.names;
    this.#cron = services.cron;
    this.#leader = services.leader;
    this.#log = services.log;
    this.#metrics = services.metrics;
  }

  /** Fires the cron steps of this manifest from now on. */
  serve({ steps }: Manifest): void {
    const planned = new Map<string, Planned>();
    for (const step of steps) {
      if (step.type !== 'cron' || step.cron === undefined) continue;
      try {
        const schedule = createSchedule(step);
        for (const outcome of TICK_OUTCOMES) this.#ticks(step, outcome); // a rise from nothing to one is not seen as a rise
        planned.set(this.#names.cronPosition(step.id), { step: { ...step, cron: step.cron }, schedule });
        if (hasSeventhField(step.cron)) this.#warnOnce(step, `the seventh field of "${step.cron}" has no meaning`);
      } catch (error) {
        this.#warnOnce(step, `${step.name} will not run: ${(error as Error).message}`);
      }
    }
    this.#planned = planned;
    this.#full.clear();
  }

  start(): void {
    this.#round = this.#haveRound()
      .catch((error) => {
        this.#log.warn({ action: 'schedule_failed', err: error }, 'Ticks could not be fired; trying again');
        return LONGEST_SLEEP_MS;
      })
      .then((sleepMs) => {
        if (!this.#stopped) this.#timer = setTimeout(() => this.start(), sleepMs);
      });
  }

  /** Ends after the round that goes on. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#round;
  }

  /** Fires what is due. @returns milliseconds until the next round. */
  async #haveRound(): Promise<number> {
    const planned = this.#planned;
    if (!planned || !this.#leader.leads()) return LONGEST_SLEEP_MS;
    await this.#readPlaces(planned);
    const due = [...planned].filter(([key]) => this.#nextOf(key) <= Date.now());
    if (due.length > 0) {
      const pauses = await this.#cron.readPauses(); // now, so that a pause counts from the moment it is stored
      for (const [key, plan] of due) {
        if (!this.#leader.leads()) return 0;
        await this.#fireDue(key, plan, pauses.has(this.#names.cronPause(plan.step.id)));
      }
    }
    if (this.#full.size > 0) return LONGEST_SLEEP_MS; // there may be room by then
    const next = Math.min(...[...planned.keys()].map((key) => this.#nextOf(key)));
    return Math.min(LONGEST_SLEEP_MS, Math.max(0, next - Date.now()));
  }

  /** Once for each term: another leader may have gone on meanwhile. */
  async #readPlaces(planned: Map<string, Planned>): Promise<void> {
    const { term } = this.#leader;
    if (term !== this.#term) {
      this.#places.clear();
      for (const [key, { revision, ...position }] of await this.#cron.readPositions()) {
        const next = planned.get(key)?.schedule.next(position.tick);
        this.#places.set(key, { position, revision, next });
      }
      this.#term = term;
    }
    for (const key of [...this.#places.keys()]) {
      if (planned.has(key) || !this.#leader.leads()) continue;
      this.#places.delete(key); // should the step come back, it begins anew
      await this.#cron.removePosition(key);
    }
    for (const [key, plan] of planned) {
      const { position, revision = 0 } = this.#places.get(key) ?? {};
      const { cron, timezone } = plan.step;
      if (position?.cron === cron && position.timezone === timezone) continue;
      await this.#moveTo(key, plan, Date.now(), revision); // a new step, or a new schedule
    }
  }

  #nextOf(key: string): number {
    return this.#places.get(key)?.next ?? Number.POSITIVE_INFINITY;
  }

  async #fireDue(key: string, plan: Planned, paused: boolean): Promise<void> {
    const { step, schedule } = plan;
    const place = this.#places.get(key);
    if (!place) return;
    const { position, revision } = place;
    const due = dueTicks(schedule, position.tick, Date.now(), step.missed ?? 'skip');
    if (paused) {
      this.#full.delete(step.id);
      await this.#moveTo(key, plan, due.position, revision);
      return;
    }
    this.#tellMissed(step, due);
    let reached = due.position;
    for (const [index, tick] of due.fire.entries()) {
      if (!this.#leader.leads()) return; // whoever leads now begins at the position that is stored
      if (await this.#fire(step, tick)) continue;
      if (step.missed !== 'catchUp') continue;
      reached = due.fire[index - 1] ?? position.tick; // all of them are to run: tried again when there is room
      break;
    }
    if (reached !== position.tick) await this.#moveTo(key, plan, reached, revision);
  }

  /** @returns whether the broker had room for it. */
  async #fire(step: StepEntry, tick: number): Promise<boolean> {
    try {
      await this.#cron.fire(step.id, tick);
      this.#ticks(step, 'fired').value++;
      this.#metrics.histogram('motia_cron_lateness_seconds', step.id).add(Math.max(0, Date.now() - tick) / 1_000);
      this.#full.delete(step.id);
      return true;
    } catch (error) {
      if (!(error instanceof MotiaError) || error.code !== 'STORE_FULL') throw error;
      if (!this.#full.has(step.id)) {
        this.#log.warn(
          { action: 'tick_refused', step: step.name, tick },
          `${step.name}: as many ticks wait for a worker as may, and no more are fired until it takes some`,
        );
      }
      this.#full.add(step.id);
      if (step.missed !== 'catchUp') this.#ticks(step, 'refused').value++; // otherwise it is tried again
      return false;
    }
  }

  /** Stores how far a step has come. The position of another leader is left alone. */
  async #moveTo(key: string, { step, schedule }: Planned, tick: number, revision: number): Promise<void> {
    const { id, cron, timezone } = step;
    const position: CronPosition = { tick, cron, ...(timezone !== undefined && { timezone }) };
    const replaced = await this.#cron.replacePosition(id, position, revision);
    if (replaced !== undefined) this.#places.set(key, { position, revision: replaced, next: schedule.next(tick) });
    else this.#leader.stepDown();
  }

  #tellMissed(step: StepEntry, { missed, fire }: DueTicks): void {
    const [first] = fire;
    if (missed) {
      this.#ticks(step, 'missed').value += missed.count;
      this.#log.warn(
        { action: 'ticks_missed', step: step.name, count: missed.count, first: missed.first },
        `${step.name} has missed ${missed.count === MOST_COUNTED ? `${MOST_COUNTED} or more` : missed.count} ticks since ${new Date(missed.first).toISOString()}, which are left out`,
      );
    } else if (first !== undefined && fire.length > 1) {
      this.#log.info(
        { action: 'ticks_late', step: step.name, count: fire.length, first },
        `${step.name}: ${fire.length} ticks since ${new Date(first).toISOString()} are fired now`,
      );
    }
  }

  #ticks(step: StepEntry, outcome: (typeof TICK_OUTCOMES)[number]): Counter {
    return this.#metrics.counter('motia_cron_ticks_total', step.id, outcome);
  }

  #warnOnce({ file, cron, timezone }: StepEntry, message: string): void {
    const text = `${file}: ${message}`;
    if (this.#told.has(text)) return;
    this.#told.add(text);
    this.#log.warn({ action: 'schedule_odd', file, cron, timezone }, text);
  }
}
