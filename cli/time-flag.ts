/** Times on the command line. */
import { toTime } from '../shared/time-text.ts';
import { CliError, EXIT } from './cli-error.ts';

/** Ms since 1970. @throws CliError for what is no time. */
export function timeFlag(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  try {
    return toTime(text, `--${name}`);
  } catch (error) {
    throw new CliError((error as Error).message, EXIT.usage);
  }
}
