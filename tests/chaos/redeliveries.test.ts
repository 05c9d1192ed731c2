/**
 * What runs that are had again emit twice: 10,000 are killed after their emits and before their acks, in both languages. Prints the table of
 * docs/events.md.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { AckPolicy, jetstream } from '@nats-io/jetstream';
import { expect, test } from 'vitest';
import { type Broker, connectBroker } from '../../shared/broker/connect.ts';
import { createNames } from '../../shared/protocol/subjects.ts';
import { startNatsServer } from '../../testing/nats-server.ts';
import { type Command, startCli } from '../helpers/cli.ts';
import { createProject } from '../helpers/project.ts';
import { pythonEnvironment } from '../helpers/python.ts';
import { waitFor } from '../helpers/wait-for.ts';

const LANGUAGES = ['node', 'python'];
/** Whether a run that is had again emits the same data. */
const KINDS = ['same', 'changing'];
/** How the broker knows what is the same event: by its content, or by the id that the emit gives. */
const COPIES = ['', '.id'];
/** Events of each kind before each kill: both languages have runs of them. */
const EVENTS = 1_250;
const RUNS = EVENTS * KINDS.length * LANGUAGES.length;
/** The broker forgets an id after two minutes, and looks for such ids now and then. */
const PAST_WINDOW_MS = 130_000;

const names = createNames('redeliveries');
const topics = LANGUAGES.flatMap((language) =>
  KINDS.flatMap((kind) => COPIES.map((copy) => `${language}.${kind}${copy}`)),
);

test('10,000 runs that are had again: what they emit twice', { timeout: 600_000 }, async (context) => {
  const { MOTIA_PYTHON } = await pythonEnvironment(context);
  await using project = await createProject({
    copyOf: fileURLToPath(new URL('./fixtures/redeliveries', import.meta.url)),
    files: { record: '' },
  });
  await using server = await startNatsServer();
  const env = { NATS_URL: server.url, RECORD_FILE: project.path('record'), MOTIA_PYTHON };
  const provision = await startCli('provision', project, { env, ready: false });
  if ((await provision.exited) !== 0) throw new Error(provision.output());
  const broker = await connectBroker({ servers: server.url }, { name: 'test' });
  await keepCopies(broker);

  const startWorkers = (more: Record<string, string> = {}) =>
    Promise.all(
      (['worker', 'python-worker'] as Command[]).map((role) => startCli(role, project, { env: { ...env, ...more } })),
    );
  const runs = async () => (await project.read('record')).split('\n').length - 1;

  /** Has every event of a round run twice. @returns how many of the copies of each topic are doubles */
  const round = async (name: string, pauseMs: number): Promise<Record<string, number>> => {
    const [runsBefore, copiesBefore] = [await runs(), await countCopies(broker)];
    const victims = await startWorkers({ NEVER_END: '1', MOTIA_THREADS: '4', MOTIA_PROCESSES: '4' });
    for (const kind of KINDS) {
      const events = Array.from({ length: EVENTS }, (_, n) => JSON.stringify({ id: `${name}.${kind}.${n}`, kind }));
      await Promise.all(events.map((event) => jetstream(broker.nc).publish(names.event('relay'), event)));
    }
    const ran = (times: number) => async () => (await runs()) >= runsBefore + times * RUNS;
    await waitFor(ran(1), { what: 'every run to have emitted', within: 60_000, every: 100 });
    await Promise.all(victims.map((victim) => victim.stop('SIGKILL')));
    await sleep(pauseMs);
    const successors = await startWorkers();
    await waitFor(ran(2), { what: 'every run to be had again', within: 60_000, every: 100 });
    await Promise.all(successors.map((successor) => successor.stop()));
    expect(await runs(), 'runs').toBe(runsBefore + 2 * RUNS);
    const copies = await countCopies(broker);
    return Object.fromEntries(topics.map((topic) => [topic, of(copies, topic) - of(copiesBefore, topic) - EVENTS]));
  };
  const within = await round('within', 0);
  const past = await round('past', PAST_WINDOW_MS);
  await broker.close();
  console.log(toTable({ within, past }));

  for (const language of LANGUAGES) {
    expect(within).toMatchObject({ [`${language}.same`]: 0, [`${language}.changing`]: EVENTS });
    expect(within).toMatchObject({ [`${language}.same.id`]: 0, [`${language}.changing.id`]: 0 });
  }
  expect(past).toEqual(Object.fromEntries(topics.map((topic) => [topic, EVENTS])));
});

/** A consumer that never acks: the copies stay where they can be counted. */
async function keepCopies(broker: Broker): Promise<void> {
  await broker.jsm.consumers.add(names.streams.events, {
    durable_name: 'copies',
    ack_policy: AckPolicy.Explicit,
    filter_subjects: topics.map((topic) => names.event(topic)),
  });
}

async function countCopies(broker: Broker): Promise<Record<string, number>> {
  const { state } = await broker.jsm.streams.info(names.streams.events, { subjects_filter: '>' });
  return Object.fromEntries(topics.map((topic) => [topic, of(state.subjects, names.event(topic))]));
}

const of = (counts: Record<string, number> = {}, what: string) => counts[what] ?? 0;

function toTable(rounds: Record<string, Record<string, number>>): string {
  const sum = (doubles: Record<string, number>, suffix: string) =>
    LANGUAGES.reduce((total, language) => total + of(doubles, `${language}.${suffix}`), 0);
  const rows = Object.entries(rounds).flatMap(([name, doubles]) =>
    KINDS.map(
      (kind) =>
        `| ${kind} | ${name} | ${EVENTS * LANGUAGES.length} | ${sum(doubles, kind)} | ${sum(doubles, `${kind}.id`)} |`,
    ),
  );
  return ['| data | window | runs had again | doubles | doubles with `id` |', '| - | - | -: | -: | -: |', ...rows].join(
    '\n',
  );
}
