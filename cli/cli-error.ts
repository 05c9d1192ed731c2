/** Errors that end a command with one clear line and no stack. */

/** What the process exits with: 0 when all went well. */
export const EXIT = { failed: 1, usage: 2 } as const;

export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}
