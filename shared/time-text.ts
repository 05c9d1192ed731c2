/** Times as people write them. */
import { MotiaError } from './errors.ts';

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Ms since 1970 of a time in ISO 8601, or of so long ago: `90s`, `15m`, `2h`, `1d`.
 * @param what it is, for whoever got it wrong.
 * @throws {MotiaError} `INVALID_VALUE`
 */
export function toTime(text: string, what: string, now = Date.now()): number {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const time = count === undefined ? isoTime(text) : now - Number(count) * (UNITS[unit] as number);
  if (time === undefined || time < 0) {
    throw new MotiaError('INVALID_VALUE', `${what} is a time as 2030-01-31T12:00:00Z, or how long ago, as 15m`);
  }
  return time;
}

function isoTime(text: string): number | undefined {
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}
