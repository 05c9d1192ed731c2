/** An app with cron steps as it runs in production: schedulers and workers, each a process of its own. */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Broker, connectBroker } from '../../../shared/broker/connect.ts';
import { CronStore } from '../../../shared/broker/cron-store.ts';
import { createNames, type Names } from '../../../shared/protocol/subjects.ts';
import { startNatsServer } from '../../../testing/nats-server.ts';
import { type Command, type RunningCli, startCli } from '../../helpers/cli.ts';
import { createProject } from '../../helpers/project.ts';

/** What a handler noted, see `fixtures/app/steps/record.ts`. */
export interface Fact {
  at: number;
  pid: number;
  what: string;
  traceId?: string;
}

export interface CronCluster extends AsyncDisposable {
  readonly broker: Broker;
  readonly names: Names;
  readonly cron: CronStore;
  start(command: Command, options?: { args?: string[]; env?: Record<string, string> }): Promise<RunningCli>;
  /** Runs `motia cron` to its end. */
  command(...args: string[]): Promise<{ code: number | NodeJS.Signals; output: string }>;
  /** What handlers noted so far of one kind, in order. */
  facts(what: string): Promise<Fact[]>;
}

/** Starts server and broker topology; the rest is the test's. */
export async function startCronCluster(): Promise<CronCluster> {
  const project = await createProject({ copyOf: fileURLToPath(new URL('./fixtures/app', import.meta.url)) });
  const recordFile = project.path('facts.jsonl');
  await writeFile(recordFile, '');
  const server = await startNatsServer();
  const env = { NATS_URL: server.url, RECORD_FILE: recordFile };
  const provision = await startCli('provision', project, { env, ready: false });
  if ((await provision.exited) !== 0) throw new Error(provision.output());
  const names = createNames('cron-app');
  const broker = await connectBroker({ servers: server.url }, { name: 'test' });
  const running: RunningCli[] = [];
  return {
    broker,
    names,
    cron: new CronStore(broker, names),
    async start(command, options = {}) {
      const cli = await startCli(command, project, { ...options, env: { ...env, ...options.env } });
      running.push(cli);
      return cli;
    },
    async command(...args) {
      const cli = await startCli('cron', project, { args, env, ready: false });
      return { code: await cli.exited, output: cli.output() };
    },
    async facts(what) {
      const lines = (await readFile(recordFile, 'utf8')).split('\n').filter((line) => line !== '');
      return lines.map((line) => JSON.parse(line) as Fact).filter((fact) => fact.what === what);
    },
    async [Symbol.asyncDispose]() {
      await broker.close();
      await Promise.all(running.map((cli) => cli.stop('SIGKILL')));
      await server.stop();
      await project[Symbol.asyncDispose]();
    },
  };
}
