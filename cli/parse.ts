/** The command line: what is asked for, and what is said about what makes no sense. */
import yargs from 'yargs';
import { ownPackage } from '../shared/package-root.ts';
import { CliError, EXIT } from './cli-error.ts';
import { COMMANDS } from './command-list.ts';
import type { Flags } from './options.ts';

/** Also what a container says that was given no role. */
const WHICH_COMMAND = `Which command?
  motia dev                                        on your machine: everything, with steps reloaded as they are saved
  motia start                                      everything on one machine, for production
  motia gateway, worker, python-worker, scheduler  one role each, for several machines: they need NATS_URL, and motia provision
                                                   before the first of them`;

/** @returns the exit code. @throws CliError when the command line makes no sense. */
export async function runCommand(args: readonly string[]): Promise<number> {
  const run = await parseCommand(args);
  return run ? run() : 0;
}

/** @returns what runs the command; nothing where help was asked for and given. @throws CliError as {@link runCommand}. */
export async function parseCommand(args: readonly string[]): Promise<(() => Promise<number>) | undefined> {
  let chosen: (() => Promise<number>) | undefined;
  const parser = yargs([...args])
    .scriptName('motia')
    .usage('$0 <command> [options]')
    .version(ownPackage().version)
    .alias('version', 'V')
    .alias('help', 'h')
    .strictCommands()
    .strict()
    .recommendCommands()
    .demandCommand(1, WHICH_COMMAND)
    .exitProcess(false)
    .showHelpOnFail(false)
    .fail((message, error) => {
      throw new CliError(`${message ?? error.message}\nTry motia --help`, EXIT.usage);
    });
  for (const [name, { describe, options, examples, load }] of Object.entries(COMMANDS)) {
    parser.command(
      name,
      describe,
      (command) => command.options(options).example(examples.map(([line, does]) => [line, does] as [string, string])),
      (flags) => {
        chosen = async () => (await load())(flags as Flags);
      },
    );
  }
  parser.completion('completion', 'Print a script that completes commands and flags in your shell');
  await parser.parseAsync();
  return chosen;
}
