/** Dead letters on a real broker: listed, shown, retried once and into the one subscription, thrown away. */
import { expect, test } from 'vitest';
import type { Broker } from '../../../shared/broker/connect.ts';
import { sourcesOf } from '../../../shared/broker/consumers.ts';
import { DeadLetterAdmin } from '../../../shared/broker/dead-letter-admin.ts';
import { type EventEnvelope, EventStore, readEnvelope } from '../../../shared/broker/events.ts';
import { provisionManifest } from '../../../shared/broker/provision.ts';
import { readPage } from '../../../shared/broker/stored-messages.ts';
import type { Names } from '../../../shared/protocol/subjects.ts';
import { createManifest, type StepEntry } from '../../../shared/steps/manifest.ts';
import type { Infrastructure } from '../../../shared/types.ts';
import { useNatsServer } from './harness.ts';

const harness = useNatsServer();
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const TRACEPARENT = `00-${TRACE}-b7ad6b7169203331-01`;
const ERROR = { name: 'Error', message: 'größer', stack: 'Error: größer\n    at handler' };

const subscriber = (name: string, queue: Infrastructure['queue'] = {}) =>
  ({
    ...{ id: name, name, file: `src/${name}.step.ts`, language: 'node', type: 'event', subscribes: ['user'] },
    ...{ emits: [], infrastructure: { queue } },
  }) as unknown as StepEntry;

async function provision(broker: Broker, names: Names, ...steps: StepEntry[]): Promise<void> {
  const manifest = createManifest({ app: names.app, steps, streams: [], settings: {} as never });
  await provisionManifest(broker, names, manifest, false);
}

/** An app with two subscriptions to one topic. */
async function open(...steps: StepEntry[]) {
  const { broker, names } = await harness.app();
  await provision(broker, names, ...(steps.length > 0 ? steps : [subscriber('mail'), subscriber('audit')]));
  const events = new EventStore(broker, names);
  const event = (id: string): EventEnvelope => ({
    ...{ id, topic: 'user', attempt: 4, emittedAt: 1_767_225_600_000, traceparent: TRACEPARENT, group: 'g' },
  });
  const bury = (
    id: string,
    step = 'mail',
    more: Partial<EventEnvelope> = {},
    durable = names.subscription(step, 'user'),
  ) =>
    events.bury({ ...event(id), ...more }, Buffer.from(`{"id":"${id}"}`), {
      step,
      durable,
      error: JSON.stringify(ERROR),
    });
  const waiting = async (subject: string) => (await readPage(broker, names.streams.events, subject, 1, 100)).messages;
  return { broker, names, events, letters: new DeadLetterAdmin(broker, names), bury, waiting };
}

test('a list is paged, of one step or all, and has what is needed to understand a dead letter', async () => {
  const { letters, bury } = await open();
  for (let n = 1; n <= 5; n++) await bury(`e${n}`, n === 3 ? 'audit' : 'mail');
  const first = await letters.list({ limit: 2 });
  expect(first).toMatchObject({ deadLetters: [{ id: '1' }, { id: '2' }], next: '2' });
  expect(await letters.list({ after: first.next, limit: 3 })).toEqual({
    deadLetters: [expect.objectContaining({ id: '3' }), expect.anything(), expect.objectContaining({ id: '5' })],
  });
  expect((await letters.list({ step: 'mail' })).deadLetters.map(({ id }) => id)).toEqual(['1', '2', '4', '5']);
  expect(await letters.list({ step: 'nobody' })).toEqual({ deadLetters: [] });
  expect(first.deadLetters[0]).toEqual({
    ...{ id: '1', step: 'mail', topic: 'user', eventId: 'e1', attempts: 4, group: 'g', traceId: TRACE },
    emittedAt: '2026-01-01T00:00:00.000Z',
    diedAt: expect.stringMatching(/^\d{4}-.*Z$/),
    error: { name: 'Error', message: 'größer' },
  });
  const shown = await letters.show('1');
  expect(shown).toMatchObject({ id: '1', data: { id: 'e1' }, error: ERROR });
  expect(Math.abs(Date.parse(shown.diedAt) - Date.now())).toBeLessThan(60_000);
});

test('what there is not, and what makes no sense, is told', async () => {
  const { letters, bury } = await open();
  await bury('e1');
  for (const act of ['show', 'retry', 'remove'] as const) {
    await expect(letters[act]('7')).rejects.toMatchObject({ code: 'NOT_FOUND', message: 'there is no dead letter 7' });
    await expect(letters[act]('e1')).rejects.toMatchObject({ code: 'INVALID_VALUE' });
  }
  for (const limit of [0, 501, 1.5]) {
    await expect(letters.list({ limit })).rejects.toMatchObject({ code: 'INVALID_VALUE' });
  }
  await expect(letters.list({ after: '-1' })).rejects.toMatchObject({ code: 'INVALID_VALUE' });
});

test('a retry reaches the one subscription as a first attempt in the same trace, with the emit as a link', async () => {
  const { names, letters, bury, waiting } = await open();
  await bury('e1');
  expect(await letters.retry('1')).toMatchObject({ id: '1', eventId: 'e1', step: 'mail' });
  expect((await letters.list()).deadLetters).toEqual([]);
  const [message, ...others] = await waiting(`${names.app}.>`);
  expect([message?.subject, others]).toEqual([names.retry(names.subscription('mail', 'user')), []]);
  const event = readEnvelope(message as never, '', 'user');
  expect(event).toMatchObject({ id: 'e1', attempt: 1, group: 'g', link: TRACEPARENT, retriedFrom: 1 });
  expect(event.emittedAt).toBe(1_767_225_600_000);
  expect(event.traceparent).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));
  expect(event.traceparent).not.toBe(TRACEPARENT);
  expect(Buffer.from(message?.data ?? []).toString()).toBe('{"id":"e1"}');
});

test('a retry that was stored but not taken away, as after a crash, is not stored again', async () => {
  const { broker, names, letters, bury, waiting } = await open();
  await bury('e1');
  const { deleteMessage } = broker.jsm.streams;
  let stored = 0;
  broker.jsm.streams.deleteMessage = async () => {
    stored = (await waiting(`${names.app}.>`)).length;
    throw new Error('killed here');
  };
  await expect(letters.retry('1')).rejects.toThrow('killed here');
  broker.jsm.streams.deleteMessage = deleteMessage;
  expect(stored).toBe(1);
  expect((await letters.list()).deadLetters).toHaveLength(1);
  await letters.retry('1');
  expect(await waiting(`${names.app}.>`)).toHaveLength(1);
  expect((await letters.list()).deadLetters).toEqual([]);
});

test('what dies again within two minutes is a dead letter again, and its retries are not taken for those before', async () => {
  const { broker, names, events, letters, bury, waiting } = await open();
  const durable = names.subscription('mail', 'user');
  const { traceparent, ...of } = { id: 'e1', topic: 'user', emittedAt: 1, traceparent: TRACEPARENT };
  const due = Date.now() + 60_000;
  const waits = async () => (await readPage(broker, names.streams.scheduled, `${names.app}.sched.>`, 1, 10)).messages;
  await events.scheduleRetry(durable, { ...of, traceparent, attempt: 1 }, Buffer.from('1'), due);
  const [before] = await waits();
  await bury('e1');
  await letters.retry('1');
  const [message] = await waiting(`${names.app}.>`);
  const retried = readEnvelope(message as never, '', 'user');
  await events.scheduleRetry(durable, retried, Buffer.from('1'), due);
  const [after] = await waits();
  expect(after?.sequence).toBeGreaterThan(before?.sequence ?? 0);
  await bury('e1', 'mail', { ...retried, attempt: 4 });
  const [again] = (await letters.list()).deadLetters;
  expect(again).toMatchObject({ id: '2', eventId: 'e1', attempts: 4 });
  await letters.retry('2');
  const last = (await waiting(`${names.app}.>`)).map((one) => readEnvelope(one, '', 'user'));
  expect(last).toMatchObject([{ retriedFrom: 1 }, { retriedFrom: 2, link: TRACEPARENT }]); // still the emit
});

test('a large payload comes along', async () => {
  const { names, events, letters, waiting } = await open();
  const json = JSON.stringify('é'.repeat(5 * 1024 * 1024));
  await events.emit({ id: 'large', topic: 'user', json, traceparent: TRACEPARENT });
  const [emitted] = await waiting(names.eventFilter('user'));
  const event = readEnvelope(emitted as never, '', 'user');
  const durable = names.subscription('mail', 'user');
  await events.bury(event, Buffer.alloc(0), { step: 'mail', durable, error: '{}' });
  expect((await letters.show('1')).data === JSON.parse(json)).toBe(true);
  await letters.retry('1');
  const [retried] = await waiting(names.retry(durable));
  const payload = await events.payload(readEnvelope(retried as never, '', 'user'), Buffer.alloc(0));
  expect(Buffer.from(payload).toString() === json).toBe(true);
});

test('a dead letter that no step would take is refused, and stays', async () => {
  const { broker, names, letters, bury } = await open();
  await bury('e1');
  await bury('e2', 'audit');
  await provision(broker, names, subscriber('audit'));
  await expect(letters.retry('1')).rejects.toMatchObject({ code: 'UNKNOWN_STEP' });
  // In the manifest, but not on the broker: whatever is published would be gone.
  await broker.jsm.consumers.delete(names.streams.events, names.subscription('audit', 'user'));
  await expect(letters.retry('2')).rejects.toMatchObject({ code: 'UNKNOWN_STEP' });
  expect((await letters.list()).deadLetters).toHaveLength(2);
  const reason = expect.stringContaining('subscribes to "user"');
  expect(await letters.retryAll()).toEqual({ retried: 0, refused: [1, 2].map((id) => ({ id: `${id}`, reason })) });
});

test('all of a step are retried in their order, and none that dies meanwhile', async () => {
  const { names, letters, bury, waiting } = await open();
  for (let n = 1; n <= 250; n++) await bury(`e${n}`, n % 50 === 0 ? 'audit' : 'mail');
  expect(await letters.retryAll({ step: 'mail', until: '240' })).toEqual({ retried: 236, refused: [] });
  expect((await letters.list()).deadLetters.map(({ id }) => Number(id))).toEqual([
    ...[50, 100, 150, 200],
    ...Array.from({ length: 10 }, (_, n) => 241 + n),
  ]);
  const taken = await waiting(names.retry(names.subscription('mail', 'user')));
  expect(taken.slice(0, 3).map((one) => readEnvelope(one, '', 'user').id)).toEqual(['e1', 'e2', 'e3']);
  expect(await letters.retryAll()).toEqual({ retried: 14, refused: [] });
});

test('of a FIFO step a dead letter goes to the end of its partition; of one that is FIFO no longer, to the subscription', async () => {
  const fifo = subscriber('mail', { type: 'fifo' });
  const { broker, names, events, letters, bury, waiting } = await open(fifo);
  await events.emit({ id: 'first', topic: 'user', json: '1', traceparent: TRACEPARENT, group: 'g' });
  const [first] = await waiting(`${names.app}.ev.>`);
  const partition = first?.subject.split('.')[2] as string;
  const durable = names.orderedSubscription('mail', 'user', partition);
  await bury('e1', 'mail', {}, durable);
  await bury('e2', 'mail', {}, durable);
  await letters.retry('1');
  const consumer = await broker.jsm.consumers.info(names.streams.events, durable);
  expect(consumer.num_pending).toBe(2);
  expect((await waiting(`${names.app}.>`)).map(({ subject }) => subject)).toEqual([first?.subject, first?.subject]);
  const [, retried] = await waiting(names.partitionFilter('user', partition));
  expect(readEnvelope(retried as never, '', 'user')).toMatchObject({ id: 'e1', retriedFrom: 1, onlyFor: 'mail' });
  await provision(broker, names, subscriber('mail'));
  expect(sourcesOf(names, subscriber('mail'))).toHaveLength(1);
  await letters.retry('2');
  expect(await waiting(names.retry(names.subscription('mail', 'user')))).toHaveLength(1);
});

test('dead letters are thrown away: one, those of a step, all', async () => {
  const { letters, bury } = await open();
  for (let n = 1; n <= 6; n++) await bury(`e${n}`, n > 4 ? 'audit' : 'mail');
  await letters.remove('1');
  await expect(letters.remove('1')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(await letters.purge('audit')).toBe(2);
  expect((await letters.list()).deadLetters.map(({ id }) => id)).toEqual(['2', '3', '4']);
  expect(await letters.purge()).toBe(3);
  await bury('e9');
  expect((await letters.list()).deadLetters.map(({ id }) => id)).toEqual(['7']); // an id is never used again
});

test('a dead letter is stored however long its error is, with a payload that just fits into a message', async () => {
  const { broker, names, events, letters } = await open();
  const text = '漢'.repeat(16_384);
  const payload = Buffer.from(JSON.stringify('x'.repeat(broker.maxPayload() - 64 * 1024 - 2)));
  const event = {
    id: 'e1',
    topic: 'user',
    attempt: 4,
    emittedAt: 1,
    traceparent: TRACEPARENT,
    group: '漢'.repeat(1_024),
  };
  const error = JSON.stringify({ name: 'Error', message: text, stack: text, code: text });
  await events.bury(event, payload, { step: 'mail', durable: names.subscription('mail', 'user'), error });
  const shown = await letters.show('1');
  expect(shown.error.message).toBe(text.slice(0, 1_200));
  expect(Object.keys(shown.error)).toEqual(['name', 'message', 'stack', 'code']);
  await letters.retry('1');
});
