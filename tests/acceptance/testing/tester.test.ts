/** What a tester promises: HTTP, time, ends that are told, and nothing left behind. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { MotiaTester } from '../../../testing/index.ts';
import { killProcessesWith, processesWith } from '../../helpers/processes.ts';
import { createProject, fixtureApp, REPOSITORY } from '../../helpers/project.ts';
import { waitFor } from '../../helpers/wait-for.ts';

/** As it was built: handler threads load the program's own files. */
const KIT = pathToFileURL(join(REPOSITORY, 'dist/testing/index.js')).href;
const { createMotiaTester }: typeof import('../../../testing/index.ts') = await import(KIT);

const START = '2099-03-01T00:00:00Z';
let project: string;
let tester: MotiaTester;
beforeAll(async () => {
  project = (await createProject({ copyOf: fixtureApp('orders') })).root;
  tester = await createMotiaTester({ project, startTime: START });
});
beforeEach(() => tester.reset());
afterAll(() => tester.close());

const order = (id: string, customer = 'Ada') => tester.post('/orders', { body: { id, customer } });

test('requests carry what they are given', async () => {
  const query = { q: 'a b', tag: ['x', 'y'] };
  const given = { query, cookies: { sid: 'k=1', lang: 'de' }, headers: { 'X-Custom': 'yes' } };
  const json = await tester.put<Record<string, unknown>>('/echo/7?page=2', { ...given, body: { n: [1] } });
  expect(json.body).toEqual({
    body: { n: [1] },
    id: '7',
    query: { page: '2', q: 'a b', tag: ['x', 'y'] },
    cookie: 'sid=k=1; lang=de',
    type: 'application/json',
    custom: 'yes',
  });
  expect(json.headers['set-cookie']).toEqual(['a=1', 'b=2']);
  expect(json).toMatchObject({ status: 200, statusCode: 200, ok: true, text: expect.stringContaining('"id":"7"') });
  const form = await tester.put<Record<string, unknown>>('/echo/7', { body: new URLSearchParams({ name: 'Ada' }) });
  expect(form.body).toMatchObject({ body: { name: 'Ada' } });
  const text = await tester.put<Record<string, unknown>>('/echo/7', { body: 'plain' });
  expect(text.body).toMatchObject({ body: 'plain', type: 'text/plain;charset=UTF-8' });
  expect(await tester.get('/nowhere')).toMatchObject({ status: 404, ok: false });
});

test('delays, attempts and ticks come in their order', async () => {
  const all: string[] = [];
  const receipts = await tester.watch<{ attempt: number }>('receipt.sent');
  const reports = await tester.watch<{ orders: number }>('report.sent');
  await tester.clock.advanceTo(new Date('2099-03-01T05:30:00Z'));
  await order('o-1', 'unlucky');
  await tester.waitEvents();
  while ((await tester.clock.advanceToNext()) && tester.clock.now() < new Date('2099-03-01T06:30:00Z')) {
    const { reminded } = (await tester.state.get<{ reminded: boolean }>('orders', 'o-1')) ?? {};
    const [sent, made] = [receipts.getCapturedEvents().length, reports.getCapturedEvents().length];
    all.push(
      `${tester.clock.now().toISOString().slice(11, 16)} ${sent} receipts, ${made} reports, reminded: ${reminded}`,
    );
  }
  expect(all).toEqual([
    '05:30 0 receipts, 0 reports, reminded: false',
    '05:30 1 receipts, 0 reports, reminded: false',
    '06:00 1 receipts, 1 reports, reminded: false',
  ]);
  expect(tester.clock.now().toISOString()).toBe('2099-03-01T06:30:00.000Z');
  expect(await tester.state.get('orders', 'o-1')).toMatchObject({ reminded: true });
  expect(receipts.getLastCapturedEvent()?.data.attempt).toBe(3);
  expect(reports.getCapturedEvents().map(({ data }) => data)).toEqual([{ orders: 1 }]);
});

test('nothing happens while time stands still', async () => {
  const receipts = await tester.watch('receipt.sent');
  await order('o-1', 'unlucky');
  await tester.waitEvents();
  const [retry] = tester.clock.pending();
  await new Promise((resolve) => setTimeout(resolve, 1_500)); // longer than the wait before the second attempt
  await tester.waitEvents();
  expect(tester.clock.pending()[0]).toEqual(retry);
  await tester.sleep(10);
  await tester.clock.advance('5s');
  expect(receipts.getCapturedEvents()).toHaveLength(1);
});

test('an event that fails for good is a dead letter, and the log says so', async () => {
  await order('o-1', 'doomed');
  await tester.clock.advance('10m');
  const attempts = tester.logs().filter(({ action }) => action === 'run_failed' || action === 'event_dead');
  expect(attempts.map(({ action }) => action)).toEqual(['run_failed', 'run_failed', 'run_failed', 'event_dead']);
  expect(await tester.deadLetters('SendReceipt')).toMatchObject([{ step: 'SendReceipt', attempts: 4 }]);
  expect(await tester.deadLetters('Remind')).toEqual([]);
});

test('events of a FIFO step do not wait in their place', async () => {
  const done = await tester.watch<{ stage: string }>('stage.done');
  for (const stage of ['paid', 'packed', 'sent']) {
    await tester.emit({ topic: 'order.stage', data: { stage }, messageGroupId: 'o-1' });
  }
  await tester.waitEvents();
  expect(done.getCapturedEvents().map(({ data }) => data)).toEqual([
    { stage: 'paid', attempt: 3 },
    { stage: 'packed', attempt: 3 },
    { stage: 'sent', attempt: 3 },
  ]);
});

test('what does not end is told', async () => {
  const own = await createMotiaTester({ project, timeout: 300 });
  await own.emit({ topic: 'hang', data: {} });
  await expect(own.waitEvents()).rejects.toThrow(/after 300 ms there is still work:\n {2}- Hang \(hang\): 1 running/);
  await expect(own.clock.advance('1s')).rejects.toMatchObject({ code: 'TEST_TIMEOUT' });
  const closedAfter = performance.now();
  await own.close();
  expect(performance.now() - closedAfter).toBeLessThan(10_000); // and not the 25 s of production
});

test('testers share nothing', async () => {
  await using other = await createMotiaTester({ project });
  const seen = await other.watch('receipt.sent');
  await order('o-1');
  await tester.waitEvents();
  await other.waitEvents();
  expect([await other.state.get('orders', 'o-1'), seen.getCapturedEvents(), other.logs()]).toEqual([null, [], []]);
});

test('a tester has the environment of its time, though its thread was started before', async () => {
  const step = `export const config = { type: 'api', name: 'Env', path: '/env', method: 'GET', emits: [] };
export const handler = async () => ({ status: 200, body: [process.env.OF_THE_FIRST, process.env.OF_THE_SECOND] });`;
  await using own = await createProject({ files: { 'package.json': '{}', 'steps/env.step.ts': step } });
  const envOf = async (name: string) => {
    process.env[name] = 'set';
    await using one = await createMotiaTester({ project: own.root });
    delete process.env[name];
    return (await one.get('/env')).body;
  };
  expect(await envOf('OF_THE_FIRST')).toEqual(['set', null]);
  expect(await envOf('OF_THE_SECOND')).toEqual([null, 'set']);
});

test('testers may begin side by side, with a project that was never compiled', async () => {
  const { root } = await createProject({ copyOf: fixtureApp('orders') });
  const testers = await Promise.all([1, 2, 3].map(() => createMotiaTester({ project: root })));
  const answers = await Promise.all(
    testers.map((own, n) => own.post('/orders', { body: { id: `o-${n}`, customer: 'Ada' } })),
  );
  expect(answers.map(({ body }) => body)).toEqual([{ id: 'o-0' }, { id: 'o-1' }, { id: 'o-2' }]);
  expect(new Set(testers.map(({ url }) => url)).size).toBe(3);
  await Promise.all(testers.map((own) => own.close()));
});

test('a cron step can be run, mistakes are told', async () => {
  const reports = await tester.watch('report.sent');
  await tester.trigger('Report');
  await tester.waitEvents();
  expect(reports.getCapturedEvent(0)).toMatchObject({ topic: 'report.sent', data: { orders: 0 } });
  expect(reports.getCapturedEvent(0)?.traceId).toMatch(/^[0-9a-f]{32}$/);
  await expect(tester.trigger('Nothing')).rejects.toMatchObject({ code: 'UNKNOWN_STEP' });
  await expect(tester.clock.advance('soon')).rejects.toThrow('"soon" is no length of time');
  await expect(tester.clock.advanceTo('2001-01-01')).rejects.toThrow('has passed');
  await expect(createMotiaTester({ project, startTime: '2001-01-01' })).rejects.toThrow('has passed');
  const broken = await createProject({ files: { 'src/broken.step.ts': 'export const config = {' } });
  await expect(createMotiaTester({ project: broken.root })).rejects.toMatchObject({ code: 'PROJECT_INVALID' });
});

const SCRIPT = `
  import { createMotiaTester } from ${JSON.stringify(KIT)};
  const tester = await createMotiaTester({ project: process.argv[2] });
  await tester.post('/orders', { body: { id: 'o-1', customer: 'unlucky' } });
  if (process.argv[3] === 'close') await tester.close();
  console.log('done');
  if (process.argv[3] !== 'close') setInterval(() => {}, 1000);
`;

/** A process of its own, which has said that it is done with what it was to do, and whose temporary files are in a folder of their own. */
async function startProcess(file: string, script: string, ...args: string[]) {
  const { path } = await createProject({ files: { [file]: script } });
  const folder = path('tmp');
  await mkdir(folder);
  const child = spawn(process.execPath, [path(file), ...args], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(async () => void (await killProcessesWith(folder))); // of a test that fails
  const [said] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
  expect(String(said)).toBe('done\n');
  return { child, folder };
}

const testProcess = (end: 'close' | 'crash') => startProcess('test.mjs', SCRIPT, project, end);

const isEmpty = (folder: string) => existsSync(folder) && readdirSync(folder).length === 0;

test('a process whose testers are closed ends by itself, and leaves nothing', async () => {
  const { child, folder } = await testProcess('close');
  await waitFor(() => child.exitCode !== null, { what: 'the end of the process' });
  expect(child.exitCode).toBe(0);
  await waitFor(async () => isEmpty(folder) && (await processesWith(folder)).length === 0, { what: 'nothing left' });
});

/** Says when a thread has nothing left to do but to wait for an app. */
const TELL_READY = `
  const { isMainThread, MessagePort } = require('node:worker_threads');
  const { writeSync } = require('node:fs');
  const { postMessage } = MessagePort.prototype;
  MessagePort.prototype.postMessage = function (...message) {
    if (!isMainThread && message[0] === 'ready') writeSync(1, 'ready');
    return postMessage.apply(this, message);
  };
`;

test('a process that makes no tester ends by itself, but not while a thread starts', async () => {
  const { path } = await createProject({
    files: { 'tell.cjs': TELL_READY, 'test.mjs': `import ${JSON.stringify(new URL('head-start.js', KIT).href)};` },
  });
  const run = promisify(execFile)(process.execPath, ['--require', path('tell.cjs'), path('test.mjs')]);
  expect((await run).stdout).toBe('ready');
});

/** A process that loads a module and stays, and what it has started. */
const startedBy = async (specifier: string) => {
  const script = `require('${specifier}'); console.log('done'); setInterval(() => {}, 1000);`;
  const { child, folder } = await startProcess('test.cjs', script);
  const started = async () =>
    (await processesWith(folder)).filter(({ pid }) => pid !== child.pid).map(({ commandLine }) => commandLine);
  return { child, folder, started };
};

test('the server of the first tester starts with the import, and goes with the process; the mocks start nothing', async () => {
  const [kit, mocks] = await Promise.all([startedBy('motia/testing'), startedBy('motia/testing/mocks')]);
  await waitFor(async () => (await kit.started()).some((command) => command.includes('nats-server')), { what: 'it' });
  expect(await mocks.started()).toEqual([]);
  kit.child.kill('SIGKILL');
  const left = async () => (await kit.started()).length + readdirSync(kit.folder).length;
  await waitFor(async () => (await left()) === 0, { what: 'nothing left' });
});

test('a process that is killed leaves nothing', async () => {
  const { child, folder } = await testProcess('crash');
  expect((await processesWith(folder)).length).toBeGreaterThan(0);
  child.kill('SIGKILL');
  await waitFor(async () => isEmpty(folder) && (await processesWith(folder)).length === 0, { what: 'nothing left' });
});
