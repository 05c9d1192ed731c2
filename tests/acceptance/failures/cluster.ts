/** An app as it runs in production: a nats-server, a gateway and workers, each a process of its own. */
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Broker, connectBroker } from '../../../shared/broker/connect.ts';
import { createNames, type Names } from '../../../shared/protocol/subjects.ts';
import { type NatsServer, startNatsServer } from '../../../testing/nats-server.ts';
import { type RunningCli, startCli } from '../../helpers/cli.ts';
import { createProject, type Project } from '../../helpers/project.ts';
import { waitFor } from '../../helpers/wait-for.ts';

/** What a handler noted, see `fixtures/app/src/record.ts`. */
export interface Fact {
  at: number;
  pid: number;
  what: string;
  id: string;
  attempt?: number;
  code?: string;
  traceId?: string;
}

export interface Cluster extends AsyncDisposable {
  readonly project: Project;
  readonly server: NatsServer;
  readonly broker: Broker;
  readonly names: Names;
  readonly gateway: RunningCli;
  startWorker(env?: Record<string, string>): Promise<RunningCli>;
  /** What handlers noted so far, in order; only that of one kind if `what` is given. */
  facts(what?: string): Promise<Fact[]>;
  /** Resolves with the facts of a kind once there are `count` of them. */
  waitForFacts(what: string, count: number, within?: number): Promise<Fact[]>;
  /** As if nothing had been noted. */
  forgetFacts(): Promise<void>;
  emit(topic: string, events: unknown[]): Promise<void>;
  /** The dead letters so far. */
  deadLetters(): Promise<DeadLetter[]>;
}

export interface DeadLetter {
  subject: string;
  body: unknown;
  attempt: number;
  error: { name: string; message: string; stack?: string };
}

const APP = fileURLToPath(new URL('./fixtures/app', import.meta.url));

/** Starts server, gateway and `workers` workers for the fixture app, changed by `files`. */
export async function startCluster(workers: number, files: Record<string, string> = {}): Promise<Cluster> {
  const project = await createProject({ copyOf: APP, files });
  const recordFile = project.path('facts.jsonl');
  await writeFile(recordFile, '');
  const server = await startNatsServer();
  const env = { NATS_URL: server.url, RECORD_FILE: recordFile };
  const running: RunningCli[] = [];
  const startWorker = async (more: Record<string, string> = {}) => {
    const worker = await startCli('worker', project, { env: { ...env, ...more } });
    running.push(worker);
    return worker;
  };
  const provision = await startCli('provision', project, { env, ready: false });
  if ((await provision.exited) !== 0) throw new Error(provision.output());
  await Promise.all(Array.from({ length: workers }, () => startWorker()));
  const gateway = await startCli('gateway', project, { env });
  const names = createNames('failures');
  const broker = await connectBroker({ servers: server.url }, { name: 'test' });

  const facts = async (what?: string) => {
    const lines = (await readFile(recordFile, 'utf8')).split('\n').filter((line) => line !== '');
    const all = lines.map((line) => JSON.parse(line) as Fact);
    return what === undefined ? all : all.filter((fact) => fact.what === what);
  };
  return {
    project,
    server,
    broker,
    names,
    gateway,
    startWorker,
    facts,
    waitForFacts: (what, count, within = 15_000) =>
      waitFor(
        async () => {
          const found = await facts(what);
          if (found.length < count) throw new Error(`${found.length} of ${count}`);
          return found;
        },
        { what: `${count} times "${what}"`, within, every: 50 },
      ),
    forgetFacts: () => truncate(recordFile),
    async emit(topic, events) {
      const { status } = await gateway.fetch('/emit', json({ topic, events }));
      if (status !== 200) throw new Error(`the emit was answered with ${status}`);
    },
    async deadLetters() {
      const { state } = await broker.jsm.streams.info(names.streams.dead);
      const letters: DeadLetter[] = [];
      for (let seq = state.first_seq; state.messages > 0 && seq <= state.last_seq; seq++) {
        const message = await broker.jsm.streams.getMessage(names.streams.dead, { seq });
        if (!message) continue;
        letters.push({
          subject: message.subject,
          body: message.json(),
          attempt: Number(message.header.get('Motia-Attempt')),
          error: JSON.parse(decodeURIComponent(message.header.get('Motia-Error'))),
        });
      }
      return letters;
    },
    async [Symbol.asyncDispose]() {
      await broker.close();
      await Promise.all([gateway, ...running].map((cli) => cli.stop('SIGKILL')));
      await server.stop();
      await project[Symbol.asyncDispose]();
    },
  };
}

/** A POST of JSON. */
export const json = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
