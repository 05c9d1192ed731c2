/** When a cron step is due: the expression's ticks in its time zone, whatever the clocks there do. */
import { createRequire } from 'node:module';
import { MotiaError } from './errors.ts';
import { cronFields, explainCron, explainTimezone } from './steps/cron-expression.ts';
import type { StepEntry } from './steps/manifest.ts';

// Loaded on first use: most projects have no cron steps, and start is what people wait for.
const require = createRequire(import.meta.url);

const HOUR_MS = 60 * 60_000;

export interface Schedule {
  /** IANA name: the step's own, or that of this machine. */
  readonly timezone: string;
  /** The first tick later than `after`, both in ms since 1970; `undefined` if there will be none. */
  next(after: number): number | undefined;
}

/** The schedule of a cron step. @throws {MotiaError} `INVALID_VALUE` that names what is wrong with it. */
export function createSchedule({ cron = '', timezone }: Pick<StepEntry, 'cron' | 'timezone'>): Schedule {
  const zone = timezone ?? new Intl.DateTimeFormat().resolvedOptions().timeZone;
  const wrong = explainCron(cron) ?? explainTimezone(zone);
  if (wrong !== undefined) throw new MotiaError('INVALID_VALUE', wrong);
  const { CronExpressionParser } = require('cron-parser') as typeof import('cron-parser');
  const expression = CronExpressionParser.parse(cronFields(cron).join(' '), { tz: zone });
  const offset = createOffset(zone);
  return {
    timezone: zone,
    next(after) {
      expression.reset(new Date(beforeChange(after, offset)));
      try {
        for (;;) {
          const tick = expression.next().getTime();
          if (tick > after) return tick;
        }
      } catch {
        return undefined; // the library gives up after 10,000 steps: no such day
      }
    },
  };
}

/**
 * Where to begin to find the same ticks as one who never ended. A tick in the hour that clocks put forward leave out comes after
 * it, and one in the hour that comes twice comes once, but only if the library has seen the clocks change: so the hour after
 * that is begun before it.
 */
function beforeChange(after: number, offset: (at: number) => number): number {
  const earlier = after - HOUR_MS;
  if (offset(earlier) === offset(after)) return after;
  let [before, since] = [earlier, after];
  while (since - before > 1) {
    const middle = Math.floor((before + since) / 2);
    if (offset(middle) !== offset(after)) before = middle;
    else since = middle;
  }
  return before;
}

/** Minutes that the clocks of a zone are ahead of UTC. */
function createOffset(timezone: string): (at: number) => number {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: timezone, timeZoneName: 'longOffset' });
  return (at) => {
    const name = format.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value ?? '';
    const [, sign, hours = 0, minutes = 0] = /GMT([+-])(\d+):(\d+)/.exec(name) ?? [];
    return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  };
}
