/** An app whose steps note which worker ran them, in either language, with workers as processes of their own. */
import { readFile, writeFile } from 'node:fs/promises';
import { type Broker, connectBroker } from '../../../shared/broker/connect.ts';
import { createNames, type Names } from '../../../shared/protocol/subjects.ts';
import { startNatsServer } from '../../../testing/nats-server.ts';
import { type RunningCli, startCli } from '../../helpers/cli.ts';
import { createProject, type Project } from '../../helpers/project.ts';
import { waitFor } from '../../helpers/wait-for.ts';

export type Language = 'node' | 'python';

/** One run. */
export interface Ran {
  worker: string;
  topic: string;
  n: number;
  began: number;
  ended: number;
}

export interface SharedWork extends AsyncDisposable {
  readonly project: Project;
  readonly broker: Broker;
  readonly names: Names;
  /** Starts a worker; `name` is what its runs are noted with. */
  startWorker(name: string, args?: string[], env?: Record<string, string>): Promise<RunningCli>;
  /** Starts a gateway, whose admin API is open to this token. */
  startGateway(token: string): Promise<RunningCli>;
  /** Runs `motia provision`. @returns what it printed. @throws if it fails */
  provision(...args: string[]): Promise<string>;
  /** A command that ends by itself. */
  run(command: 'worker' | 'python-worker', ...args: string[]): Promise<{ code: number | string; output: string }>;
  /** Emits `count` events that take `ms` each. */
  emit(topic: string, count: number, ms?: number): Promise<void>;
  ran(topic?: string): Promise<Ran[]>;
  waitForRuns(count: number, topic?: string, within?: number): Promise<Ran[]>;
}

const COMMANDS = { node: 'worker', python: 'python-worker' } as const;

/** The source of an event step. `queue` is JSON. */
export function eventStep(
  language: Language,
  name: string,
  topics: string[],
  flows: string[] = [],
  queue = '{}',
): string {
  const config = `{
  "type": "event", "name": "${name}", "subscribes": ${JSON.stringify(topics)}, "emits": [], "flows": ${JSON.stringify(flows)},
  "infrastructure": {"queue": ${queue}},
}`;
  return language === 'node'
    ? `import { appendFileSync } from 'node:fs';
export const config = ${config};
export const handler = async ({ topic, n, ms }) => {
  const began = Date.now();
  await new Promise((resolve) => setTimeout(resolve, ms));
  const ran = { worker: process.env.WORKER_NAME, topic, n, began, ended: Date.now() };
  appendFileSync(process.env.RECORD_FILE, JSON.stringify(ran) + '\\n');
};
`
    : `import asyncio, json, os, time
config = ${config}

async def handler(input, context):
    began = time.time() * 1000
    await asyncio.sleep(input["ms"] / 1000)
    ran = {"worker": os.environ["WORKER_NAME"], "topic": input["topic"], "n": input["n"], "began": began, "ended": time.time() * 1000}
    with open(os.environ["RECORD_FILE"], "a") as file:
        file.write(json.dumps(ran) + "\\n")
`;
}

/** The source of a step that is only there to be taken, or not. */
export function idleStep(language: Language, config: object): string {
  return language === 'node'
    ? `export const config = ${JSON.stringify(config)};\nexport const handler = async () => {};\n`
    : `config = ${JSON.stringify(config)}\n\nasync def handler(*args):\n    pass\n`;
}

/** The name of a step's file. */
export const stepFile = (language: Language, name: string): string =>
  language === 'node' ? `steps/${name}.step.ts` : `steps/${name}_step.py`;

/** Starts a server and provisions the project for it. */
export async function startSharedWork(
  language: Language,
  files: Record<string, string>,
  env: Record<string, string> = {},
): Promise<SharedWork> {
  const project = await createProject({
    files: { 'package.json': '{ "name": "scaling", "type": "module" }', ...files },
  });
  const record = project.path('ran.jsonl');
  await writeFile(record, '');
  const server = await startNatsServer();
  const common = { ...env, NATS_URL: server.url, RECORD_FILE: record };
  const broker = await connectBroker({ servers: server.url }, { name: 'test' });
  const names = createNames('scaling');
  const running: RunningCli[] = [];
  const ran = async (topic?: string) => {
    const lines = (await readFile(record, 'utf8')).split('\n').filter((line) => line !== '');
    const all = lines.map((line) => JSON.parse(line) as Ran);
    return topic === undefined ? all : all.filter((one) => one.topic === topic);
  };
  const work: SharedWork = {
    project,
    broker,
    names,
    ran,
    async startWorker(name, args = [], more = {}) {
      const worker = await startCli(COMMANDS[language], project, {
        args,
        env: { ...common, ...more, WORKER_NAME: name },
      });
      running.push(worker);
      return worker;
    },
    async startGateway(token) {
      const gateway = await startCli('gateway', project, { env: { ...common, MOTIA_ADMIN_TOKEN: token } });
      running.push(gateway);
      return gateway;
    },
    async provision(...args) {
      const cli = await startCli('provision', project, { args, env: common, ready: false });
      if ((await cli.exited) !== 0) throw new Error(cli.output());
      return cli.output();
    },
    async run(command, ...args) {
      const cli = await startCli(command, project, { args, env: common, ready: false });
      return { code: await cli.exited, output: cli.output() };
    },
    async emit(topic, count, ms = 0) {
      for (let n = 0; n < count; n++) {
        const event = JSON.stringify({ topic, n, ms });
        await broker.mux.request(names.event(topic), event);
      }
    },
    waitForRuns: (count, topic, within = 20_000) =>
      waitFor(
        async () => {
          const found = await ran(topic);
          if (found.length < count) throw new Error(`${found.length} of ${count}`);
          return found;
        },
        { what: `${count} runs`, within, every: 50 },
      ),
    async [Symbol.asyncDispose]() {
      await broker.close();
      await Promise.all(running.map((cli) => cli.stop('SIGKILL')));
      await server.stop();
      await project[Symbol.asyncDispose]();
    },
  };
  await work.provision();
  return work;
}
