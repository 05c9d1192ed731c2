/** The test of lost leaders, short for the test suite and long for `npm run chaos`: servers of a cluster are killed under load. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Broker, connectBroker } from '../../../shared/broker/connect.ts';
import { StateStore } from '../../../shared/broker/state.ts';
import { createNames } from '../../../shared/protocol/subjects.ts';
import { type Command, type RunningCli, startCli } from '../../helpers/cli.ts';
import { type NatsCluster, startNatsCluster } from '../../helpers/nats-cluster.ts';
import { createProject, type Project } from '../../helpers/project.ts';
import { type Answer, type Call, countAnswers, longestGap, startLoad } from '../../helpers/steady-load.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { json } from './cluster.ts';

const APP = fileURLToPath(new URL('./fixtures/replicated', import.meta.url));
const names = createNames('replicated');
/** What a leader can be lost of. */
const STREAMS = {
  events: names.streams.events,
  requests: names.streams.requests,
  state: `KV_${names.buckets.state}`,
};

export interface LeaderLossOptions {
  /** The leader of each of them is killed, one after the other. */
  victims: (keyof typeof STREAMS)[];
  /** Load before the first kill, and after each. */
  calmMs: number;
  /** A server that was killed is started again after this. */
  downMs: number;
  perSecond: number;
}

/** What was seen from one kill to the next. */
export interface Round {
  victim: string;
  /** The longest time without a successful answer, by kind of call. */
  gapMs: Record<string, number>;
  /** The longest time that a call took which was answered with 200, by kind. */
  slowestMs: Record<string, number>;
  /** The longest time without a completed run, by step. */
  runGapMs: Record<string, number>;
  /** Statuses by kind. */
  answers: Record<string, number>;
}

export interface LeaderLossOutcome {
  rounds: Round[];
  /** Statuses by kind of call, over all rounds. */
  answers: Record<string, number>;
  /** Calls of which the caller was told that value and event are stored. */
  acked: number;
  lostValues: string[];
  /** `<step> <id>` */
  lostEvents: string[];
  runs: number;
  /** Runs that were completed though their event was completed in that step before. */
  doubles: number;
  dead: number;
}

interface Note {
  step: string;
  id: string;
  at: number;
}

/** An app of both languages on three servers. */
export class ReplicatedApp implements AsyncDisposable {
  readonly cluster: NatsCluster;
  readonly #project: Project;
  readonly #broker: Broker;
  readonly #gateways: readonly RunningCli[];
  readonly #others: readonly RunningCli[];

  static async start(env: Record<string, string>): Promise<ReplicatedApp> {
    const cluster = await startNatsCluster();
    const project = await createProject({ copyOf: APP, files: { 'record.jsonl': '' } });
    const all = { ...env, NATS_URL: cluster.url, MOTIA_REPLICAS: '3', RECORD_FILE: project.path('record.jsonl') };
    const start = (role: Command) => startCli(role, project, { env: all, readyWithin: 60_000 });
    const provision = await startCli('provision', project, { env: all, ready: false });
    if ((await provision.exited) !== 0) throw new Error(provision.output());
    const [gateways, others] = await Promise.all([
      Promise.all((['gateway', 'gateway'] as const).map(start)),
      Promise.all((['worker', 'worker', 'python-worker', 'scheduler', 'scheduler'] as const).map(start)),
    ]);
    const broker = await connectBroker({ servers: cluster.url }, { name: 'test' });
    return new ReplicatedApp(cluster, project, broker, gateways, others);
  }

  private constructor(
    cluster: NatsCluster,
    project: Project,
    broker: Broker,
    gateways: readonly RunningCli[],
    others: readonly RunningCli[],
  ) {
    this.cluster = cluster;
    this.#project = project;
    this.#broker = broker;
    this.#gateways = gateways;
    this.#others = others;
  }

  /** Calls of all kinds, to one gateway after the other. */
  get calls(): Record<string, Call> {
    let turn = 0;
    const fetchNext: RunningCli['fetch'] = (...args) =>
      (this.#gateways[turn++ % this.#gateways.length] as RunningCli).fetch(...args);
    const keyed = (id: string): RequestInit => ({ ...json({}), headers: { 'idempotency-key': id } });
    return {
      look: (id) => fetchNext(`/marks/${id}`),
      'look python': (id) => fetchNext(`/python/marks/${id}`),
      mark: (id) => fetchNext(`/marks/${id}`, json({})),
      'mark python': (id) => fetchNext(`/python/marks/${id}`, json({})),
      'mark keyed': (id) => fetchNext(`/marks/${id}`, keyed(id)),
    };
  }

  /** Kills the server that leads a broker stream. @returns what starts it again */
  async killLeader(of: keyof typeof STREAMS): Promise<() => Promise<void>> {
    const leader = await waitFor(async () => (await this.#broker.jsm.streams.info(STREAMS[of])).cluster?.leader, {
      what: `a leader of ${STREAMS[of]}`,
      within: 30_000,
    });
    const server = this.cluster.servers[Number(leader.slice(1))] as NatsCluster['servers'][number];
    await server.kill('SIGKILL');
    return () => server.restart();
  }

  /** What was done so far, in order. */
  async notes(): Promise<Note[]> {
    const lines = (await this.#project.read('record.jsonl')).split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
  }

  /** Which of these values are not there. */
  async missing(ids: readonly string[]): Promise<string[]> {
    const state = new StateStore(this.#broker, names);
    const values = await Promise.all(ids.map(async (id) => ({ id, value: await state.get('marks', id) })));
    return values.filter(({ value }) => value === null).map(({ id }) => id);
  }

  async waiting(): Promise<{ events: number; dead: number }> {
    const count = async (stream: string) => (await this.#broker.jsm.streams.info(stream)).state.messages;
    return { events: await count(names.streams.events), dead: await count(names.streams.dead) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#broker.close();
    await Promise.all([...this.#gateways, ...this.#others].map((cli) => cli.stop('SIGKILL')));
    await this.cluster[Symbol.asyncDispose]();
    await this.#project[Symbol.asyncDispose]();
  }
}

/** Loses one leader after the other under load, then looks for what was acknowledged. */
export async function loseLeaders(app: ReplicatedApp, options: LeaderLossOptions): Promise<LeaderLossOutcome> {
  const load = startLoad(app.calls, options.perSecond);
  const kills: { victim: string; at: number; until: number }[] = [];
  await sleep(options.calmMs);
  for (const victim of options.victims) {
    const at = Date.now();
    const restart = await app.killLeader(victim);
    await sleep(options.downMs);
    await restart();
    await sleep(options.calmMs);
    kills.push({ victim, at, until: Date.now() });
  }
  const answers = await load.stop();
  await waitFor(async () => (await app.waiting()).events === 0, { within: 60_000, every: 500 }).catch(() => {}); // what is left is part of the outcome
  const notes = await app.notes();
  return {
    answers: countAnswers(answers),
    rounds: kills.map(({ victim, at, until }) => describeRound(victim, at, until, answers, notes)),
    ...(await judge(app, answers, notes)),
    dead: (await app.waiting()).dead,
  };
}

function describeRound(victim: string, at: number, until: number, answers: readonly Answer[], notes: Note[]): Round {
  const kinds = [...new Set(answers.map(({ kind }) => kind))];
  const sent = answers.filter(({ sentAt }) => sentAt >= at - 1_000 && sentAt < until);
  const good = (kind: string) => sent.filter((answer) => answer.kind === kind && answer.status === 200);
  const byKind = (of: (good: Answer[]) => number) => Object.fromEntries(kinds.map((kind) => [kind, of(good(kind))]));
  const steps = [...new Set(notes.map(({ step }) => step))];
  return {
    victim,
    gapMs: byKind((some) =>
      longestGap(
        some.map(({ answeredAt }) => answeredAt),
        at,
      ),
    ),
    slowestMs: byKind((some) => Math.max(0, ...some.map(({ sentAt, answeredAt }) => answeredAt - sentAt))),
    runGapMs: Object.fromEntries(
      steps.map((step) => {
        const moments = notes.filter((note) => note.step === step && note.at >= at - 2_000 && note.at < until);
        return [
          step,
          longestGap(
            moments.map((note) => note.at),
            at,
          ),
        ];
      }),
    ),
    answers: countAnswers(sent),
  };
}

async function judge(app: ReplicatedApp, answers: readonly Answer[], notes: Note[]) {
  const acked = answers.filter(({ kind, status }) => kind.startsWith('mark') && status === 200).map(({ id }) => id);
  const runs = notes.filter(({ step }) => step !== 'Tick').map(({ step, id }) => `${step} ${id}`);
  const done = new Set(runs);
  return {
    acked: acked.length,
    lostValues: await app.missing(acked),
    lostEvents: acked
      .flatMap((id) => ['Count', 'CountPython'].map((step) => `${step} ${id}`))
      .filter((run) => !done.has(run)),
    runs: runs.length,
    doubles: runs.length - done.size,
  };
}

/** The figures of an outcome, a line for each round. */
export function describeLosses({ rounds, acked, runs, doubles }: LeaderLossOutcome): string {
  const list = (values: Record<string, number>) =>
    Object.entries(values)
      .map((entry) => entry.join(' '))
      .join(', ');
  const lines = rounds.map(
    ({ victim, gapMs, slowestMs, runGapMs, answers }) =>
      `leader of ${victim} killed; longest gap of answers, ms: ${list(gapMs)}; slowest answer, ms: ${list(slowestMs)}; longest gap of runs, ms: ${list(runGapMs)}; answers: ${list(answers)}`,
  );
  return [...lines, `${acked} acknowledged, ${runs} runs of events, ${doubles} twice`].join('\n');
}
