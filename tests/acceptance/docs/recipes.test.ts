/** The steps of the documentation run, all in one app, and do what the recipes promise. */
import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningCli, startCli } from '../../helpers/cli.ts';
import { openStream } from '../../helpers/http.ts';
import { codeBlocks, documentationPages } from '../../helpers/markdown.ts';
import type { Project } from '../../helpers/project.ts';
import { testPython } from '../../helpers/python.ts';
import { shellCommands } from '../../helpers/shell-words.ts';
import { eventually } from '../../helpers/wait-for.ts';
import { documentationProject } from './documentation.ts';

const execute = promisify(execFile);
const SECRET = 'key';

let app: RunningCli;
let project: Project;
let services: Server;
let hasPython: boolean;
let placesAsked = 0;

beforeAll(async () => {
  services = startServices();
  await once(services, 'listening');
  const url = `http://127.0.0.1:${(services.address() as AddressInfo).port}`;
  const python = await testPython();
  hasPython = python !== undefined;
  project = await documentationProject();
  await project.write('me.png', new Uint8Array([0x89, 0x50, 0x4e, 0x47]));
  const settings = { WEBHOOK_SECRET: SECRET, PLACES_URL: url, MODEL_URL: url, MODEL_KEY: 'k', API_TOKEN: 't' };
  app = await startCli('dev', project, { env: { ...settings, ...(python && { MOTIA_PYTHON: python }) } });
}, 60_000);
afterAll(() => void services.close());

/** What the steps call: places that answer 429 at first, and a language model. */
function startServices(): Server {
  const piece = (content: string) => `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`;
  return createServer(async (req, res) => {
    if (req.url?.startsWith('/search')) {
      placesAsked++;
      if (placesAsked === 1) res.writeHead(429, { 'retry-after': '0.1' }).end();
      else res.writeHead(200, { 'content-type': 'application/json' }).end('{"lat":52.5}');
      return;
    }
    let text = '';
    for await (const chunk of req) text += chunk;
    const prompt: string = JSON.parse(text).messages[0].content;
    if (prompt === 'forbidden') return void res.writeHead(400).end();
    res.write(piece('Hello, '));
    res.end(`${piece(prompt)}data: [DONE]\n\n`);
  }).listen(0, '127.0.0.1');
}

async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const json = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await app.fetch(path, {
    method,
    // The admin API takes no change that a form could make.
    headers: { ...(method !== 'GET' && { 'content-type': 'application/json' }), ...headers },
    ...json,
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json');
  return { status: response.status, body: isJson ? JSON.parse(text) : text };
}

const stateOf = async (group: string, key: string) =>
  (await call('GET', `/__motia/api/v1/state/groups/${encodeURIComponent(group)}/items/${encodeURIComponent(key)}`)).body
    .value;
const emit = (topic: string, data: unknown, more = {}) =>
  call('POST', '/__motia/api/v1/events', { topic, data, ...more });

test('all of them load, and none has the name or the path of another one', () => {
  const wrong = (record: { action?: string; level: string }) =>
    record.action === 'step_broken' || record.action === 'project_warning' || record.level === 'error';
  expect(app.logs(wrong)).toEqual([]);
});

test('what pages ask with curl is answered', async (context) => {
  const served = documentationPages()
    .map(codeBlocks)
    .filter((blocks) => blocks.some(({ file, frame }) => file && !frame));
  const lines = served
    .flat()
    .filter(({ language, page }) => language === 'sh' && page.startsWith('docs'))
    .flatMap(({ code }) => shellCommands(code))
    .filter((words) => words[0] === 'curl' && !words.some((word) => /<\w+>/.test(word)));
  expect(lines.length).toBeGreaterThan(2);
  for (const [, ...args] of lines) {
    const there = args.map((arg) => arg.replace('localhost:3000', app.url));
    const asked = execute('curl', ['-sS', '--fail-with-body', '--max-time', '20', ...there], { cwd: project.root });
    await asked.catch((error) => {
      context.skip(error.code === 'ENOENT', 'there is no curl');
      throw new Error(`curl ${args.join(' ')}: ${error.stderr}${error.stdout}`);
    });
  }
});

test('a webhook that comes twice is booked once, and none with a wrong signature', async () => {
  const body = '{ "id": "p1", "account": "acme", "amount": 5 }';
  const post = (signature: string) =>
    app.fetch('/webhooks/payments', {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', 'x-signature': signature },
    });
  const signature = createHmac('sha256', SECRET).update(body).digest('hex');
  expect((await post('abcd')).status).toBe(401);
  expect([(await post(signature)).status, (await post(signature)).status]).toEqual([202, 202]);
  // Past the broker's window as well: under another id of the event.
  await emit('payment.reported', JSON.parse(body), { id: 'later' });
  await emit('payment.reported', { id: 'p2', account: 'acme', amount: 1 });
  await eventually(async () => (await stateOf('accounts', 'acme'))?.booked.includes('p2'));
  expect(await stateOf('accounts', 'acme')).toEqual({ balance: 6, booked: expect.arrayContaining(['p1', 'p2']) });
});

test('a report is finished by its last page', async () => {
  const { body } = await call('POST', '/reports', { pages: ['one two', 'three', 'four five six'] });
  await eventually(async () => (await stateOf('reports', body.id))?.total === 6);
});

test('the progress of a long job is followed', async () => {
  const { body } = await call('POST', '/exports', { user: 'ann', rows: 20 });
  expect(body).toMatchObject({ done: 0, of: 20, id: expect.any(String) });
  const followed = await openStream(`${app.url}/__motia/streams/job/ann/${body.id}`);
  await followed.until('"done":20');
  followed.leave();
});

test('a service that has had enough is asked again when it says so', async () => {
  await emit('address.added', { id: '1', address: 'Unter den Linden 1' });
  await eventually(async () => (await stateOf('places', '1'))?.lat === 52.5);
  expect(placesAsked).toBe(2);
});

test('an expense waits for the one who decides first', async () => {
  expect((await call('POST', '/expenses', { what: 'pen', amount: 2 })).body.waits).toBe(false);
  const { id } = (await call('POST', '/expenses', { what: 'chair', amount: 300 })).body;
  const path = `/expenses/${id}/decision`;
  const answers = await Promise.all(['ann', 'bob'].map((by) => call('POST', path, { approved: by === 'ann', by })));
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  expect((await call('POST', '/expenses/none/decision', { approved: true, by: 'ann' })).status).toBe(404);
  await emit('expense.forgotten', { id: (await call('POST', '/expenses', { what: 'desk', amount: 900 })).body.id });
  await app.waitForLog({ msg: 'nobody has decided for three days' });
});

test('an image is kept, and anything else refused', async () => {
  const post = (type: string) => {
    const form = new FormData();
    form.set('avatar', new Blob(['abc'], { type }), '../../me.png');
    return app.fetch('/avatars', { method: 'POST', body: form });
  };
  expect((await post('text/plain')).status).toBe(400);
  const { id, size } = (await (await post('image/png')).json()) as { id: string; size: number };
  expect(size).toBe(3);
  expect(await readdir(project.path('uploads'))).toContain(`${id}.png`);
});

test('what a language model says comes through, and what it refuses is no answer', async () => {
  expect(await call('POST', '/chat', { prompt: 'Ada' })).toEqual({ status: 200, body: 'Hello, Ada' });
  const { status, body } = await call('POST', '/chat', { prompt: 'forbidden' });
  expect(status).toBe(500);
  // As docs/troubleshooting.md says.
  const found = async () => (await call('GET', `/__motia/api/v1/logs?text=${body.errorId}`)).body;
  await eventually(async () => JSON.stringify(await found()).includes('the model answered 400'));
});

test.each([
  ['Rome', { status: 'booked', hotel: 'hotel in Rome', flight: 'flight to Rome' }],
  ['Atlantis', { status: 'failed', reason: 'Error: nobody flies there' }],
  ['Fogtown', { status: 'failed', reason: 'Error: the airline does not answer' }],
])('a trip to %s', async (to, outcome) => {
  const { trip } = (await call('POST', '/trips', { to })).body;
  await eventually(async () => (await stateOf('trips', trip))?.status === outcome.status);
  expect(await stateOf('trips', trip)).toEqual({ to, ...outcome });
});

test('days that were missed are billed, each once', async () => {
  const dayAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
  await call('PUT', '/__motia/api/v1/state/groups/billing/items/closed%20until', dayAgo(4));
  expect((await call('POST', '/__motia/api/v1/cron/CloseDays/trigger')).status).toBe(202);
  await eventually(async () => (await stateOf('bills', dayAgo(1))) !== undefined);
  expect(await stateOf('bills', dayAgo(3))).toBeDefined();
  expect(await stateOf('bills', dayAgo(4))).toBeUndefined();
});

test('Python counts words for TypeScript', async (context) => {
  context.skip(!hasPython, 'there is no Python that can run the worker');
  const { id } = (await call('POST', '/texts', { text: 'tea tea tea milk milk sugar' })).body;
  const found = await eventually(async () => {
    const answer = await call('GET', `/texts/${id}`);
    return answer.status === 200 ? answer : undefined;
  });
  expect(found.body).toEqual({ words: ['tea', 'milk', 'sugar'] });
});

test('only who has the token is told', async () => {
  expect((await call('GET', '/secret')).status).toBe(401);
  expect((await call('GET', '/secret', undefined, { authorization: 'Bearer t' })).body).toEqual({ secret: 42 });
});

test('changes of a wallet keep their order', async () => {
  for (const change of [1, 2, 3, 4, 5]) {
    await emit('wallet.changed', { customer: 'bob', change }, { messageGroupId: 'bob' });
  }
  await eventually(async () => (await stateOf('wallets', 'bob'))?.length === 5);
  expect(await stateOf('wallets', 'bob')).toEqual([1, 2, 3, 4, 5]);
});

test('the steps that the README and the rules for assistants show', async () => {
  expect((await call('GET', '/hello?name=Ada')).body).toEqual({ message: 'Hello!' });
  if (hasPython) await eventually(async () => (await stateOf('counts', 'Ada')) === 1);
  const { status, body } = await call('POST', '/orders', { item: 'tea', customer: 'ann' });
  expect(status).toBe(202);
  await eventually(async () => (await stateOf('orders', body.id))?.status === 'packed');
  if (hasPython) await app.waitForLog({ msg: 'Shipping' });
});

test('the steps that are written in Python', async (context) => {
  context.skip(!hasPython, 'there is no Python that can run the worker');
  expect(await call('POST', '/books', { title: 'Emma', pages: 400 })).toMatchObject({ status: 201 });
  await eventually(async () => (await stateOf('books', 'Emma'))?.read === true);
  await emit('book.added', { title: 'Blank', pages: 0 });
  await app.waitForLog({ action: 'event_dead', step: 'ReadBook' });
  await call('POST', '/__motia/api/v1/cron/CountShelf/trigger');
  await app.waitForLog({ msg: 'books', count: 1 });
});
