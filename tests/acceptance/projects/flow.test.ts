/** Events as projects emit them: topics of every form, not awaited, to several steps, to none. */
import { beforeAll, describe, expect, test } from 'vitest';
import { type RunningCli, startCli } from '../../helpers/cli.ts';
import { send } from '../../helpers/http.ts';
import { createProject, fixtureApp } from '../../helpers/project.ts';

/** Those of the project, from its `lib/topics.ts`. */
const topics = [
  'orderCreated',
  'order.created.v2',
  'order:created',
  'order created',
  'order/created',
  'bestellung-größe',
  '*',
  '>',
  '$JS.API',
  'a..b',
  '.edge.',
];

let cli: RunningCli;
beforeAll(async () => {
  cli = await startCli('dev', await createProject({ copyOf: fixtureApp('flow'), packages: { zod: 'zod3' } }));
});

/** @returns the trace id. */
async function emit(events: object[], awaited: boolean): Promise<string> {
  const { status, json } = await post('/emit', { events, awaited });
  expect(status).toBe(202);
  return json().id;
}
const post = (path: string, body: unknown) =>
  send(cli.url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

test('names may hold spaces, dots, slashes, colons, brackets and any script', () => {
  expect(cli.logs({ level: 'error' })).toEqual([]);
  const created = cli.logs({ action: 'step_created' }).map(({ msg }) => msg);
  for (const name of ['api: Emit / Übung (1.0) [test]', 'a.b/c d:e', '第二', 'Receive everything']) {
    expect(created).toContainEqual(expect.stringContaining(` ${name}`));
  }
});

describe.each([true, false])('emitted, awaited: %s', (awaited) => {
  test.each(topics)(
    'topic "%s" arrives once, and what its step emits without waiting arrives at both subscribers',
    async (topic) => {
      const traceId = await emit([{ topic, data: { topic } }], awaited);
      expect(await cli.waitForLog({ msg: 'received', traceId })).toMatchObject({
        step: 'Receive everything',
        input: { topic },
        attempt: 1,
      });
      expect(await cli.waitForLog({ msg: 'relayed', traceId })).toMatchObject({ step: 'a.b/c d:e', of: traceId });
      expect(await cli.waitForLog({ msg: 'relayed too', traceId })).toMatchObject({ step: '第二', of: traceId });
      await cli.waitForLog({ msg: 'after the end', traceId }); // a timer that outlives its handler
      expect(cli.logs({ msg: 'received', traceId })).toHaveLength(1);
      expect(cli.logs({ msg: 'relayed', traceId })).toHaveLength(1);
    },
  );
});

test('emit resolves with nothing', async () => {
  const traceId = await emit([{ topic: 'nobody-listens', data: 1 }], true);
  expect(await cli.waitForLog({ msg: 'emitted', traceId })).toMatchObject({ result: true });
});

test('equal events of one handler all arrive', async () => {
  const event = { topic: 'labelled', data: { id: 'same' } };
  const traceId = await emit([event, event, event], false);
  await cli.waitForLog(({ msg }) => msg === 'labelled' && cli.logs({ msg: 'labelled', traceId }).length === 3);
});

test.each<[what: string, data: unknown]>([
  ['null', null],
  ['a number', 0],
  ['a text', 'é'],
  ['a list', [1, { a: null }]],
  ['an empty object', {}],
  ['a large object', { text: 'x'.repeat(100_000) }],
])(
  '%s arrives as it is, although the schema asks for something else: that is only warned about',
  async (_what, data) => {
    const traceId = await emit([{ topic: 'labelled', data }], true);
    const { input, type } = await cli.waitForLog({ msg: 'labelled', traceId });
    expect(type).toBe(typeof data);
    expect(input).toEqual(data);
    expect(await cli.waitForLog({ action: 'input_invalid', traceId })).toMatchObject({
      level: 'warn',
      step: 'Labelled',
    });
  },
);

test('a topic that is not declared is not sent, which the log says; the promise resolves', async () => {
  expect((await post('/undeclared', {})).text).toBe('resolved');
  const record = await cli.waitForLog({ action: 'undeclared_topic' });
  expect(record).toMatchObject({ level: 'error', step: 'Undeclared', topic: 'orderCreated' });
  expect(record.msg).toContain('steps/undeclared.step.ts');
  expect(cli.logs({ msg: 'received', traceId: record.traceId })).toEqual([]);
});

describe('an event that cannot be stored', () => {
  test.each(['ignored', 'waited'])('fails the call whose handler does not deal with that (%s)', async (how) => {
    const { status, json } = await post(`/unstorable/${how}`, {});
    expect(status).toBe(500);
    expect(await cli.waitForLog({ errorId: json().errorId })).toMatchObject({ err: { code: 'INVALID_VALUE' } });
  });

  test.each(['caught', 'caught-later'])('is the business of a handler that does (%s)', async (how) => {
    expect((await post(`/unstorable/${how}`, {})).status).toBe(200);
  });

  test('fails the run of an event', async () => {
    const traceId = await emit([{ topic: 'orderCreated', data: { unstorable: true } }], true);
    expect(await cli.waitForLog({ action: 'event_dead', traceId })).toMatchObject({
      step: 'No retries',
      err: { code: 'INVALID_VALUE' },
    });
  });
});

test('without any declared topic all may be emitted', async () => {
  expect((await post('/any', { topic: 'labelled', data: { id: 'any' } })).status).toBe(204);
  await cli.waitForLog(({ msg, input }) => msg === 'labelled' && (input as { id?: string } | null)?.id === 'any');
});

describe('infrastructure', () => {
  test('`maxRetries: 0` is one attempt', async () => {
    const traceId = await emit([{ topic: 'orderCreated', data: { fail: true } }], true);
    expect(await cli.waitForLog({ action: 'event_dead', traceId })).toMatchObject({
      step: 'No retries',
      attempt: 1,
      err: { message: 'as told' },
    });
    expect(cli.logs({ msg: 'strict', traceId })).toMatchObject([{ attempt: 1 }]);
  });

  test('`handler.timeout` ends a run that never would', async () => {
    const traceId = await emit([{ topic: 'orderCreated', data: { hang: true } }], true);
    expect(await cli.waitForLog({ action: 'event_dead', traceId })).toMatchObject({
      step: 'No retries',
      err: { code: 'RUN_TIMEOUT' },
    });
  });
});
