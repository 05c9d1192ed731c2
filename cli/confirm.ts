/** Asks before something that cannot be taken back. */
import { createInterface } from 'node:readline/promises';
import { CliError, EXIT } from './cli-error.ts';

/** @throws CliError unless a person or `--yes` says so. */
export async function confirm(question: string, yes: boolean | undefined): Promise<void> {
  if (yes) return;
  if (process.stdin.isTTY !== true) throw new CliError(`${question} Say so with --yes`, EXIT.usage);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`${question} [y/N] `);
  terminal.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new CliError('Nothing was thrown away');
}
