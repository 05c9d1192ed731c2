/** How lists of what is stored come in pages. */
import { MotiaError } from '../errors.ts';
import type { PageOptions } from '../types.ts';

/** How much a page has at most. */
const MOST_LISTED = 1_000;
const USUALLY_LISTED = 100;

/** @throws {MotiaError} `INVALID_VALUE` for anything but a whole number that a page may have. */
export function toLimit({ limit = USUALLY_LISTED }: PageOptions): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= MOST_LISTED) return limit;
  throw new MotiaError('INVALID_VALUE', `a list has a limit from 1 to ${MOST_LISTED}`);
}

/** The revision after which a page of entries begins. @throws {MotiaError} `INVALID_VALUE` for what no page has as its `next`. */
export function toPosition({ after = '0' }: PageOptions): number {
  if (typeof after === 'string' && /^\d{1,15}$/.test(after)) return Number(after);
  throw new MotiaError('INVALID_VALUE', '`after` is the `next` of the page before');
}
