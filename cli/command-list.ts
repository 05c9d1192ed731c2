/** Which commands there are, and which flags they take. */
import type { Options } from 'yargs';
import { LOG_LEVELS } from '../shared/log-levels.ts';
import { TRACE_STATUSES } from '../shared/telemetry-records.ts';
import { common, flag, host, narrowing, part, port, processes, secondsOf, steering, threads } from './flags.ts';
import {
  CRON_ACTIONS,
  DLQ_ACTIONS,
  DOCUMENTS,
  type Flags,
  QUEUE_ACTIONS,
  RULES_ACTIONS,
  SCALES,
  STATE_ACTIONS,
} from './options.ts';

export interface Command {
  describe: string;
  /** Command lines, and what each does. */
  examples?: readonly (readonly [line: string, does: string])[];
  options: Record<string, Options>;
  /** Loads what the command needs, and nothing of the others. */
  load: () => Promise<(flags: Flags) => Promise<number>>;
}

export const COMMANDS: Readonly<Record<string, Command>> = {
  dev: {
    describe: 'Run the project here, and reload steps as their files change',
    examples: [
      ['$0 dev --port 4000', 'On another port'],
      ['$0 dev --mermaid', 'Keep a diagram of each flow'],
    ],
    options: {
      ...{ port, host, threads, processes },
      mermaid: { alias: 'm', type: 'boolean', describe: 'Keep diagrams of the flows in .mermaid/' },
      ...common,
    },
    load: async () => (await import('./commands/dev.ts')).dev,
  },
  start: {
    describe: 'Run the project here, for production',
    examples: [['MOTIA_ADMIN_TOKEN=… $0 start --port 80', 'With the admin API open to whoever has the token']],
    options: { port, host, threads, processes, ...common },
    load: async () => (await import('./commands/start.ts')).start,
  },
  gateway: {
    describe: 'Run the HTTP gateway alone (needs NATS_URL)',
    options: { port, host, ...common },
    load: async () => (await import('./commands/gateway.ts')).gateway,
  },
  worker: {
    describe: 'Run a worker alone (needs NATS_URL)',
    examples: [
      ['$0 worker --topics order.created,order.paid', 'Only events of these topics'],
      ['$0 worker --flows billing --concurrency 50', 'Only the steps of a flow, 50 runs of each at a time'],
    ],
    options: { threads, ...part, ...common },
    load: async () => (await import('./commands/worker.ts')).worker,
  },
  'python-worker': {
    describe: 'Run a worker for the Python steps alone (needs NATS_URL)',
    options: { processes, ...part, ...common },
    load: async () => (await import('./commands/python-worker.ts')).pythonWorker,
  },
  scheduler: {
    describe: 'Fire the cron steps of the project (needs NATS_URL); of several, one leads',
    options: common,
    load: async () => (await import('./commands/scheduler.ts')).scheduler,
  },
  provision: {
    describe: 'Make the broker ready for the steps of the project (needs NATS_URL)',
    examples: [['$0 provision --remove-orphans', 'And take away what steps that are gone have left, if it is empty']],
    options: {
      'remove-orphans': { type: 'boolean', describe: 'Take away consumers of steps that are gone, if they are empty' },
      force: {
        type: 'boolean',
        describe: 'With --remove-orphans: make dead letters of the events that wait in others',
      },
      wait: flag({
        type: 'number',
        describe: 'Only wait, so many seconds at most, until it has been made ready',
        coerce: secondsOf,
      }),
      ...common,
    },
    load: async () => (await import('./commands/provision.ts')).provision,
  },
  'cron <action> [step]': {
    describe: 'List the cron steps, have one run now, pause or resume it',
    examples: [
      ['$0 cron list', 'All schedules'],
      ['$0 cron trigger CleanUp', 'Have one run now'],
    ],
    options: {
      action: { choices: CRON_ACTIONS, describe: 'What to do' },
      step: { type: 'string', describe: 'Name of the step' },
      ...steering,
    },
    load: async () => (await import('./commands/cron.ts')).cron,
  },
  'queue [action] [what]': {
    describe: 'List what waits for event steps, show why, pause and resume steps',
    examples: [
      ['$0 queue', 'All subscriptions'],
      ['$0 queue show Invoice', 'Why the events of a step wait'],
    ],
    options: {
      action: { choices: QUEUE_ACTIONS, default: 'list', describe: 'What to do' },
      what: { type: 'string', describe: 'An event, a step or a topic to show; a step to pause or resume' },
      topic: flag({ type: 'string', describe: 'Pause or resume this topic of the step only' }),
      ...steering,
    },
    load: async () => (await import('./commands/queue.ts')).queue,
  },
  'dlq <action> [id]': {
    describe: 'List the dead letters, show one, have them tried again or throw them away',
    examples: [
      ['$0 dlq list --step Invoice', 'Those of a step'],
      ['$0 dlq retry-all --step Invoice', 'Have them tried again'],
    ],
    options: {
      action: { choices: DLQ_ACTIONS, describe: 'What to do' },
      id: { type: 'string', describe: 'Id of a dead letter' },
      step: flag({ type: 'string', describe: 'Only those of this step' }),
      after: flag({ type: 'string', describe: 'List those after this id' }),
      limit: flag({ type: 'number', describe: 'List so many (default 100)' }),
      yes: { alias: 'y', type: 'boolean', describe: 'Throw away without asking' },
      ...steering,
    },
    load: async () => (await import('./commands/dlq.ts')).dlq,
  },
  'state <action> [group] [key] [value]': {
    describe: 'List the groups of state and their keys, read and change values',
    options: {
      action: { choices: STATE_ACTIONS, describe: 'What to do' },
      group: { type: 'string', describe: 'Group; without one its names are listed' },
      key: { type: 'string', describe: 'Key' },
      value: { type: 'string', describe: 'Value as JSON; without it, or with -, it is read from the input' },
      ttl: flag({ type: 'number', describe: 'Delete the value after so many seconds' }),
      'if-revision': flag({ type: 'number', describe: 'Set it only at this revision; 0: if nothing is there' }),
      after: flag({ type: 'string', describe: 'List those after this position' }),
      limit: flag({ type: 'number', describe: 'List so many (default 100)' }),
      ...steering,
    },
    load: async () => (await import('./commands/state.ts')).state,
  },
  emit: {
    describe: 'Emit an event',
    examples: [[`$0 emit --topic order.created --message '{"id":7}' --delay 60`, 'In a minute']],
    options: {
      topic: flag({ type: 'string', demandOption: true, describe: 'Topic of the event' }),
      message: flag({ type: 'string', demandOption: true, describe: 'Its data, as JSON' }),
      id: flag({ type: 'string', describe: 'Events with the same id are one event, within two minutes' }),
      delay: flag({ type: 'number', describe: 'Deliver it so many seconds later' }),
      group: flag({ type: 'string', describe: 'Message group, for steps that are FIFO' }),
      ...steering,
    },
    load: async () => (await import('./commands/emit.ts')).emit,
  },
  logs: {
    describe: 'Show what all processes of the app have logged',
    options: {
      follow: { alias: 'f', type: 'boolean', describe: 'Go on with what they log from now on' },
      trace: flag({ type: 'string', describe: 'Only of this trace' }),
      level: flag({ choices: LOG_LEVELS, describe: 'Only of this level and above' }),
      ...narrowing,
      ...steering,
    },
    load: async () => (await import('./commands/logs.ts')).logs,
  },
  traces: {
    describe: 'List what the app has done: one line for each request, tick or event from outside',
    options: {
      status: flag({ choices: TRACE_STATUSES, describe: 'Only those that stand so' }),
      ...narrowing,
      ...steering,
    },
    load: async () => (await import('./commands/traces.ts')).traces,
  },
  'trace <id>': {
    describe: 'Show what happened in one trace',
    options: { id: { type: 'string', describe: 'Id of the trace' }, ...steering },
    load: async () => (await import('./commands/trace.ts')).trace,
  },
  'create [name]': {
    describe: 'Make a new project, in a folder of that name',
    options: {
      name: flag({ alias: 'n', type: 'string', describe: 'Name of the project; . is this folder' }),
      template: flag({ alias: 't', type: 'string', describe: 'What to begin with (motia templates)' }),
      interactive: { alias: 'i', type: 'boolean', describe: 'Ask for what is not said (default in a terminal)' },
      cursor: { alias: 'c', type: 'boolean', describe: 'Add rules for coding assistants (motia rules pull)' },
      install: { type: 'boolean', default: true, describe: 'Install the packages; --no-install leaves that to you' },
      motia: flag({ type: 'string', describe: 'Version, path or archive of this package for the project' }),
    },
    load: async () => (await import('./commands/create.ts')).create,
  },
  'generate-types': {
    describe: 'Write types.d.ts: the types of handlers, emits and streams, from the schemas of the project',
    options: { 'motia-dir': common['motia-dir'] },
    load: async () => (await import('./commands/generate-types.ts')).generateTypes,
  },
  'generate <what>': {
    describe: 'Write an OpenAPI document of the API steps, diagrams of the flows, or values for the Helm chart',
    options: {
      what: { choices: DOCUMENTS, describe: 'The document' },
      title: flag({ alias: 't', type: 'string', describe: 'Title of the API (default: name of the package)' }),
      'doc-version': flag({
        alias: 'v',
        type: 'string',
        describe: 'Version of the API (default: that of the package)',
      }),
      'scale-by': flag({ choices: SCALES, describe: 'Of helm-values: what the pods of workers are counted by' }),
      output: flag({
        alias: 'o',
        type: 'string',
        describe: 'File to write (default openapi.json, helm-values.yaml)',
      }),
      'motia-dir': common['motia-dir'],
    },
    load: async () => (await import('./commands/generate.ts')).generate,
  },
  doctor: {
    describe: 'Look at what a start needs here, and say what to do',
    options: { port, host, json: steering.json, 'motia-dir': common['motia-dir'] },
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
  templates: {
    describe: 'List what motia create can begin with',
    options: { json: steering.json },
    load: async () => (await import('./commands/templates.ts')).templates,
  },
  'rules <action>': {
    describe: 'Write files that tell coding assistants how to work with steps',
    options: {
      action: { choices: RULES_ACTIONS, describe: 'What to do' },
      force: { alias: 'f', type: 'boolean', describe: 'Replace files that are there already' },
    },
    load: async () => (await import('./commands/rules.ts')).rules,
  },
  version: {
    describe: 'Print the version',
    options: {},
    load: async () => (await import('./commands/version.ts')).version,
  },
};
