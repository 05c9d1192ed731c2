/** An app with realtime streams as it runs in production: two gateways and a worker, each a process of its own. */
import { fileURLToPath } from 'node:url';
import { type Broker, connectBroker } from '../../../shared/broker/connect.ts';
import { createNames, type Names } from '../../../shared/protocol/subjects.ts';
import { type NatsServer, startNatsServer } from '../../../testing/nats-server.ts';
import { type RunningCli, startCli } from '../../helpers/cli.ts';
import { createProject } from '../../helpers/project.ts';

/** `[stream, operation, ...arguments]`, as `fixtures/app/steps/streams.step.ts` takes them. */
export type Operation = [stream: string, operation: 'set' | 'delete' | 'send' | 'update', ...args: unknown[]];

export interface StreamCluster extends AsyncDisposable {
  readonly server: NatsServer;
  readonly broker: Broker;
  readonly names: Names;
  readonly gateways: [RunningCli, RunningCli];
  /** Has a handler do operations one after the other. @returns what came of the last one. */
  run(...operations: Operation[]): Promise<unknown>;
  startGateway(): Promise<RunningCli>;
}

/** @param env of the gateways. */
export async function startStreamCluster(env: Record<string, string> = {}): Promise<StreamCluster> {
  const project = await createProject({ copyOf: fileURLToPath(new URL('./fixtures/app', import.meta.url)) });
  const server = await startNatsServer();
  const running: RunningCli[] = [];
  const start = async (command: 'worker' | 'gateway', more: Record<string, string> = {}) => {
    const cli = await startCli(command, project, { env: { NATS_URL: server.url, ...more } });
    running.push(cli);
    return cli;
  };
  const startGateway = () => start('gateway', env);
  const [, first, second] = await Promise.all([start('worker'), startGateway(), startGateway()]);
  const broker = await connectBroker({ servers: server.url }, { name: 'test' });
  return {
    server,
    broker,
    names: createNames('stream-app'),
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
