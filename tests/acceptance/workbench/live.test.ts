/** What the Workbench sees of an app at work, in both languages: activity, payloads, replays, what waits for its time. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SpanNode } from '../../../shared/broker/telemetry-trace.ts';
import { type RunningCli, startCli } from '../../helpers/cli.ts';
import { openStream, send } from '../../helpers/http.ts';
import { createProject, type Project } from '../../helpers/project.ts';
import { testPython } from '../../helpers/python.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const python = await testPython();

const files = {
  'package.json': '{ "name": "live", "type": "module" }',
  'motia.config.ts': "export default { logs: { redact: ['card.number'] } };",
  'src/order.step.ts': `
    export const config = { type: 'api', name: 'Order', method: 'POST', path: '/orders/:id', flows: ['shop'], emits: ['made', 'later'] };
    export const handler = async (req: any, { emit, state, traceId }: any) => {
      await state.set('orders', req.pathParams.id, req.body);
      await emit({ topic: 'made', data: req.body });
      if (req.queryParams.later) await emit({ topic: 'later', data: { later: true }, delay: 3600 });
      return { status: 201, headers: { 'set-cookie': 'session=1' }, body: { traceId, secret: 's' } };
    };`,
  'src/chat.stream.ts': `
    export const config = { name: 'chat', schema: { type: 'object' }, baseConfig: { storageType: 'default' } };`,
  'src/later.step.ts': `
    export const config = { type: 'event', name: 'Later', subscribes: ['later'], emits: [] };
    export const handler = async (input: any, { logger }: any) => logger.info('later', { input });`,
};
const pack = {
  'src/pack.step.ts': `
    export const config = { type: 'event', name: 'Pack', subscribes: ['made'], emits: ['packed'],
      infrastructure: { queue: { maxRetries: 1, backoff: { initial: 3600 } } } };
    export const handler = async (input: any, { emit, state, logger }: any) => {
      if (input.fails) throw new Error('no box');
      logger.info('packing', { n: input.n });
      await state.get('orders', '1');
      await emit({ topic: 'packed', data: { ...input, password: 'p' } });
    };`,
};
const packInPython = {
  'src/pack_step.py': `
config = {"type": "event", "name": "Pack", "subscribes": ["made"], "emits": ["packed"],
          "infrastructure": {"queue": {"maxRetries": 1, "backoff": {"initial": 3600}}}}

async def handler(data, context):
    if data.get("fails"):
        raise Exception("no box")
    context.logger.info("packing", {"n": data["n"]})
    await context.state.get("orders", "1")
    await context.emit({"topic": "packed", "data": {**data, "password": "p"}})
`,
};

let project: Project;
let cli: RunningCli;
beforeAll(async () => {
  if (python === undefined) console.error('SKIPPED: payloads of Python steps, since there is no Python');
  project = await createProject({ files: { ...files, ...(python === undefined ? pack : packInPython) } });
  const env = python === undefined ? {} : { MOTIA_PYTHON: python };
  cli = await startCli('dev', project, { env, readyWithin: 60_000 });
}, 120_000);
afterAll(() => cli.stop());

const admin = async (path: string, method = 'GET', body?: unknown) => {
  const response = await send(`${cli.url}/__motia/api/v1${path}`, {
    method,
    headers: { 'x-motia-request': '1' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: response.body.length > 0 ? response.json() : undefined };
};
const order = (id: string, body: unknown, headers: Record<string, string> = {}): Promise<string> =>
  send(`${cli.url}/orders/${id}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  }).then((response) => response.json().traceId);

test('activity: runs of the last minutes, what waits, and news', async () => {
  const news = await openStream(`${cli.url}/__motia/api/v1/activity/follow`);
  await news.until(': the activity');
  await Promise.all([order('1', { n: 1 }), order('2', { n: 2 }), order('3', { fails: true })]);
  const activity = async () => {
    const { body } = await admin('/activity');
    return { ...body, of: Object.fromEntries(body.steps.map((one: { step: string }) => [one.step, one])) };
  };
  await waitFor(async () => {
    const { Order, Pack } = (await activity()).of;
    return Order?.runs === 3 && Pack?.runs === 3;
  });
  const { of } = await activity();
  expect(of.Order).toEqual({ step: 'Order', runs: 3, failed: 0, running: 0, lastRunAt: expect.stringMatching(/Z$/) });
  expect(of.Pack).toMatchObject({ runs: 3, failed: 1 });
  const isIdle = {
    ...{ subscription: 'Pack=_made', step: 'Pack', topic: 'made' },
    waiting: 0,
    inFlight: 0,
    paused: false,
  };
  await expect.poll(async () => (await activity()).queues, { timeout: 10_000 }).toContainEqual(isIdle);
  const none = expect.objectContaining({ step: 'Order', runs: 0 }); // when the second is over in which they began
  await expect
    .poll(async () => (await admin('/activity?since=0s')).body.steps, { timeout: 5_000 })
    .toContainEqual(none);
  const told = () => {
    const steps = [...news.text().matchAll(/^data: (.*)$/gm)].flatMap(([, json = '']) => JSON.parse(json).steps);
    const of = (step: string, what: string) =>
      steps.filter((one) => one.step === step).reduce((sum, one) => sum + one[what], 0);
    return [of('Order', 'finished'), of('Pack', 'finished'), of('Pack', 'failed')];
  };
  await waitFor(() => told().join() === '3,3,1');
  news.leave();
});

/** The spans of a trace, by their names, when all of these are over. */
const spansOf = (traceId: string, ...names: string[]) =>
  waitFor(async () => {
    const { body } = await admin(`/traces/${traceId}`);
    const all: Record<string, SpanNode> = {};
    const add = (span: SpanNode) => {
      all[span.name] ??= span;
      span.children.forEach(add);
    };
    body?.roots?.forEach(add);
    return names.every((name) => all[name]?.running === false) ? all : undefined;
  });

test('payloads: what was sent, emitted and answered, without secrets', async () => {
  const body = { n: 4, card: { number: '4242', owner: 'o' } };
  const traceId = await order('4?token=t&x=1', body, { authorization: 'Bearer b' });
  const spans = await spansOf(traceId, 'POST /orders/:id', 'send made', 'send packed');
  const value = { n: 4, card: { number: '[redacted]', owner: 'o' } };
  expect(spans['POST /orders/:id']).toMatchObject({
    payload: {
      ...{ method: 'POST', path: '/orders/4', query: 'token=[redacted]&x=1', contentType: 'application/json' },
      ...{ headers: { authorization: '[redacted]', 'content-type': 'application/json' } },
      ...{ value, redacted: true, bytes: JSON.stringify(body).length },
    },
    response: { status: 201, headers: { 'set-cookie': '[redacted]' }, value: { traceId, secret: '[redacted]' } },
  });
  expect(spans['send made']?.payload).toMatchObject({ value, redacted: true, contentType: 'application/json' });
  expect(spans['send packed']?.payload).toMatchObject({ value: { ...value, password: '[redacted]' }, redacted: true });
  const { body: emitted } = await admin('/events', 'POST', { topic: 'later', data: { n: 5 } });
  const sent = (await spansOf(emitted.traceId, 'send later'))['send later'];
  expect(sent?.payload).toEqual({ contentType: 'application/json', bytes: 7, text: '{"n":5}', value: { n: 5 } });
});

const replay = (traceId: string, span: SpanNode | undefined, body?: unknown) =>
  admin(`/traces/${traceId}/spans/${span?.spanId}/replay`, 'POST', body);
const refused = (why: string) => ({ status: 409, body: { error: expect.stringContaining(why) } });

test('an attempt at an event is had again, by that step alone, in a trace of its own', async () => {
  const traceId = await order('1', { n: 60 });
  const spans = await spansOf(traceId, 'send made', 'process made');
  const again = await replay(traceId, spans['process made']);
  expect(again).toEqual({
    status: 202,
    body: { traceId: expect.stringMatching(/^[0-9a-f]{32}$/), id: expect.any(String) },
  });
  expect(again.body.traceId).not.toBe(traceId);
  const replayed = await spansOf(again.body.traceId, 'replay made', 'process made', 'send packed');
  expect(replayed['replay made']).toMatchObject({ links: [`00-${traceId}-${spans['process made']?.spanId}-01`] });
  expect(replayed['process made']?.attributes).toMatchObject({
    ...{ 'motia.step.name': 'Pack', 'motia.attempt': 1, 'messaging.message.id': again.body.id },
  });
  expect(replayed['send packed']?.payload).toMatchObject({ value: { n: 60, password: '[redacted]' } });
  const { body } = await replay(again.body.traceId, replayed['process made']); // and once more
  await spansOf(body.traceId, 'process made');

  expect((await replay(traceId, { spanId: '0'.repeat(16) } as SpanNode)).status).toBe(404);
  expect((await replay('e'.repeat(32), spans['process made'])).status).toBe(404);
  expect(await replay(traceId, spans['send made'])).toEqual(refused('only requests'));
});

test('a request is had again: with the same body, a new trace, and the secrets that are given for it', async () => {
  const traceId = await order('again', { n: 61 }, { authorization: 'Bearer b', 'idempotency-key': `k${Date.now()}` });
  const { 'POST /orders/:id': request } = await spansOf(traceId, 'POST /orders/:id');
  expect(await replay(traceId, request)).toEqual(refused('"authorization"'));
  const again = await replay(traceId, request, { headers: { Authorization: 'Bearer b' } });
  expect(again).toEqual({ status: 202, body: { traceId: expect.stringMatching(/^[0-9a-f]{32}$/), status: 201 } });
  const replayed = (await spansOf(again.body.traceId, 'POST /orders/:id', 'process made'))['POST /orders/:id'];
  expect(replayed).toMatchObject({
    links: [`00-${traceId}-${request?.spanId}-01`],
    payload: { value: { n: 61 }, path: '/orders/again' },
    response: { status: 201, value: { traceId: again.body.traceId } },
  });
  expect(replayed?.payload).not.toHaveProperty(['headers', 'x-motia-replay']);
  expect((await replay(traceId, request, { header: {} })).status).toBe(400);

  const secret = await order('1', { n: 62, password: 'p' });
  expect(await replay(secret, (await spansOf(secret, 'POST /orders/:id'))['POST /orders/:id'])).toEqual(
    refused('secrets'),
  );
  const long = await order('1', { n: 63, text: 'x'.repeat(20_000) });
  const longSpans = await spansOf(long, 'POST /orders/:id', 'process made');
  for (const name of ['POST /orders/:id', 'process made']) {
    expect(await replay(long, longSpans[name]), name).toEqual(refused('whole'));
  }
});

test('events that wait for their time: seen, thrown away, had at once', async () => {
  const failing = await order('1?later=1', { fails: true, n: 70 });
  const [lost, kept] = await Promise.all(
    [71, 72].map(
      async (n) => (await admin('/events', 'POST', { topic: 'later', data: { n }, delay: 3600 })).body.eventId,
    ),
  );
  type Waiting = { id: string; eventId: string; at: string; data: { n: number }; step?: string };
  const waiting = async (): Promise<Waiting[]> => (await admin('/scheduled')).body.items;
  const of = async (eventId: string) => (await waiting()).find((one) => one.eventId === eventId);
  const retry = await waitFor(async () => (await waiting()).find(({ data }) => data?.n === 70));
  expect(retry).toMatchObject({ step: 'Pack', topic: 'made', attempt: 2, data: { fails: true } });
  expect(Date.parse(retry.at) - Date.now()).toBeGreaterThan(60_000);
  const delayed = (await of(kept)) as Waiting;
  expect(delayed).toEqual({
    ...{ id: expect.any(String), eventId: kept, topic: 'later', data: { n: 72 } },
    at: expect.stringMatching(/Z$/),
  });
  const first = (await admin('/scheduled?limit=1')).body;
  expect([first.items.length, (await admin(`/scheduled?after=${first.next}`)).body.items.length]).toEqual([
    1,
    (await waiting()).length - 1,
  ]);

  expect((await admin(`/scheduled/${(await of(lost))?.id}`, 'DELETE')).status).toBe(204);
  expect(await of(lost)).toBeUndefined();
  for (const { id } of [delayed, retry]) {
    expect((await admin(`/scheduled/${id}/run`, 'POST')).status).toBe(202);
  }
  await cli.waitForLog((record) => JSON.stringify(record.input) === '{"n":72}');
  await waitFor(async () => {
    const { body } = await admin(`/traces/${failing}`);
    return JSON.stringify(body.roots).includes('"motia.attempt":2');
  });
  await waitFor(async () => (await admin('/dead-letters')).body.deadLetters.length === 1);
  const [letter] = (await admin('/dead-letters?data=true')).body.deadLetters;
  expect(letter).toMatchObject({ step: 'Pack', traceId: failing, attempts: 2, data: { fails: true, n: 70 } });
  expect((await admin('/dead-letters')).body.deadLetters[0]).not.toHaveProperty('data');
  const audited = { action: 'admin_change', actor: 'local', method: 'POST' };
  expect((await admin(`/dead-letters/${letter.id}/retry`, 'POST')).status).toBe(202);
  expect((await admin('/queues/Later=_later/pause', 'POST')).status).toBe(204);
  expect((await admin('/queues/Later=_later/resume', 'POST')).status).toBe(204);
  for (const path of [`/dead-letters/${letter.id}/retry`, '/queues/Later=_later/pause', `/scheduled/${retry.id}/run`]) {
    await cli.waitForLog({ ...audited, path: `/__motia/api/v1${path}` });
  }
  expect((await waiting()).map(({ eventId }) => eventId)).not.toContain(kept);
  for (const { id } of [delayed, retry]) {
    expect((await admin(`/scheduled/${id}/run`, 'POST')).status).toBe(404);
    expect((await admin(`/scheduled/${id}`, 'DELETE')).status).toBe(404);
  }
  expect((await admin('/scheduled?limit=0')).status).toBe(400);
});

test('what a trace has touched of the state', async () => {
  const traceId = await order('80', { n: 80 });
  await spansOf(traceId, 'state.set', 'state.get');
  expect((await admin(`/state/touched?trace=${traceId}`)).body).toEqual({
    keys: [
      { group: 'orders', key: '80', operations: ['set'], wrote: true },
      { group: 'orders', key: '1', operations: ['get'], wrote: false },
    ],
  });
  expect((await admin('/state/touched')).status).toBe(400);
});

test('how many clients follow a realtime stream here', async () => {
  const clients = async () => (await admin('/streams')).body;
  expect(await clients()).toMatchObject([{ name: 'chat', clients: 0 }]);
  const following = await openStream(`${cli.url}/__motia/streams/chat/a`);
  await waitFor(async () => (await clients())[0].clients === 1);
  following.leave();
  await waitFor(async () => (await clients())[0].clients === 0);
});
