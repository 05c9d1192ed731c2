/** What the query of a request to the admin API says. */
import { MotiaError } from '../../shared/errors.ts';
import { toTime } from '../../shared/time-text.ts';
import type { PageOptions } from '../../shared/types.ts';

export interface Query {
  Querystring: Record<string, unknown>;
}

/** Which page of a list is wanted. @throws as {@link textOf} and {@link numberOf}. */
export const pageOf = (query: Record<string, unknown>): PageOptions => ({
  limit: numberOf(query, 'limit'),
  after: textOf(query, 'after'),
});

/** @throws {MotiaError} `INVALID_VALUE` for a parameter that comes twice. */
export function textOf(query: Record<string, unknown>, name: string): string | undefined {
  const value = query[name];
  if (value === undefined || typeof value === 'string') return value;
  throw new MotiaError('INVALID_VALUE', `the parameter ${name} is there more than once`);
}

/** A time, as ms since 1970: ISO 8601, or how long ago, as `15m`. @throws {MotiaError} `INVALID_VALUE` for anything else. */
export function timeOf(query: Record<string, unknown>, name: string): number | undefined {
  const text = textOf(query, name);
  return text === undefined ? undefined : toTime(text, `the parameter ${name}`);
}

/** One of these. @throws {MotiaError} `INVALID_VALUE` for anything else. */
export function choiceOf<const Choice extends string>(
  query: Record<string, unknown>,
  name: string,
  choices: readonly Choice[],
): Choice | undefined {
  const text = textOf(query, name);
  const choice = choices.find((one) => one === text);
  if (text !== undefined && choice === undefined) {
    throw new MotiaError('INVALID_VALUE', `the parameter ${name} is one of ${choices.join(', ')}`);
  }
  return choice;
}

/** @throws {MotiaError} `INVALID_VALUE` for anything but a number. */
export function numberOf(query: Record<string, unknown>, name: string): number | undefined {
  const text = textOf(query, name);
  if (text === undefined || /^\d{1,15}$/.test(text)) return text === undefined ? undefined : Number(text);
  throw new MotiaError('INVALID_VALUE', `the parameter ${name} is a whole number`);
}
