/** `motia dlq`: shows the dead letters of the project, has them tried again and throws them away. */
import type { DeadLetter, DeadLetterDetail } from '../../shared/broker/dead-letter.ts';
import { DeadLetterAdmin, type RetriedLetters } from '../../shared/broker/dead-letter-admin.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { confirm } from '../confirm.ts';
import type { DLQ_ACTIONS, Flags } from '../options.ts';
import { countOf, shortText, shortTime, table } from '../table.ts';
import { withBroker } from '../with-broker.ts';

export async function dlq({ json = false, ...flags }: Flags): Promise<number> {
  const action = flags.action as (typeof DLQ_ACTIONS)[number];
  const { id, step } = flags;
  if ((action === 'show' || action === 'retry') && id === undefined) {
    throw new CliError(`Which dead letter? motia dlq ${action} <id>`, EXIT.usage);
  }
  return withBroker(flags, 'dlq', async (broker, names) => {
    const letters = new DeadLetterAdmin(broker, names);
    if (action === 'list') await list(letters, flags, json);
    else if (action === 'show') print(json, await letters.show(id as string), describe);
    else if (action === 'retry') {
      print(json, await letters.retry(id as string), (one) => `${one.step} will try ${one.eventId} again`);
    } else if (action === 'retry-all') return retryAll(letters, step, json);
    else await purge(letters, flags, json);
    return 0;
  });
}

async function list(letters: DeadLetterAdmin, { step, after, limit }: Flags, json: boolean): Promise<void> {
  const page = await letters.list({ step, after, limit });
  print(json, page, ({ deadLetters, next }) => {
    if (deadLetters.length === 0) return 'There are no dead letters';
    const rows = deadLetters.map((one) => [
      one.id,
      one.step,
      one.topic,
      shortTime(one.diedAt),
      String(one.attempts),
      shortText(`${one.error.name}: ${one.error.message}`, 60),
    ]);
    const more = next === undefined ? '' : `\nThere are more: motia dlq list --after ${next}`;
    return table(['ID', 'STEP', 'TOPIC', 'DIED', 'ATTEMPTS', 'ERROR'], rows) + more;
  });
}

/** @returns the exit code: some may be refused. */
async function retryAll(letters: DeadLetterAdmin, step: string | undefined, json: boolean): Promise<number> {
  const until = String(await letters.last()); // what dies again meanwhile is not retried for ever
  const all: RetriedLetters = { retried: 0, refused: [] };
  for (let after: string | undefined = '0'; after !== undefined; ) {
    const { retried, refused, next } = await letters.retryAll({ step, after, until });
    all.retried += retried;
    all.refused.push(...refused);
    after = next;
  }
  print(json, all, ({ retried, refused }) =>
    [
      `${countOf(retried, 'dead letter')} will be tried again`,
      ...refused.map(({ id, reason }) => `${id} stays: ${reason}`),
    ].join('\n'),
  );
  return all.refused.length === 0 ? 0 : EXIT.failed;
}

async function purge(letters: DeadLetterAdmin, { id, step, yes }: Flags, json: boolean): Promise<void> {
  const which = id !== undefined ? `dead letter ${id}` : step !== undefined ? `all of ${step}` : 'all dead letters';
  await confirm(`Throw away ${which}?`, yes);
  if (id !== undefined) await letters.remove(id);
  const purged = id !== undefined ? 1 : await letters.purge(step);
  print(json, { purged }, () => `${countOf(purged, 'dead letter')} thrown away`);
}

function describe(letter: DeadLetterDetail): string {
  const { error, data } = letter;
  const facts = Object.entries(toFacts(letter)).map(([name, value]) => `${name.padEnd(9)} ${value}`);
  return [...facts, '', error.stack ?? `${error.name}: ${error.message}`, '', JSON.stringify(data, null, 2)].join('\n');
}

function toFacts({ step, topic, eventId, group, traceId, attempts, emittedAt, diedAt }: DeadLetter) {
  const named = { step, topic, event: eventId, group, trace: traceId, attempts, emitted: emittedAt, died: diedAt };
  return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined));
}

function print<T>(json: boolean, result: T, toText: (result: T) => string): void {
  console.log(json ? JSON.stringify(result, null, 2) : toText(result));
}
