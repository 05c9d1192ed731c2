/** Events from emit to dead letter. */
import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import type { Case } from '../cases.ts';
import { retriesOf } from '../retries.ts';
import { LARGEST_MESSAGE, type World } from '../world.ts';

const MB = 1024 * 1024;
/** Those that the step `Noted` subscribes to. */
const TOPICS = [
  ...['orderCreated', 'order.created.v2', 'order:created', 'order created', 'order/created', 'bestellung-größe'],
  ...['*', '>', '$JS.API', 'a..b', '.edge.'],
];
const DATA = [null, 0, -1.5, '', 'é', false, [1, { a: null }], {}, { data: { data: [] } }, 'x'.repeat(100_000)];

const attempts = async ({ notes }: World, id: string) =>
  (await notes(id, 'fail started')).map(({ attempt }) => attempt);

/** Waits grow twofold from a second, give or take 20 %. The log has those that were meant: a busy machine adds to them. */
async function expectGrowing(world: World, id: string): Promise<void> {
  const waits = await retriesOf(world, id);
  for (const [n, { wait, planned }] of waits.entries()) {
    expect(wait).toBeGreaterThanOrEqual(800 * 2 ** n - 20);
    expect(planned).toBeLessThanOrEqual(1_200 * 2 ** n);
  }
}

/** How many messages the broker has ever stored as events. */
const storedEvents = async ({ broker, names }: World) =>
  (await broker.jsm.streams.info(names.streams.events)).state.last_seq;

export const eventCases: Case[] = [
  {
    name: 'a step that says nothing about it has four attempts with growing waits, all of one trace',
    async run(world) {
      const id = world.newId();
      const traceId = await world.emit('fail.default', { id, how: 'raise', times: 99 });
      expect(await world.waitForDeadLetter('FailByDefault', id)).toMatchObject({ attempt: 4, traceId });
      expect(await attempts(world, id)).toEqual([1, 2, 3, 4]);
      await expectGrowing(world, id);
      expect(new Set((await world.notes(id)).map((note) => note.traceId))).toEqual(new Set([traceId]));
    },
  },
  {
    name: 'attempts used up: a dead letter with payload, error, attempts, topic and trace',
    async run(world) {
      const id = world.newId();
      const event = { id, how: 'raise', times: 99, more: ['é', null] };
      const traceId = await world.emit('fail', event);
      const letter = await world.waitForDeadLetter('Fail', id);
      expect(letter).toMatchObject({
        body: event,
        attempt: 3,
        topic: 'fail',
        traceId,
        error: { name: 'KnownError', message: `attempt 3 of ${id} fails`, stack: expect.stringContaining('fail') },
      });
      expect(await attempts(world, id)).toEqual([1, 2, 3]);
      await expectGrowing(world, id);
      const tried = world.worker.logs(({ action, traceId: of }) => action === 'run_failed' && of === traceId);
      expect(tried).toMatchObject([
        { level: 'warn', step: 'Fail', attempt: 1, err: { name: 'KnownError' }, retryInMs: expect.any(Number) },
        { level: 'warn', step: 'Fail', attempt: 2 },
      ]);
      expect(await world.worker.waitForLog({ action: 'event_dead', traceId })).toMatchObject({
        level: 'error',
        step: 'Fail',
        topic: 'fail',
        attempt: 3,
      });
    },
  },
  {
    name: 'an event that succeeds at its last attempt is done, and no dead letter',
    async run(world) {
      const id = world.newId();
      await world.emit('fail', { id, how: 'raise', times: 2 });
      expect(await world.waitForNotes(id, 'fail ended')).toMatchObject([{ attempt: 3 }]);
      expect(await attempts(world, id)).toEqual([1, 2, 3]);
      await world.waitUntilIdle('Fail', 'fail');
      const dead = world.worker.logs(({ action, err }) => action === 'event_dead' && JSON.stringify(err).includes(id));
      expect(dead).toEqual([]);
    },
  },
  {
    name: 'what a run emits again when it runs again is stored once',
    async run(world) {
      const id = world.newId();
      await world.emit('fail', { id, how: 'emit', times: 2 });
      await world.waitForNotes(id, 'fail ended');
      await world.waitForNotes(id, 'noted', 3);
      await world.waitUntilIdle('Noted', 'noted');
      const numbers = (await world.notes(id, 'noted')).map(({ data }) => (data as { number: number }).number);
      expect(numbers.sort()).toEqual([1, 2, 2]); // the handler emits one of them twice on purpose
    },
  },
  {
    name: '`handler.timeout`: the run is ended and retried, and what it does later is refused',
    async run({ emit, newId, waitForNotes, notes, state, worker }) {
      const id = newId();
      const traceId = await emit('limited', { id });
      await waitForNotes(id, 'limited stored');
      expect(await waitForNotes(id, 'limited refused')).toMatchObject([{ attempt: 1, code: 'RUN_OVER' }]);
      expect(await notes(id, 'limited aborted')).toMatchObject([{ attempt: 1 }]);
      const [first, second, ...others] = await notes(id, 'limited started');
      expect([first?.attempt, second?.attempt, others]).toEqual([1, 2, []]);
      expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(1_500); // the timeout, and the wait before a retry
      expect(await state(['get', 'limited', id])).toEqual([2]);
      const record = await worker.waitForLog({ action: 'run_failed', traceId });
      expect(record).toMatchObject({ attempt: 1, err: { code: 'RUN_TIMEOUT' } });
    },
  },
  {
    name: 'dead at once: no retries allowed, an error that says so, a run without an end',
    async run(world) {
      const letters = [
        ['raise', 'FailOnce', 'fail.once', 'KnownError'],
        ['bare', 'FailOnce', 'fail.once', expect.any(String)],
        ['forged', 'FailOnce', 'fail.once', 'KnownError'],
        ['hang', 'FailOnce', 'fail.once', expect.any(String)],
        ['emit-unstorable', 'FailOnce', 'fail.once', 'MotiaError'],
        ['permanent', 'Fail', 'fail', 'NonRetriableError'],
        ['marked', 'Fail', 'fail', 'KnownError'],
      ] as const;
      await Promise.all(
        letters.map(async ([how, step, topic, name]) => {
          const id = world.newId();
          await world.emit(topic, { id, how, times: 99 });
          const letter = await world.waitForDeadLetter(step, id);
          expect(letter, how).toMatchObject({ attempt: 1, error: { name, message: expect.any(String) } });
          expect(await attempts(world, id), how).toEqual([1]);
        }),
      );
    },
  },
  {
    name: 'payloads of 2 MB, and of more than a message of the broker holds, also when they are retried and dead',
    async run(world) {
      const sizes = [2 * MB, LARGEST_MESSAGE + 1].map((size) => ({ id: world.newId(), size }));
      for (const { id, size } of sizes) await world.emit('large', { id, text: 'é'.repeat(size / 2), times: 2 });
      for (const { id, size } of sizes) {
        const text = 'é'.repeat(size / 2);
        const sha256 = createHash('sha256').update(text).digest('hex');
        const measured = { characters: text.length, sha256 };
        expect(await world.waitForNotes(id, 'measured', 2)).toMatchObject([
          { ...measured, attempt: 1 },
          { ...measured, attempt: 2 },
        ]);
      }
      await world.waitForDeadLetter('Measure', sizes[0]?.id as string);
      const { attempt } = await world.waitForDeadLetter('Measure', ({ blob }) => blob !== '');
      expect(attempt).toBe(2);
    },
  },
  {
    name: 'an event is handled once, with its data, by every step that subscribes to its topic',
    async run({ emit, newId, waitForNotes, notes, waitUntilIdle }) {
      const id = newId();
      const traceId = await emit('noted', { id, more: [null, 'é'] });
      for (const what of ['noted', 'noted too']) {
        expect(await waitForNotes(id, what)).toMatchObject([{ data: { id, more: [null, 'é'] }, attempt: 1, traceId }]);
      }
      await waitUntilIdle('Noted', 'noted');
      expect(await notes(id)).toHaveLength(2);
    },
  },
  {
    name: 'three steps in a row, one trace, and each reads what the one before has stored',
    async run({ emit, newId, waitForNotes, notes }) {
      const id = newId();
      const traceId = await emit('chain.first', { id });
      const [last] = await waitForNotes(id, 'chain.third');
      expect(last?.path).toEqual(['first', 'second']);
      expect(last?.stored).toEqual(expect.arrayContaining([{ id, by: 'first' }, ['first']]));
      expect((await notes(id)).map((note) => note.traceId)).toEqual([traceId, traceId, traceId]);
    },
  },
  {
    name: 'data of every kind arrives as it is',
    async run({ emit, waitForNotes }) {
      for (const data of DATA) {
        const [note] = await waitForNotes(await emit('noted', data), 'noted');
        expect(note?.data).toEqual(data);
      }
    },
  },
  {
    name: 'topics of every form',
    async run({ emit, newId, waitForNotes, notes, waitUntilIdle }) {
      for (const topic of TOPICS) {
        const id = newId();
        await emit(topic, { id, topic });
        await waitForNotes(id, 'noted');
        await waitUntilIdle('Noted', topic);
        expect(await notes(id), topic).toMatchObject([{ data: { topic } }]);
      }
    },
  },
  {
    name: 'equal events of one handler all arrive; one of a message group and one that nobody hears do not fail',
    async run({ post, newId, waitForNotes, notes, waitUntilIdle }) {
      const id = newId();
      const event = { topic: 'noted', data: { id } };
      const grouped = { ...event, messageGroupId: 'a group: 1.2' };
      const events = [event, event, { topic: 'nobody listens', data: 1 }, grouped];
      expect((await post('/emit', { events, awaited: false })).status).toBe(200);
      await waitForNotes(id, 'noted', 4 - 1);
      await waitUntilIdle('Noted', 'noted');
      expect(await notes(id, 'noted')).toHaveLength(3);
    },
  },
  {
    name: 'emits that nobody awaits are stored before the answer, and handled',
    async run(world) {
      const id = world.newId();
      const events = Array.from({ length: 500 }, () => ({ topic: 'work', data: { id, ms: 0 } }));
      const before = await storedEvents(world);
      expect((await world.post('/emit', { events, awaited: false })).status).toBe(200);
      expect((await storedEvents(world)) - before).toBeGreaterThanOrEqual(500);
      await world.waitForNotes(id, 'work ended', 500);
      await world.waitUntilIdle('Work', 'work');
      expect(await world.notes(id, 'work started')).toHaveLength(500);
    },
  },
  {
    name: 'a topic that is not declared is not sent, which the log says; those that are, are',
    async run({ post, newId, waitForNotes, notes, worker }) {
      const id = newId();
      const { status, json } = await post('/declared', { id });
      expect(status).toBe(200);
      await waitForNotes(id, 'noted');
      const record = await worker.waitForLog({ action: 'undeclared_topic', traceId: json().traceId });
      expect(record).toMatchObject({ level: 'error', step: 'Declared', topic: 'fail' });
      expect(record.msg).toMatch(/steps\/declared[._]step/);
      expect(await notes(id, 'fail started')).toEqual([]);
    },
  },
  {
    name: 'data that does not fit the input schema is only warned about',
    async run({ emit, newId, waitForNotes, worker }) {
      const id = newId();
      const traceId = await emit('labelled', { id, label: 7 });
      expect(await waitForNotes(id, 'labelled')).toMatchObject([{ data: { id, label: 7 } }]);
      const record = await worker.waitForLog({ action: 'input_invalid', traceId });
      expect(record).toMatchObject({ level: 'warn', step: 'Labelled', issues: [{ path: 'label' }] });
    },
  },
  {
    name: 'any client of the broker may emit; what is no JSON is a dead letter at once, and holds up nobody',
    async run({ broker, names, newId, waitForNotes, waitForDeadLetter }) {
      const id = newId();
      broker.nc.publish(names.event('noted'), `{not JSON ${id}`);
      broker.nc.publish(names.event('noted'), JSON.stringify({ id }));
      expect(await waitForNotes(id, 'noted')).toMatchObject([{ data: { id }, attempt: 1 }]);
      const letter = await waitForDeadLetter('Noted', ({ body }) => String(body).includes(id));
      expect(letter).toMatchObject({ attempt: 1, error: { message: expect.stringContaining('not JSON') } });
    },
  },
  {
    name: 'no more runs of a step at a time than its concurrency',
    async run({ emit, newId, waitForNotes }) {
      const id = newId();
      await emit('few', ...Array.from({ length: 12 }, () => ({ id })));
      let running = 0;
      let most = 0;
      for (const { change } of await waitForNotes(id, 'few', 24)) {
        running += change as number;
        most = Math.max(most, running);
      }
      expect([most, running]).toEqual([3, 0]);
    },
  },
];
