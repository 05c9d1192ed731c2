/** What the terminal shows, and whether there is somebody. */
import type { Environment } from '../shared/config.ts';
import { CliError, EXIT } from './cli-error.ts';

/** Columns of what is no terminal. */
const WIDTH = 100;

export function terminal({ color }: Pick<Environment, 'color'>): { width: number; color: boolean } {
  const isTerminal = process.stdout.isTTY === true;
  return { width: (isTerminal && process.stdout.columns) || WIDTH, color: isTerminal && color };
}

/** Questions need a person who can answer them. @throws CliError when they are asked for, and there is none. */
export function asks(interactive: boolean | undefined): boolean {
  const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
  if (interactive && !isTerminal) throw new CliError('--interactive needs a terminal', EXIT.usage);
  return isTerminal;
}
