/** What standard output shows. */
import type { Environment } from '../shared/config.ts';

/** Columns of what is no terminal. */
const WIDTH = 100;

export function terminal({ color }: Pick<Environment, 'color'>): { width: number; color: boolean } {
  const isTerminal = process.stdout.isTTY === true;
  return { width: (isTerminal && process.stdout.columns) || WIDTH, color: isTerminal && color };
}
