/** A new version of an app comes in place of the old one under load, one process after the other: nobody notices. */
import { expect, test } from 'vitest';
import { startNatsServer } from '../../testing/nats-server.ts';
import { startProxy } from '../acceptance/deploy/compose-processes.ts';
import { json } from '../acceptance/failures/cluster.ts';
import { type Command, type RunningCli, startCli } from '../helpers/cli.ts';
import { freePort } from '../helpers/free-port.ts';
import { findHaproxy } from '../helpers/haproxy.ts';
import { createProject, type Project } from '../helpers/project.ts';
import { pythonEnvironment } from '../helpers/python.ts';
import { type Call, countAnswers, startLoad } from '../helpers/steady-load.ts';
import { eventually } from '../helpers/wait-for.ts';

const PER_SECOND = 50;
const ROLES: Command[] = ['gateway', 'gateway', 'worker', 'worker', 'python-worker', 'scheduler', 'scheduler'];

const apiStep = (name: string, method: string, path: string, body: string, emits = '[]') => `
export const config = { type: 'api', name: '${name}', method: '${method}', path: '${path}', emits: ${emits} };
export const handler = async ({ pathParams: { id } }, { emit }) => {
  ${body}
};`;
const note = (step: string) => `
import { appendFileSync } from 'node:fs';
const note = (id) => appendFileSync(process.env.RECORD_FILE, '${step} ' + id + '\\n');`;

/** Steps of both languages that tell the version that they are of; `more` are those that it alone has. */
const filesOf = (version: string, more: Record<string, string>): Record<string, string> => ({
  'package.json': '{ "name": "rolled", "type": "module" }',
  'steps/version.step.js': apiStep('Version', 'GET', '/version', `return { status: 200, body: '${version}' };`),
  'steps/order.step.js': apiStep(
    ...(['Order', 'POST', '/orders/:id'] as const),
    "await emit({ topic: 'ordered', data: { id } }); return { status: 200, body: 'ordered' };",
    "['ordered']",
  ),
  'steps/pack.step.js': `${note('Pack')}
export const config = { type: 'event', name: 'Pack', subscribes: ['ordered'], emits: [] };
export const handler = async ({ id }) => note(id);`,
  'steps/tick.step.js': `${note('Tick')}
export const config = { type: 'cron', name: 'Tick', cron: '* * * * * *', emits: [] };
export const handler = async () => note(Date.now());`,
  'steps/version_step.py': `
config = {"type": "api", "name": "VersionPython", "method": "GET", "path": "/python/version", "emits": []}

async def handler(req, context):
    return {"status": 200, "body": "${version}"}
`,
  'steps/order_step.py': `
config = {"type": "api", "name": "OrderPython", "method": "POST", "path": "/python/orders/:id", "emits": ["ordered"]}

async def handler(req, context):
    await context.emit({"topic": "ordered", "data": {"id": req["pathParams"]["id"]}})
    return {"status": 200, "body": "ordered"}
`,
  'steps/pack_step.py': `
import os

config = {"type": "event", "name": "PackPython", "subscribes": ["ordered"], "emits": []}

async def handler(event, context):
    with open(os.environ["RECORD_FILE"], "a") as file:
        file.write(f"PackPython {event['id']}\\n")
`,
  ...more,
});

test(`every process is replaced by one of a new version at ${PER_SECOND} calls/s`, {
  timeout: 300_000,
}, async (context) => {
  const python = await pythonEnvironment(context);
  const haproxy = await findHaproxy();
  context.skip(typeof haproxy === 'string', String(haproxy));
  if (typeof haproxy === 'string') return;
  const old = await createProject({ files: { ...filesOf('one', {}), record: '' } });
  const news = { 'steps/news.step.js': apiStep('News', 'GET', '/news', "return { status: 200, body: 'news' };") };
  const next = await createProject({ files: filesOf('two', news) });
  await using server = await startNatsServer();
  const env = { ...python, NATS_URL: server.url, RECORD_FILE: old.path('record'), MOTIA_DRAIN_DELAY: '3' };

  const provision = async (project: Project) => {
    const cli = await startCli('provision', project, { env, ready: false });
    expect(await cli.exited, cli.output()).toBe(0);
  };
  // Those that are to come have their places in the list of the proxy already, as names in the DNS of an orchestrator.
  const places = await Promise.all(
    Array.from({ length: 4 }, async () => ({ port: String(await freePort()), check: String(await freePort()) })),
  );
  const free = [...places];
  const start = (role: Command, project: Project): Promise<RunningCli> => {
    const place = role === 'gateway' ? free.shift() : undefined;
    const args = place ? ['--host', '127.0.0.1', '--port', place.port] : [];
    const own = place && { MOTIA_METRICS_PORT: place.check };
    return startCli(role, project, { args, env: { ...env, ...own }, readyWithin: 60_000 });
  };

  await provision(old);
  const former = await Promise.all(ROLES.map((role) => start(role, old)));
  const url = await startProxy(
    next,
    haproxy,
    places.map(({ port, check }) => ({ host: `127.0.0.1:${port}`, check })),
  );
  const get = (path: string): Promise<Response> => fetch(url + path, { signal: AbortSignal.timeout(30_000) });
  const post = (path: string): Promise<Response> =>
    fetch(url + path, { ...json({}), signal: AbortSignal.timeout(30_000) });
  const calls: Record<string, Call> = {
    version: () => get('/version'),
    order: (id) => post(`/orders/${id}`),
    'python version': () => get('/python/version'),
    'python order': (id) => post(`/python/orders/${encodeURIComponent(id)}`),
  };
  await eventually(async () => (await get('/version')).ok && (await get('/python/version')).ok, 'an app that serves');

  const load = startLoad(calls, PER_SECOND);
  await provision(next);
  const began = Date.now();
  for (const [n, role] of ROLES.entries()) {
    await start(role, next);
    expect(await former[n]?.stop('SIGTERM'), `${role} ${former[n]?.output()}`).toBe(0);
  }
  expect((await get('/news')).status, 'the new route').toBe(200);
  const ended = Date.now();
  const answers = await load.stop();
  console.log(`${answers.length} calls, ${JSON.stringify(countAnswers(answers))}, replaced in ${ended - began} ms`);

  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  for (const kind of ['version', 'python version']) {
    const versions = answers.filter((answer) => answer.kind === kind).map(({ text }) => text);
    expect(new Set(versions), kind).toEqual(new Set(['one', 'two']));
    expect(versions.at(-1), kind).toBe('two');
  }
  const versions = answers.filter(({ kind }) => kind === 'version').map(({ text }) => text);
  expect(versions.indexOf('two'), 'both at a time').toBeLessThan(versions.lastIndexOf('one'));

  const orders = answers.filter(({ kind }) => kind.endsWith('order')).map(({ id }) => id);
  const notes = async () => (await old.read('record')).split('\n');
  const missing = async () => {
    const done = new Set(await notes());
    return orders.flatMap((id) => [`Pack ${id}`, `PackPython ${id}`]).filter((run) => !done.has(run));
  };
  await eventually(async () => (await missing()).length === 0, 'every order to be packed in both languages');
  const ticks = async () => (await notes()).filter((line) => line.startsWith('Tick')).length;
  const before = await ticks();
  await eventually(async () => (await ticks()) > before, 'another tick');
});
