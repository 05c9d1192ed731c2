/** Lengths of time as people write them in tests: `'90s'`, `'1h 30m'`, or milliseconds. */
import { MotiaError } from '../shared/errors.ts';

const UNITS_MS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const PART = /(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)/g;

/** Milliseconds. @throws {MotiaError} `INVALID_VALUE` */
export function toMilliseconds(duration: string | number): number {
  if (typeof duration === 'number' && duration >= 0 && Number.isFinite(duration)) return duration;
  const text = String(duration);
  const isWhole = text.trim() !== '' && text.replace(PART, '').trim() === '';
  if (typeof duration === 'string' && isWhole) {
    return [...text.matchAll(PART)].reduce(
      (sum, [, count, unit]) => sum + Number(count) * (UNITS_MS[String(unit)] ?? 0),
      0,
    );
  }
  throw new MotiaError(
    'INVALID_VALUE',
    `"${text}" is no length of time: write it as '500ms', '90s', '1h 30m', '2d', or in milliseconds`,
  );
}
