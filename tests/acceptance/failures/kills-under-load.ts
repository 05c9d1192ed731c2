/** The test of kills, short for the test suite and long for `npm run chaos`: what becomes of events while processes die. */
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../../helpers/wait-for.ts';
import { type Random, seeded } from '../../unit/worker/http/random.ts';
import { json } from './cluster.ts';
import type { Fleet } from './fleet.ts';

export interface KillOptions {
  /** Who is killed: any process but the broker, or the broker. */
  victim: 'process' | 'broker';
  /** From one kill to the next. */
  everyMs: number;
  /** Emitted and acknowledged, evenly over `seconds`; half of them in order. Every one is handled in both languages. */
  events: number;
  seconds: number;
  /** Decides who is killed. Default: the time. */
  seed?: number;
}

export interface KillOutcome {
  seed: number;
  /** How often which role was killed. */
  kills: Record<string, number>;
  /** How often calls were answered with each status; `cut` are those without an answer. */
  answers: Record<string, number>;
  /** Events that a caller was told are stored. */
  acked: number;
  /** `<step> <id>` of acknowledged events that a step has not completed. */
  lost: string[];
  completed: number;
  /** Runs that were completed though their event was completed in that step before. */
  doubles: number;
  /** `<step> <id>` of what was completed after a later event of its group. */
  outOfOrder: string[];
  /** What the broker still has in the end. */
  waiting: { events: number; dead: number };
}

interface TestEvent {
  id: string;
  group: string;
  number: number;
}

const PUBLISHERS = 20;
/** Message groups of each publisher: one call emits one event of each, and as many plain ones. */
const GROUPS = 5;
const PLAIN = ['Plain', 'PlainPython'];
const ORDERED = ['Ordered', 'OrderedPython'];
/** A killed worker's events wait for 10 s, and those of its groups behind them. */
const DRAIN_MS = 90_000;

export async function killsUnderLoad(fleet: Fleet, options: KillOptions): Promise<KillOutcome> {
  const { seed = Date.now() } = options;
  const acked = new Set<string>();
  const answers: Record<string, number> = {};
  const kills: Record<string, number> = {};
  let flowing = true;
  const killing = killUntil(() => !flowing, fleet, options, seeded(seed), kills);
  await publish(fleet, options, seeded(seed), acked, answers);
  flowing = false;
  await killing;
  await fleet.settled();
  await ticks(fleet);

  const isDrained = async () => (await fleet.waiting()).events === 0;
  await waitFor(isDrained, { within: DRAIN_MS, every: 500 }).catch(() => {}); // what is left is part of the outcome
  return {
    seed,
    kills,
    answers,
    acked: acked.size,
    waiting: await fleet.waiting(),
    ...judge(await completions(fleet), acked),
  };
}

async function killUntil(
  isOver: () => boolean,
  fleet: Fleet,
  { victim, everyMs }: KillOptions,
  random: Random,
  kills: Record<string, number>,
): Promise<void> {
  for (;;) {
    await sleep(everyMs);
    if (isOver()) return;
    if (victim === 'broker') {
      await fleet.server.kill('SIGKILL');
      await fleet.server.restart();
    }
    const role = victim === 'broker' ? 'broker' : await fleet.killOne(random);
    if (role) kills[role] = (kills[role] ?? 0) + 1;
  }
}

/** Each publisher waits for an answer before its next call, so that the order of its groups is certain. */
async function publish(
  fleet: Fleet,
  { events, seconds }: KillOptions,
  random: Random,
  acked: Set<string>,
  answers: Record<string, number>,
): Promise<void> {
  const pauseMs = (seconds * 1_000 * PUBLISHERS * GROUPS * 2) / events;
  const startedAt = Date.now();
  const until = startedAt + seconds * 1_000;
  const publisher = async (name: number) => {
    for (let call = 0; Date.now() < until || acked.size < events; call++) {
      await sleep(startedAt + (call + name / PUBLISHERS) * pauseMs - Date.now());
      const ordered = Array.from({ length: GROUPS }, (_, i) => toEvent(`ordered.${name}.${i}`, call));
      const plain = Array.from({ length: GROUPS }, (_, i) => toEvent(`plain.${name}.${i}`, call));
      const body = [
        ...ordered.map((data) => ({ topic: 'ordered', data, messageGroupId: data.group })),
        ...plain.map((data) => ({ topic: 'plain', data })),
      ];
      const gateway = await fleet.gateway(random);
      const answer = await gateway.fetch('/emit', json(body)).then(
        ({ status }) => String(status),
        () => 'cut',
      );
      answers[answer] = (answers[answer] ?? 0) + 1;
      if (answer === '200') for (const { id } of [...ordered, ...plain]) acked.add(id);
    }
  };
  await Promise.all(Array.from({ length: PUBLISHERS }, (_, name) => publisher(name)));
}

const toEvent = (group: string, number: number): TestEvent => ({ id: `${group}.${number}`, group, number });

/** One more tick: there is a leader again, and a worker that takes its ticks. */
async function ticks(fleet: Fleet): Promise<void> {
  const count = async () => (await completions(fleet)).filter(({ step }) => step === 'Tick').length;
  const before = await count();
  await waitFor(async () => (await count()) > before, { what: 'another tick', within: 30_000, every: 200 });
}

interface Completion extends TestEvent {
  step: string;
}

/** In the order in which they came about. */
async function completions(fleet: Fleet): Promise<Completion[]> {
  const lines = (await fleet.project.read('record.jsonl')).split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
}

/** What is not acknowledged may be stored or not, and whenever: it says nothing about losses and order. */
function judge(
  all: Completion[],
  acked: Set<string>,
): Pick<KillOutcome, 'lost' | 'completed' | 'doubles' | 'outOfOrder'> {
  const runs = all.filter(({ step }) => step !== 'Tick');
  const seen = new Set<string>();
  const last = new Map<string, number>();
  const outOfOrder: string[] = [];
  for (const { step, id, group, number } of runs) {
    const run = `${step} ${id}`;
    if (ORDERED.includes(step) && acked.has(id) && !seen.has(run)) {
      if (number < (last.get(`${step} ${group}`) ?? -1)) outOfOrder.push(run);
      last.set(`${step} ${group}`, number);
    }
    seen.add(run);
  }
  const due = [...acked].flatMap((id) => (id.startsWith('plain') ? PLAIN : ORDERED).map((step) => `${step} ${id}`));
  return {
    lost: due.filter((run) => !seen.has(run)),
    completed: runs.length,
    doubles: runs.length - seen.size,
    outOfOrder,
  };
}

/** The figures of an outcome in one line. */
export function describeKills({ seed, kills, answers, acked, completed, doubles }: KillOutcome): string {
  const list = (counts: Record<string, number>) =>
    Object.entries(counts)
      .map(([what, count]) => `${what} ${count}`)
      .join(', ');
  const share = ((doubles / completed) * 100).toFixed(3);
  return `seed ${seed}, killed: ${list(kills)}; answers: ${list(answers)}; ${acked} events, ${completed} runs completed, ${doubles} twice (${share} %)`;
}
