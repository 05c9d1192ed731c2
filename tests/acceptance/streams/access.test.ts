/** Who may follow a stream, of a project in both languages: `streamAuth`, edits, and workers that are killed. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CallFailed } from '../../../gateway/call-failed.ts';
import { AccessRefused } from '../../../gateway/streams/access.ts';
import { type Broker, connectBroker } from '../../../shared/broker/connect.ts';
import { createNames } from '../../../shared/protocol/subjects.ts';
import { type NatsServer, startNatsServer } from '../../../testing/nats-server.ts';
import { type RunningCli, startCli } from '../../helpers/cli.ts';
import { createProject, type Project } from '../../helpers/project.ts';
import { testPython } from '../../helpers/python.ts';
import { type AskingAccess, askAccess } from '../../helpers/stream-access.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const golden = JSON.parse(
  readFileSync(new URL('../../../shared/protocol/golden/access.json', import.meta.url), 'utf8'),
) as { authenticated: { question: { headers: Record<string, string>; url: string }; answer: { context: unknown } }[] };

const CONFIG = `
  import { setTimeout as sleep } from 'node:timers/promises';
  export default {
    streamAuth: {
      contextSchema: { type: 'object', required: ['headers', 'url'] },
      async authenticate({ headers, url }) {
        await sleep(1);
        const { mode } = headers;
        if (mode === 'anonymous') return undefined;
        if (mode === 'refuse') throw new Error('not one of ours');
        if (mode === 'misfit') return { user: 'x' };
        if (mode === 'huge') return { headers, url, text: 'x'.repeat(64 * 1024) };
        if (mode === 'no JSON') return { headers, url, n: 1n };
        if (mode === 'exit') process.exit(3);
        return { headers, url };
      },
    },
  };`;

const LANGUAGES = ['node', 'python'] as const;
type Language = (typeof LANGUAGES)[number];

/** A stream that one group may be followed of; a question about the group \`slow\` takes a second. */
const streamFile = (language: Language, open: string): [file: string, text: string] =>
  language === 'node'
    ? [
        'src/node.stream.ts',
        `import { setTimeout as sleep } from 'node:timers/promises';
         export const config = { name: 'node', baseConfig: { storageType: 'default' }, async canAccess({ groupId }) {
           if (groupId !== 'slow') return groupId === '${open}';
           console.log('asked node');
           await sleep(1_000);
           return true;
         } };`,
      ]
    : [
        'src/python_stream.py',
        `
import time

config = {"name": "python", "baseConfig": {"storageType": "default"}}

def can_access(subscription, auth_context):
    if subscription["groupId"] != "slow":
        return subscription["groupId"] == "${open}"
    print("asked python", flush=True)
    time.sleep(1)
    return True
`,
      ];

let python: string | undefined;
let server: NatsServer;
let project: Project;
let cli: RunningCli;
let broker: Broker;
let asking: AskingAccess;

beforeAll(async () => {
  python = await testPython();
  server = await startNatsServer();
  const languages = python === undefined ? LANGUAGES.slice(0, 1) : LANGUAGES;
  const files = Object.fromEntries(languages.map((language) => streamFile(language, 'before')));
  project = await createProject({
    files: { ...files, 'package.json': '{ "type": "module" }', 'motia.config.ts': CONFIG },
  });
  cli = await startCli('dev', project, { env: { NATS_URL: server.url, MOTIA_APP: 'access', MOTIA_PYTHON: python } });
  broker = await connectBroker({ servers: server.url }, { name: 'test' });
  asking = await askAccess(broker, createNames('access'));
  await waitFor(
    () => asking.manifest()?.settings.streamAuth && asking.manifest()?.streams?.length === languages.length,
  );
});
afterAll(async () => {
  await cli?.stop();
  await asking?.[Symbol.asyncDispose]();
  await broker?.close();
  await server?.stop();
});

const request = (mode: string) => ({ headers: { mode, cookie: 'secret' }, url: '/?authToken=secret' });

describe('authenticate', () => {
  test.each(golden.authenticated)('sees a request as it came', async ({ question, answer }) => {
    expect(await asking.access.authenticate(question)).toEqual(answer.context);
  });

  test('may leave a client anonymous', async () => {
    expect(await asking.access.authenticate(request('anonymous'))).toBeNull();
  });

  test.each([
    ['refuse', 'warn', 'streamAuth refused a client: not one of ours', AccessRefused],
    ['exit', 'error', 'called process.exit(3)', CallFailed],
    ['misfit', 'error', 'does not fit contextSchema', CallFailed],
    ['huge', 'error', 'a context has 65536 at most', CallFailed],
    ['no JSON', 'error', 'cannot be written as JSON', CallFailed],
  ])('%s: the client is refused, and the log says why', async (mode, level, message, refusal) => {
    await expect(asking.access.authenticate(request(mode))).rejects.toThrow(refusal);
    const line = await cli.waitForLog(({ msg }) => msg.includes(message));
    expect([line.level, JSON.stringify(line).includes('secret')]).toEqual([level, false]);
  });
});

const may = (language: Language, groupId: string) => asking.access.canAccess(language, { groupId }, null);

test.for(LANGUAGES)('%s: an edit changes who is let in, and one that is broken does not', async (language, context) => {
  context.skip(language === 'python' && python === undefined, 'there is no Python that can run the worker');
  expect([await may(language, 'before'), await may(language, 'after')]).toEqual([true, false]);
  await project.write(...streamFile(language, 'after'));
  await waitFor(() => may(language, 'after'));
  expect(await may(language, 'before')).toBe(false);

  const [file, fixed] = streamFile(language, 'fixed');
  await project.write(file, 'this is no code(');
  await cli.waitForLog({ action: 'step_broken', file, kept: true });
  expect(await may(language, 'after')).toBe(true);
  await project.write(file, fixed);
  // Whatever is served meanwhile, one of the two good versions answers.
  while (!(await may(language, 'fixed')))
    expect((await may(language, 'after')) || (await may(language, 'fixed'))).toBe(true);
});

test('a worker that is killed while it is asked: the one that takes its place answers', async () => {
  const asked = python === undefined ? LANGUAGES.slice(0, 1) : LANGUAGES;
  const answers = asked.map((language) => may(language, 'slow'));
  await waitFor(() => asked.every((language) => cli.output().includes(`asked ${language}`)));
  for (const { pid, commandLine } of await cli.processes()) {
    if (/worker-child|motia\.worker/.test(commandLine)) kill(pid);
  }
  expect(await Promise.all(answers)).toEqual(asked.map(() => true));
});

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {} // it has ended with its parent
}
