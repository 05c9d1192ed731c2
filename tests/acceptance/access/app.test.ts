/** An app on a broker on which each of its processes may do only what it has to. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { connectBroker } from '../../../shared/broker/connect.ts';
import { DeadLetterAdmin } from '../../../shared/broker/dead-letter-admin.ts';
import { createNames } from '../../../shared/protocol/subjects.ts';
import { type RunningCli, startCli } from '../../helpers/cli.ts';
import { createProject, type Project } from '../../helpers/project.ts';
import { testPython } from '../../helpers/python.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { LARGE, nodeFiles, pythonFiles } from './app-files.ts';
import { type LockedBroker, PARTITIONS, startLockedBroker, writeConfig } from './locked-broker.ts';

let project: Project;
let broker: LockedBroker;
afterAll(() => broker?.stop());
let python: string | undefined;
let gateway: RunningCli;
const processes: Record<string, RunningCli> = {};

beforeAll(async () => {
  python = await testPython();
  project = await createProject({ files: python ? { ...nodeFiles, ...pythonFiles } : nodeFiles });
  const pythonEnv = python ? { MOTIA_PYTHON: python } : {};
  const groups = ['shop=flows:shop', 'till=flows:till', ...(python ? ['mail=flows:mail'] : [])];
  await writeConfig(project, ...groups.flatMap((group) => ['--group', group]));
  broker = await startLockedBroker(project);
  const start = async (
    command: 'provision' | 'gateway' | 'worker' | 'python-worker' | 'scheduler',
    user: string,
    ...args: string[]
  ) => {
    const ready = command === 'provision' ? /"action":"ready"/ : undefined;
    const env = { ...broker.env(user), ...pythonEnv };
    const started = await startCli(command, project, { args, env, ...(ready && { ready }) });
    processes[`${command} as ${user}`] = started;
    return started;
  };
  await start('provision', 'provision', '--keep');
  [gateway] = await Promise.all([
    start('gateway', 'gateway'),
    start('worker', 'shop', '--flows', 'shop'),
    start('worker', 'till', '--flows', 'till'),
    start('scheduler', 'scheduler'),
    ...(python
      ? [start('python-worker', 'mail', '--flows', 'mail'), start('python-worker', 'till', '--flows', 'till')]
      : []),
  ]);
}, 120_000);

const read = async (key: string) => {
  const response = await gateway.fetch(`/read/${key}`);
  return response.status === 200 ? ((await response.json()) as { value: unknown }).value : undefined;
};
const done = (key: string) => waitFor(() => read(key), { what: key, within: 20_000 });
const order = async (topic: string, body: object) => {
  const headers = { 'content-type': 'application/json' };
  const response = await gateway.fetch(`/orders/${topic}`, { method: 'POST', headers, body: JSON.stringify(body) });
  expect(response.status).toBe(200);
};
const admin = async (command: 'dlq' | 'state' | 'queue', ...args: string[]) => {
  const cli = await startCli(command, project, { args, env: broker.env('admin'), ready: false });
  expect(await cli.exited, cli.output()).toBe(0);
  return cli.output();
};

describe('everything that the app needs works', () => {
  test('a call, its event in two languages, state, and an item that clients see', async (context) => {
    context.skip(!python, 'there is no Python that can run the worker');
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/streams`);
    const frames: string[] = [];
    socket.on('message', (data) => frames.push(String(data)));
    await new Promise((resolve) => socket.once('open', resolve));
    socket.send(JSON.stringify({ type: 'join', data: { streamName: 'board', groupId: 'all', subscriptionId: 's' } }));
    await waitFor(() => frames.length > 0);
    await order('node', { id: 'one' });
    expect(await done('one')).toEqual({ length: 0, text: '' });
    await waitFor(
      () => frames.some((frame) => frame.includes('"mailed":true')) && frames.some((f) => f.includes('hello')),
    );
    socket.close();
  });

  test('large data, on every way that it takes', async (context) => {
    context.skip(!python, 'there is no Python that can run the worker');
    await order('node', { id: 'large', text: 'x'.repeat(LARGE) });
    expect(await done('large')).toMatchObject({ length: LARGE });
    await admin('state', 'delete', 'done', 'large');
    expect(await read('large')).toBeNull();
  });

  test('all that steps do with the groups of state that they name, and nothing with others', async () => {
    for (const language of python ? ['node', 'python'] : ['node']) {
      const response = await gateway.fetch(`/till/${language}`);
      expect(await response.json()).toEqual({
        ...{
          conflict: 'REVISION_CONFLICT',
          updated: { n: 2 },
          expires: true,
          keys: ['b', 'c', 'a'],
          removed: { n: 2 },
        },
        ...{ left: [2, 3], lengths: [LARGE], gone: LARGE, there: [null], refused: 'STATE_GROUP_NOT_DECLARED' },
      });
    }
  });

  test('answers that come bit by bit, and one that is kept', async () => {
    for (const path of python ? ['/flow', '/python'] : ['/flow']) {
      expect((await (await gateway.fetch(path)).text()).length).toBe(2_000_000);
    }
    const headers = { 'idempotency-key': 'once', 'content-type': 'application/json' };
    const keep = () => gateway.fetch('/orders/kept', { method: 'POST', headers, body: '{}' });
    expect((await keep()).headers.get('idempotency-replayed')).toBeNull();
    expect((await keep()).headers.get('idempotency-replayed')).toBe('true');
  });

  test('a second attempt, a delay, an order to keep, a tick', async () => {
    await Promise.all([order('flaky', { delay: 1 }), order('fifo', { group: 'a' })]);
    for (const key of ['flaky', 'fifo', 'tick']) expect(await done(key)).toBe(true);
  });

  test('a dead letter that an operator has tried again', async () => {
    await order('doomed', {});
    const operator = await connectBroker(broker.address('admin'), { name: 'operator' });
    const deadLetters = new DeadLetterAdmin(operator, createNames('locked', PARTITIONS));
    await waitFor(async () => (await deadLetters.list()).deadLetters.length > 0);
    await operator.close();
    await admin('state', 'set', 'repaired', 'all', 'true');
    await admin('dlq', 'retry-all', '--step', 'Doomed');
    expect(await done('doomed')).toBe(true);
    expect(await admin('queue', 'list')).toContain('Doomed');
  });

  test('a broker that was started anew gets back what it had in memory', async () => {
    await broker.restart();
    await waitFor(async () => (await read('tick').catch(() => undefined)) === true, { within: 20_000 });
  });

  test('nobody has tried what is not allowed', () => {
    const refused = Object.entries(processes).flatMap(([user, cli]) =>
      [...cli.output().matchAll(/Permissions Violation for [^}]*/g)].map(([text]) => `${user}: ${text}`),
    );
    expect([...new Set(refused)]).toEqual([]);
    expect(broker.log()).not.toContain('Violation');
  });
});
