/** `motia queue`: shows what waits in the project's subscriptions and why, pauses and resumes them. */
import { type EventSearch, findEvent } from '../../shared/broker/event-search.ts';
import { describeWorker } from '../../shared/broker/holdings.ts';
import { QueueAdmin, type QueueStatus } from '../../shared/broker/queue-admin.ts';
import { CliError, EXIT } from '../cli-error.ts';
import type { Flags, QUEUE_ACTIONS } from '../options.ts';
import { shortTime, table } from '../table.ts';
import { withBroker } from '../with-broker.ts';

export async function queue({ what, topic, json = false, ...flags }: Flags): Promise<number> {
  const action = flags.action as (typeof QUEUE_ACTIONS)[number];
  if (action !== 'list' && what === undefined) {
    const wanted = action === 'show' ? '<event, step or topic>' : '<step>';
    throw new CliError(`Of what? motia queue ${action} ${wanted}`, EXIT.usage);
  }
  return withBroker(flags, 'queue', async (broker, names) => {
    const queues = new QueueAdmin(broker, names);
    const print = <T>(result: T, toText: (result: T) => string) =>
      console.log(json ? JSON.stringify(result, null, 2) : toText(result));
    if (action === 'list') {
      print(await queues.list(what), toTable);
    } else if (action === 'show') {
      const found = await queues.list(what as string);
      if (found.length > 0) print(found, (all) => all.map(describe).join('\n\n'));
      else print(await findEvent(broker, names, what as string), describeEvent);
    } else {
      const subscriptions = await queues[action](what as string, topic);
      const done = action === 'pause' ? 'is paused' : 'goes on';
      print({ action, subscriptions }, () => subscriptions.map((one) => `${one} ${done}`).join('\n'));
    }
    return 0;
  });
}

function toTable(queues: QueueStatus[]): string {
  if (queues.length === 0) return 'There are no subscriptions';
  const rows = queues.map((one) => [
    one.step,
    one.topic,
    String(one.waiting),
    String(one.inFlight),
    String(one.later),
    scheduledOf(one),
    shortTime(one.oldest),
    String(one.dead),
    one.paused ? 'paused' : (one.why ?? '-'),
  ]);
  return table(['STEP', 'TOPIC', 'WAITING', 'IN FLIGHT', 'LATER', 'SCHEDULED', 'OLDEST', 'DEAD', 'WHY'], rows);
}

function describe(one: QueueStatus): string {
  const facts = {
    step: one.step,
    topic: one.topic,
    waiting: one.waiting,
    'in flight': one.inFlight,
    later: one.later,
    scheduled: scheduledOf(one),
    oldest: one.oldest ?? '-',
    dead: one.dead,
    paused: one.paused ? 'yes' : 'no',
    ...(one.why !== undefined && { why: one.why }),
  };
  return Object.entries(facts)
    .map(([name, value]) => `${name.padEnd(9)} ${value}`)
    .concat(holdersOf(one).map((line) => `          ${line}`))
    .join('\n');
}

/** Who has what is in flight. */
function holdersOf({ workers = [], silentWorkers = 0 }: QueueStatus): string[] {
  const lines = workers.map((worker) => `${worker.events} with the ${describeWorker(worker)}`);
  if (silentWorkers > 0) lines.push(`the rest with ${silentWorkers} of the workers, which do not say so`);
  return lines;
}

function describeEvent({ eventId, places, cut }: EventSearch): string {
  const lines = places.map(({ step, topic, why }) => `${step ?? `all steps of ${topic}`}: ${why}`);
  if (places.length === 0) lines.push(`No event ${eventId} waits: it has been handled, or was never there`);
  for (const where of cut) lines.push(`Not all was searched: there are too many events that are ${where}`);
  return lines.join('\n');
}

const scheduledOf = ({ scheduled, scheduledCut }: QueueStatus) => `${scheduled}${scheduledCut ? ' or more' : ''}`;
