/** What people do with cron steps: see how they are, have them run now, pause and resume them. */
import { MotiaError } from '../errors.ts';
import type { Names } from '../protocol/subjects.ts';
import { createSchedule } from '../schedule.ts';
import type { StepEntry } from '../steps/manifest.ts';
import type { Broker } from './connect.ts';
import { type CronRun, CronStore } from './cron-store.ts';
import { readManifest } from './manifest-store.ts';

/** A cron step as people see it. Times are ISO 8601 in UTC. */
export interface CronStatus {
  /** Its id. */
  step: string;
  cron: string;
  timezone: string;
  paused: boolean;
  /** Absent while it is paused, or if there is none. */
  next?: string;
  /** The run that began last. */
  last?: {
    /** The time that it stood for. */
    tick: string;
    manual: boolean;
    outcome: 'running' | 'succeeded' | 'failed';
    startedAt: string;
    endedAt?: string;
  };
}

export class CronAdmin {
  readonly #broker: Broker;
  readonly #names: Names;
  readonly #cron: CronStore;

  constructor(broker: Broker, names: Names) {
    this.#broker = broker;
    this.#names = names;
    this.#cron = new CronStore(broker, names);
  }

  async list(): Promise<CronStatus[]> {
    const [steps, pauses, records] = await Promise.all([
      this.#steps(),
      this.#cron.readPauses(),
      this.#cron.readRecords(),
    ]);
    return steps.map((step) => {
      const paused = pauses.has(this.#names.cronPause(step.id));
      const { timezone, next } = plan(step);
      const runs = records.get(this.#names.cronRuns(step.id)) ?? [];
      const last = runs.reduce<CronRun | undefined>((a, b) => (a && a.startedAt > b.startedAt ? a : b), undefined);
      return {
        step: step.id,
        cron: step.cron ?? '',
        timezone,
        paused,
        ...(!paused && next !== undefined && { next: iso(next) }),
        ...(last && { last: describe(last) }),
      };
    });
  }

  /** Has a step run as soon as a worker is free, paused or not. @throws {MotiaError} `UNKNOWN_STEP`, `STORE_FULL` */
  async trigger(stepId: string): Promise<void> {
    await this.#assertKnown(stepId);
    await this.#cron.trigger(stepId);
  }

  /** Its ticks do not run until it is resumed, and are not made up for. @throws {MotiaError} `UNKNOWN_STEP` */
  async pause(stepId: string): Promise<void> {
    await this.#assertKnown(stepId);
    await this.#cron.pause(stepId);
  }

  /** @throws {MotiaError} `UNKNOWN_STEP` */
  async resume(stepId: string): Promise<void> {
    await this.#assertKnown(stepId);
    await this.#cron.resume(stepId);
  }

  async #assertKnown(stepId: string): Promise<void> {
    const ids = (await this.#steps()).map(({ id }) => id);
    if (ids.includes(stepId)) return;
    const known = ids.length === 0 ? 'this app has none' : `there are ${ids.join(', ')}`;
    throw new MotiaError('UNKNOWN_STEP', `there is no cron step "${stepId}": ${known}`);
  }

  async #steps(): Promise<StepEntry[]> {
    const manifest = await readManifest(this.#broker, this.#names);
    return manifest?.steps.filter(({ type }) => type === 'cron') ?? [];
  }
}

function plan(step: StepEntry): { timezone: string; next?: number | undefined } {
  try {
    const { timezone, next } = createSchedule(step);
    return { timezone, next: next(Date.now()) };
  } catch {
    return { timezone: step.timezone ?? '' }; // the scheduler tells why it does not run
  }
}

function describe(run: CronRun): CronStatus['last'] {
  const { tick, manual, startedAt, endedAt } = run;
  const outcome = run.outcome ?? 'running';
  const ended = endedAt === undefined ? {} : { endedAt: iso(endedAt) };
  return { tick: iso(tick), manual, outcome, startedAt: iso(startedAt), ...ended };
}

const iso = (ms: number) => new Date(ms).toISOString();
