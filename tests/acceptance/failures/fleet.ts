/** An app of both languages as it runs in production. Each of its processes may be killed, and is then started again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Broker, connectBroker } from '../../../shared/broker/connect.ts';
import { createNames } from '../../../shared/protocol/subjects.ts';
import { type NatsServer, startNatsServer } from '../../../testing/nats-server.ts';
import { type Command, type RunningCli, startCli } from '../../helpers/cli.ts';
import { createProject, type Project } from '../../helpers/project.ts';
import type { Random } from '../../unit/worker/http/random.ts';

const APP = fileURLToPath(new URL('./fixtures/fleet', import.meta.url));
const ROLES: Command[] = [
  ...(['gateway', 'gateway', 'worker', 'worker', 'worker', 'python-worker', 'scheduler', 'scheduler'] as const),
];
/** A start beside seven others, one of which may be starting as well, on a busy machine. */
const READY_WITHIN_MS = 60_000;

interface Member {
  role: Command;
  /** Of the program that runs, or the one that is being started. */
  cli: Promise<RunningCli>;
  /** `undefined` while it is started. */
  ready: RunningCli | undefined;
}

/** Two gateways, three workers, a Python worker and two schedulers on a broker of their own. */
export class Fleet implements AsyncDisposable {
  readonly server: NatsServer;
  readonly project: Project;
  readonly #broker: Broker;
  readonly #members: Member[];
  /** The last words of those that nobody has killed. */
  readonly #ended: string[] = [];
  readonly #start: (role: Command) => Promise<RunningCli>;

  static async start(python: string): Promise<Fleet> {
    const project = await createProject({ copyOf: APP, files: { 'record.jsonl': '' } });
    const server = await startNatsServer();
    const env = { NATS_URL: server.url, RECORD_FILE: project.path('record.jsonl'), MOTIA_PYTHON: python };
    const provision = await startCli('provision', project, { env, ready: false });
    if ((await provision.exited) !== 0) throw new Error(provision.output());
    const broker = await connectBroker({ servers: server.url }, { name: 'test' });
    const start = (role: Command) => startCli(role, project, { env, readyWithin: READY_WITHIN_MS });
    const fleet = new Fleet(server, project, broker, start);
    await fleet.settled();
    return fleet;
  }

  private constructor(
    server: NatsServer,
    project: Project,
    broker: Broker,
    start: (role: Command) => Promise<RunningCli>,
  ) {
    this.server = server;
    this.project = project;
    this.#broker = broker;
    this.#start = start;
    this.#members = ROLES.map((role) => {
      const member: Member = { role, cli: start(role), ready: undefined };
      this.#watch(member);
      return member;
    });
  }

  /**
   * Resolves when every process serves.
   * @throws Error if one does not start, or has ended by itself.
   */
  async settled(): Promise<void> {
    await Promise.all(this.#members.map(({ cli }) => cli));
    if (this.#ended.length > 0) throw new Error(`ended by themselves:\n${this.#ended.join('\n')}`);
  }

  /** Some gateway that serves. */
  async gateway(random: Random): Promise<RunningCli> {
    for (;;) {
      const serving = this.#members.flatMap(({ role, ready }) => (role === 'gateway' && ready ? [ready] : []));
      if (serving.length > 0) return random.pick(serving);
      await sleep(50);
    }
  }

  /** Kills any process with SIGKILL and starts it again. @returns the role that it had, `undefined` if all are being started */
  async killOne(random: Random): Promise<Command | undefined> {
    const serving = this.#members.filter(({ ready }) => ready !== undefined);
    if (serving.length === 0) return undefined;
    const member = random.pick(serving);
    const cli = member.ready as RunningCli;
    // A Python worker is several processes, and the program that starts them again.
    const { pid } = random.pick(await cli.processes()) ?? cli;
    if (pid !== cli.pid) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {} // ended meanwhile: its parent had been killed before
      return member.role;
    }
    member.ready = undefined;
    member.cli = cli.stop('SIGKILL').then(() => this.#start(member.role));
    this.#watch(member);
    return member.role;
  }

  /** How many events and dead letters the broker has. */
  async waiting(): Promise<{ events: number; dead: number }> {
    const { events, dead } = createNames('fleet').streams;
    const count = async (stream: string) => (await this.#broker.jsm.streams.info(stream)).state.messages;
    return { events: await count(events), dead: await count(dead) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#broker.close();
    const started = await Promise.allSettled(this.#members.map(({ cli }) => cli));
    await Promise.all(started.map((start) => start.status === 'fulfilled' && start.value.stop('SIGKILL')));
    await this.server.stop();
    await this.project[Symbol.asyncDispose]();
  }

  #watch(member: Member): void {
    member.cli.then(
      (cli) => {
        member.ready = cli;
        void cli.exited.then((how) => {
          if (member.ready === cli) this.#ended.push(`${member.role} (${how}): ${cli.output().slice(-1_000)}`);
        });
      },
      () => {}, // told by whoever waits for the fleet to be settled
    );
  }
}
