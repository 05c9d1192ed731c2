/** An app with realtime streams as it runs in production: two gateways and its workers, each a process of its own. */
import { fileURLToPath } from 'node:url';
import { type Broker, connectBroker } from '../../../shared/broker/connect.ts';
import { createNames, type Names } from '../../../shared/protocol/subjects.ts';
import { type NatsServer, startNatsServer } from '../../../testing/nats-server.ts';
import { type RunningCli, startCli } from '../../helpers/cli.ts';
import { createProject, type Project } from '../../helpers/project.ts';

/** `[stream, operation, ...arguments]`, as `fixtures/app/steps/streams.step.ts` takes them. */
export type Operation = [stream: string, operation: 'set' | 'delete' | 'send' | 'update', ...args: unknown[]];

export interface StreamCluster extends AsyncDisposable {
  readonly server: NatsServer;
  readonly broker: Broker;
  readonly names: Names;
  readonly project: Project;
  readonly worker: RunningCli;
  readonly gateways: [RunningCli, RunningCli];
  /** Has a handler do operations one after the other. @returns what came of the last one. */
  run(...operations: Operation[]): Promise<unknown>;
  startGateway(): Promise<RunningCli>;
}

export interface ClusterOptions {
  /** Of the gateways. */
  env?: Record<string, string>;
  /** Of the project, besides those of `fixtures/app`. */
  files?: Record<string, string>;
  /** The interpreter of a Python worker, if there is to be one. */
  python?: string | undefined;
}

export async function startStreamCluster(options: ClusterOptions = {}): Promise<StreamCluster> {
  const { env = {}, files = {}, python } = options;
  const project = await createProject({ copyOf: fileURLToPath(new URL('./fixtures/app', import.meta.url)), files });
  const server = await startNatsServer();
  const running: RunningCli[] = [];
  const start = async (command: 'worker' | 'python-worker' | 'gateway', more: Record<string, string> = {}) => {
    const cli = await startCli(command, project, { env: { NATS_URL: server.url, ...more } });
    running.push(cli);
    return cli;
  };
  const startGateway = () => start('gateway', env);
  const [worker, first, second] = await Promise.all([
    start('worker'),
    startGateway(),
    startGateway(),
    python === undefined ? undefined : start('python-worker', { MOTIA_PYTHON: python }),
  ]);
  const broker = await connectBroker({ servers: server.url }, { name: 'test' });
  return {
    server,
    broker,
    names: createNames('stream-app'),
    project,
    worker,
    gateways: [first, second],
    startGateway,
    async run(...operations) {
      const headers = { 'content-type': 'application/json' };
      const answer = await first.fetch('/streams', { method: 'POST', headers, body: JSON.stringify(operations) });
      const text = await answer.text();
      if (answer.status !== 200) throw new Error(`the operations were answered with ${answer.status}: ${text}`);
      return JSON.parse(text).last;
    },
    async [Symbol.asyncDispose]() {
      await broker.close();
      await Promise.all(running.map((cli) => cli.stop('SIGKILL')));
      await server.stop();
    },
  };
}
