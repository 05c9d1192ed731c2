/** Which commands there are, and which flags they take. */
import type { Options } from 'yargs';
import { LOG_LEVELS } from '../shared/log-levels.ts';
import { TRACE_STATUSES } from '../shared/telemetry-records.ts';
import {
  code,
  common,
  flag,
  host,
  narrowing,
  newStep,
  part,
  port,
  processes,
  secondsOf,
  steering,
  threads,
} from './flags.ts';
import {
  CRON_ACTIONS,
  DLQ_ACTIONS,
  DOCKER_ACTIONS,
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
  examples: readonly [readonly [line: string, does: string], ...(readonly [line: string, does: string])[]];
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
    options: { port, host, threads, processes, ...code, ...common },
    load: async () => (await import('./commands/start.ts')).start,
  },
  build: {
    describe: 'Compile the project into dist/, to be run from there without its sources',
    examples: [['$0 build && $0 start', 'As production does']],
    options: { 'motia-dir': common['motia-dir'] },
    load: async () => (await import('./commands/build.ts')).build,
  },
  install: {
    describe: 'Install what the Python steps of the project require',
    examples: [['$0 install', 'As postinstall of package.json does']],
    options: { verbose: { alias: 'v', type: 'boolean', describe: 'Show what the installer says' } },
    load: async () => (await import('./commands/install.ts')).install,
  },
  'docker <action>': {
    describe: 'Write a Dockerfile for the project, build its image, run it here',
    examples: [['$0 docker setup && $0 docker run', 'From nothing to a container that serves on port 3000']],
    options: {
      action: { choices: DOCKER_ACTIONS, describe: 'What to do' },
      name: flag({ alias: 'n', type: 'string', describe: 'Name of the image (default: name of the package)' }),
      port,
      'skip-build': { alias: 's', type: 'boolean', describe: 'Run the image as it is' },
      force: { alias: 'f', type: 'boolean', describe: 'Replace files that are there already' },
    },
    load: async () => (await import('./commands/docker.ts')).docker,
  },
  gateway: {
    describe: 'Run the HTTP gateway alone (needs NATS_URL)',
    examples: [['NATS_URL=nats://broker:4222 $0 gateway --port 80', 'On port 80']],
    options: { port, host, ...common },
    load: async () => (await import('./commands/gateway.ts')).gateway,
  },
  worker: {
    describe: 'Run a worker alone (needs NATS_URL)',
    examples: [
      ['$0 worker --topics order.created,order.paid', 'Only events of these topics'],
      ['$0 worker --flows billing --concurrency 50', 'Only the steps of a flow, 50 runs of each at a time'],
    ],
    options: { threads, ...part, ...code, ...common },
    load: async () => (await import('./commands/worker.ts')).worker,
  },
  'python-worker': {
    describe: 'Run a worker for the Python steps alone (needs NATS_URL)',
    examples: [['$0 python-worker --processes 4', 'With four handler processes']],
    options: { processes, ...part, ...code, ...common },
    load: async () => (await import('./commands/python-worker.ts')).pythonWorker,
  },
  scheduler: {
    describe: 'Fire the cron steps of the project (needs NATS_URL); of several, one leads',
    examples: [['NATS_URL=nats://broker:4222 $0 scheduler', 'Leads, or stands by']],
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
      keep: {
        type: 'boolean',
        describe: 'Stay, make again what a restarted broker has lost, and take away what is not used any more',
      },
      ...code,
      ...common,
    },
    load: async () => (await import('./commands/provision.ts')).provision,
  },
  'nats-config': {
    describe: 'Write the configuration of a broker on which each role may do what the steps need, and nothing else',
    examples: [
      ['$0 nats-config', 'Into nats/: a user for each role, with a key of its own'],
      ['$0 nats-config --group mail=topics:mail.asked --group rest=flows:shop', 'A user for each group of workers'],
      ['$0 nats-config --values values.yaml', 'A user for each Deployment of the Helm chart'],
    ],
    options: {
      out: flag({ alias: 'o', type: 'string', describe: 'Folder to write to (default nats)' }),
      groups: flag({
        alias: 'group',
        type: 'string',
        array: true,
        nargs: 1,
        describe: 'A group of workers, and the steps, topics or flows that it takes',
      }),
      values: flag({
        type: 'string',
        array: true,
        nargs: 1,
        describe: 'Values of the Helm chart: its groups of workers, app and admin API (several times, as for helm)',
      }),
      'admin-api': { type: 'boolean', describe: 'The gateways serve the admin API' },
      keep: {
        type: 'boolean',
        describe: 'Take back nothing that is allowed already: for while two versions of the app run',
      },
      'tls-cert': flag({ type: 'string', describe: "TLS with this certificate of the server's (PEM)" }),
      'tls-key': flag({ type: 'string', describe: 'And its key' }),
      'tls-ca': flag({ type: 'string', describe: 'Clients have to show a certificate of this authority' }),
      force: { alias: 'f', type: 'boolean', describe: 'Replace nats.conf too' },
      'motia-dir': common['motia-dir'],
    },
    load: async () => (await import('./commands/nats-config.ts')).natsConfig,
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
    examples: [
      ['$0 state list orders', 'Keys and values of a group'],
      [`$0 state set orders 7 '{"total":12}' --ttl 3600`, 'For an hour'],
      ['$0 state clear orders', 'Throw away all values of a group'],
    ],
    options: {
      action: { choices: STATE_ACTIONS, describe: 'What to do' },
      group: { type: 'string', describe: 'Group; without one its names are listed' },
      key: { type: 'string', describe: 'Key' },
      value: { type: 'string', describe: 'Value as JSON; without it, or with -, it is read from the input' },
      ttl: flag({ type: 'number', describe: 'Delete the value after so many seconds' }),
      'if-revision': flag({ type: 'number', describe: 'Set it only at this revision; 0: if nothing is there' }),
      yes: { alias: 'y', type: 'boolean', describe: 'Clear without asking' },
      after: flag({ type: 'string', describe: 'List those after this position' }),
      limit: flag({ type: 'number', describe: 'List so many (default 100)' }),
      ...steering,
    },
    load: async () => (await import('./commands/state.ts')).state,
  },
  'backup [file]': {
    describe: 'Save state, items of realtime streams and dead letters in a file, while the app goes on',
    examples: [['$0 backup nightly.gz', 'To be put back by: $0 restore nightly.gz']],
    options: { file: { type: 'string', describe: 'File to write (default: name of the app and time)' }, ...steering },
    load: async () => (await import('./commands/backup.ts')).backup,
  },
  'restore <file>': {
    describe: 'Put back what motia backup has saved, and leave alone what is there',
    examples: [['$0 restore nightly.gz --replace', 'And have its values replace those that are there']],
    options: {
      file: { type: 'string', describe: 'File that motia backup has written' },
      replace: { type: 'boolean', describe: 'Replace values and items that are there by those of the file' },
      ...steering,
    },
    load: async () => (await import('./commands/restore.ts')).restore,
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
    examples: [
      ['$0 logs --follow --level warn', 'Warnings and errors, as they come'],
      ['$0 logs --step Invoice --since 15m', 'What a step has logged in the last quarter of an hour'],
    ],
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
    examples: [['$0 traces --status failed --since 2h', 'What has failed in the last two hours']],
    options: {
      status: flag({ choices: TRACE_STATUSES, describe: 'Only those that stand so' }),
      ...narrowing,
      ...steering,
    },
    load: async () => (await import('./commands/traces.ts')).traces,
  },
  'trace <id>': {
    describe: 'Show what happened in one trace',
    examples: [['$0 trace 01a2166b39f72b1f98ccd6e45eaccb35', 'As a tree, over all processes and languages']],
    options: { id: { type: 'string', describe: 'Id of the trace' }, ...steering },
    load: async () => (await import('./commands/trace.ts')).trace,
  },
  'create [name]': {
    describe: 'Make a new project, in a folder of that name',
    examples: [
      ['$0 create shop', 'Asks for a template'],
      ['$0 create shop --template starter-multilang --no-install', 'Without questions'],
    ],
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
    examples: [['$0 generate-types', 'Writes types.d.ts in the project']],
    options: { 'motia-dir': common['motia-dir'] },
    load: async () => (await import('./commands/generate-types.ts')).generateTypes,
  },
  'generate <what>': {
    describe:
      'Write an OpenAPI document of the API steps, diagrams of the flows, values for the Helm chart, or a new step',
    examples: [
      ['$0 generate step', 'Asks what it is to be'],
      ['$0 generate step --name Ship --type event --subscribes order.paid --language python', 'Without questions'],
    ],
    options: {
      what: { choices: DOCUMENTS, describe: 'The document, or a step' },
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
      ...newStep,
      'motia-dir': common['motia-dir'],
    },
    load: async () => (await import('./commands/generate.ts')).generate,
  },
  doctor: {
    describe: 'Look at what a start needs here, and say what to do',
    examples: [['sudo $0 doctor --power-cut', 'And how many acknowledged writes a power cut would cost on this disk']],
    options: {
      ...{ port, host, json: steering.json, 'motia-dir': common['motia-dir'] },
      'power-cut': {
        type: 'boolean',
        describe: 'Measure what a power cut would cost, with either setting of the broker',
      },
    },
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
  templates: {
    describe: 'List what motia create can begin with',
    examples: [['$0 templates --json', 'For programs']],
    options: { json: steering.json },
    load: async () => (await import('./commands/templates.ts')).templates,
  },
  'rules <action>': {
    describe: 'Write files that tell coding assistants how to work with steps',
    examples: [['$0 rules pull --force', 'And replace those that are there']],
    options: {
      action: { choices: RULES_ACTIONS, describe: 'What to do' },
      force: { alias: 'f', type: 'boolean', describe: 'Replace files that are there already' },
    },
    load: async () => (await import('./commands/rules.ts')).rules,
  },
  'pytest [args..]': {
    describe: 'Run Python tests, with the fixtures of the test kit',
    examples: [['$0 pytest -- -x tests', 'What follows -- goes to pytest']],
    options: { args: { type: 'string', array: true, describe: 'Arguments of pytest' } },
    load: async () => (await import('./commands/pytest.ts')).pytest,
  },
  version: {
    describe: 'Print the version',
    examples: [['$0 version', 'The same as --version']],
    options: {},
    load: async () => (await import('./commands/version.ts')).version,
  },
};
