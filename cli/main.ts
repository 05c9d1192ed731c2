#!/usr/bin/env node
/** The `motia` program. Exit codes: 0 ok, 1 failed, 2 wrong usage or already running. */
import { MotiaError } from '../shared/errors.ts';
import { CliError, EXIT } from './cli-error.ts';
import { preloadNodeWorker } from './node-worker.ts';

async function main(args: readonly string[]): Promise<number> {
  if (args.length === 1 && /^(version|--version|-V)$/.test(String(args[0]))) {
    const { version } = await import('./commands/version.ts'); // without the 80 ms that the parser takes to load
    return version();
  }
  if (/^(dev|start)$/.test(String(args[0]))) preloadNodeWorker();
  const { runCommand } = await import('./parse.ts');
  return runCommand(args);
}

function report(error: unknown): number {
  if (error instanceof CliError) {
    console.error(error.message);
    return error.exitCode;
  }
  // Errors of the catalogue tell a person what to do; of any other one the stack is the best there is.
  console.error(error instanceof MotiaError ? error.message : error);
  return EXIT.failed;
}

process.exit(await main(process.argv.slice(2)).catch(report));
