/** The flags that several commands have, and what their values may be. */
import type { Options } from 'yargs';
import { MOST_CONCURRENCY, toNames } from '../shared/config.ts';
import { CliError, EXIT } from './cli-error.ts';
import { LANGUAGES, STEP_TYPES } from './generate/step-file.ts';

export const port = flag({
  alias: 'p',
  type: 'number',
  describe: 'Port to serve on (default 3000)',
  coerce: portNumber,
});
export const host = flag({ alias: 'H', type: 'string', describe: 'Address to serve on' });
export const threads = flag({
  type: 'number',
  describe: 'Handler threads of the worker (default 2)',
  coerce: threadCount,
});
export const processes = flag({
  type: 'number',
  describe: 'Handler processes of the Python worker (default 1)',
  coerce: processCount,
});
/** What a worker takes of the app. */
export const part = {
  steps: flag({ type: 'string', describe: 'Take only these steps (names, with commas)', coerce: nameList('--steps') }),
  topics: flag({ type: 'string', describe: 'Take only events of these topics', coerce: nameList('--topics') }),
  flows: flag({ type: 'string', describe: 'Take only the steps of these flows', coerce: nameList('--flows') }),
  concurrency: flag({
    type: 'number',
    describe: 'Runs at a time of an event step that says nothing about it (default 10)',
    coerce: concurrencyOf,
  }),
};
/** Of commands that run steps, or make ready for them. */
export const code = {
  dist: {
    type: 'boolean',
    describe: 'Run what motia build has made (default, if it is there); --no-dist runs the sources',
  },
} as const satisfies Record<string, Options>;
export const common = {
  'motia-dir': flag({ type: 'string', describe: "Folder for the framework's own files (default .motia)" }),
  debug: { alias: 'd', type: 'boolean', describe: 'Log debug messages too' },
  'disable-verbose': { alias: 'v', type: 'boolean', describe: 'Hide the fields of log messages' },
} as const satisfies Record<string, Options>;

/** Of commands that look at a running app. */
export const steering = {
  json: { type: 'boolean', describe: 'Print JSON' },
  'motia-dir': common['motia-dir'],
} as const satisfies Record<string, Options>;

/** Of commands that list what was recorded. */
export const narrowing = {
  step: flag({ type: 'string', describe: 'Only of this step' }),
  flow: flag({ type: 'string', describe: 'Only of this flow' }),
  text: flag({ type: 'string', describe: 'Only with this text in it' }),
  since: flag({ type: 'string', describe: 'From this time on: 2030-01-31T12:00:00Z, or how long ago, as 15m' }),
  until: flag({ type: 'string', describe: 'Until this time' }),
  limit: flag({ type: 'number', describe: 'Show so many, the newest', coerce: limitOf }),
};

/** Of `motia generate step`. */
export const newStep = Object.fromEntries(
  Object.entries({
    name: flag({ alias: 'n', type: 'string', describe: 'Name of the step' }),
    type: flag({ choices: STEP_TYPES, describe: 'Kind of step' }),
    language: flag({ alias: 'l', choices: LANGUAGES, describe: 'Language (default: that of the project)' }),
    dir: flag({ alias: 'd', type: 'string', describe: 'Folder in src/' }),
    description: flag({ type: 'string', describe: 'What the step does' }),
    method: flag({ type: 'string', describe: 'Of an API step (default GET)' }),
    path: flag({ type: 'string', describe: 'Of an API step, as /orders/:id' }),
    cron: flag({ type: 'string', describe: 'Of a cron step, as "0 9 * * 1-5"' }),
    subscribes: flag({ type: 'string', describe: 'Topics it handles, with commas', coerce: nameList('--subscribes') }),
    emits: flag({ type: 'string', describe: 'Topics it emits, with commas', coerce: nameList('--emits') }),
    flows: flag({ type: 'string', describe: 'Flows it belongs to, with commas', coerce: nameList('--flows') }),
    interactive: { alias: 'i', type: 'boolean', describe: 'Ask for what is not said' } as Options,
  }).map(([name, options]) => [name, { ...options, group: 'Of a new step:' }]),
);

/** A flag that takes one value. */
export function flag(options: Options): Options {
  return { ...options, requiresArg: true };
}

function portNumber(value: unknown): number {
  return wholeNumber('--port', value, 0, 65_535);
}

function threadCount(value: unknown): number {
  return wholeNumber('--threads', value, 1, 64);
}

function processCount(value: unknown): number {
  return wholeNumber('--processes', value, 1, 32);
}

function concurrencyOf(value: unknown): number {
  return wholeNumber('--concurrency', value, 1, MOST_CONCURRENCY);
}

export function secondsOf(value: unknown): number {
  return wholeNumber('--wait', value, 1, 86_400);
}

function limitOf(value: unknown): number {
  return wholeNumber('--limit', value, 1, 10_000);
}

/** A flag that may be given several times, each with several names. */
function nameList(name: string): (value: string | string[]) => string[] {
  return (value) => {
    const names = [value].flat().flatMap(toNames);
    if (names.length > 0) return names;
    throw new CliError(`${name} takes one name or several, with commas between them`, EXIT.usage);
  };
}

function wholeNumber(name: string, value: unknown, min: number, max: number): number {
  if (Number.isInteger(value) && Number(value) >= min && Number(value) <= max) return Number(value);
  throw new CliError(`${name} takes one whole number from ${min} to ${max}`, EXIT.usage);
}
