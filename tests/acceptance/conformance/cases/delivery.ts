/** What a step may say about its deliveries, and what comes of it. */
import { hostname } from 'node:os';
import { expect } from 'vitest';
import { ACK_WAIT_MS } from '../../../../shared/broker/consumers.ts';
import { QueueAdmin } from '../../../../shared/broker/queue-admin.ts';
import { waitFor } from '../../../helpers/wait-for.ts';
import type { Case } from '../cases.ts';
import { retriesOf } from '../retries.ts';
import { withVictim } from '../with-victim.ts';

export const deliveryCases: Case[] = [
  {
    name: 'a backoff of its own, and no dead letter: the log says that the event was dropped',
    async run(world) {
      const id = world.newId();
      const traceId = await world.emit('steady', { id, how: 'raise', times: 99 });
      const record = await world.worker.waitForLog({ action: 'event_dropped', traceId }, 20_000);
      expect(record).toMatchObject({ level: 'error', step: 'Steady', attempt: 4 });
      const started = await world.notes(id, 'fail started');
      expect(started.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);
      const waits = await retriesOf(world, id);
      expect(waits.map(({ planned }) => planned)).toEqual([500, 1_500, 2_000]);
      for (const { wait, planned } of waits) expect(wait).toBeGreaterThanOrEqual(planned - 20);
      await world.waitUntilIdle('Steady', 'steady');
      await expect(
        world.broker.jsm.streams.getMessage(world.names.streams.dead, { last_by_subj: world.names.dead('Steady') }),
      ).resolves.toBeNull();
    },
  },
  {
    name: 'delaySeconds holds back the first run in that step only, and no attempt is counted for it',
    async run(world) {
      const id = world.newId();
      const emittedAt = Date.now();
      const traceId = await world.emit('late', { id, how: 'raise', times: 1 });
      await world.waitForNotes(id, 'on time');
      expect(await world.notes(id, 'fail started')).toEqual([]);
      const [first, second] = await world.waitForNotes(id, 'fail started', 2, 20_000);
      expect([first, second]).toMatchObject([
        { attempt: 1, traceId },
        { attempt: 2, traceId },
      ]);
      expect((first?.at ?? 0) - emittedAt).toBeGreaterThanOrEqual(5_000 - 20);
      expect((second?.at ?? 0) - (first?.at ?? 0)).toBeLessThan(5_000); // a retry does not wait for it again
      await world.waitUntilIdle('Late', 'late');
      expect(await world.notes(id)).toHaveLength(4);
    },
  },
  {
    name: 'a delay of one event holds it back for every step, and for no other event; a bad one is refused',
    async run({ post, newId, waitForNotes, notes }) {
      const [id, other] = [newId(), newId()];
      const emittedAt = Date.now();
      const events = [
        { topic: 'noted', data: { id }, delay: 2.5, messageGroupId: 'g' },
        { topic: 'noted', data: { id: other }, delay: 0 },
      ];
      expect((await post('/emit', { events, awaited: true })).status).toBe(200);
      await waitForNotes(other, 'noted');
      expect(await notes(id)).toEqual([]);
      const found = [...(await waitForNotes(id, 'noted')), ...(await waitForNotes(id, 'noted too'))];
      for (const { at, attempt } of found) {
        expect(attempt).toBe(1);
        expect(at - emittedAt).toBeGreaterThanOrEqual(2_500 - 20);
      }
      for (const delay of [-1, 2_678_401, 'soon']) {
        const { status } = await post('/emit', { events: [{ topic: 'noted', data: { id }, delay }], awaited: true });
        expect(status).toBe(500);
      }
      expect(await notes(id)).toHaveLength(2);
    },
  },
  {
    name: 'events with the same id are one event, whoever emits it and when it is due; in another topic it is another one',
    async run({ post, newId, waitForNotes, notes, waitUntilIdle }) {
      const [id, key] = [newId(), newId()];
      const event = (topic: string, n: number, more: object) => ({ topic, data: { id, n }, ...more });
      const [now, soon] = [{ id: key }, { id: `${key} soon`, delay: 1 }];
      const emits = [
        [event('noted', 1, now), event('noted', 2, now), event('order.created.v2', 3, now)],
        [event('noted', 4, now), event('noted', 5, { id: `${key} other` }), event('noted', 6, soon)],
        [event('noted', 7, { ...soon, delay: 60 })],
      ];
      for (const events of emits) expect((await post('/emit', { events, awaited: true })).status).toBe(200);
      const numbers = (found: { data?: unknown }[]) => found.map(({ data }) => (data as { n: number }).n).sort();
      expect(numbers(await waitForNotes(id, 'noted', 4))).toEqual([1, 3, 5, 6]);
      await waitUntilIdle('Noted', 'noted');
      expect(await notes(id, 'noted')).toHaveLength(4);
      for (const refused of [{ id: '' }, { id: 7 }, { messageGroupId: 'g'.repeat(1_025) }]) {
        expect((await post('/emit', { events: [event('noted', 8, refused)], awaited: true })).status).toBe(500);
      }
    },
  },
  {
    name: 'delays of both kinds survive kill -9 of the broker and of the worker',
    alone: true,
    async run(world) {
      const [delayed, late] = [world.newId(), world.newId()];
      await withVictim(world, async (victim) => {
        const emittedAt = Date.now();
        const events = [
          { topic: 'noted', data: { id: delayed }, delay: 4 },
          { topic: 'late', data: { id: late, how: 'none', times: 0 } },
        ];
        expect((await world.post('/emit', { events, awaited: true })).status).toBe(200);
        await world.waitUntilIdle('Late', 'late'); // it waits in the broker, with no worker
        await world.killWorker(victim);
        await world.crashBroker();
        // A broker that was killed may take ten seconds more until one of its streams goes on to take from another.
        const [noted] = await world.waitForNotes(delayed, 'noted', 1, 30_000);
        const [started] = await world.waitForNotes(late, 'fail started', 1, 30_000);
        expect([noted?.attempt, started?.attempt]).toEqual([1, 1]);
        expect((noted?.at ?? 0) - emittedAt).toBeGreaterThanOrEqual(4_000 - 20);
        expect((started?.at ?? 0) - emittedAt).toBeGreaterThanOrEqual(5_000 - 20);
        await world.waitUntilIdle('Noted', 'noted');
        await world.waitUntilIdle('Late', 'late');
        expect(await world.notes(delayed, 'noted')).toHaveLength(1);
        expect(await world.notes(late, 'fail started')).toHaveLength(1);
      });
    },
  },
  {
    name: 'the wait that a RetryAfterError asks for; it counts as an attempt',
    async run(world) {
      const id = world.newId();
      await world.emit('fail', { id, how: 'later', times: 99 });
      expect(await world.waitForDeadLetter('Fail', id)).toMatchObject({
        attempt: 3,
        error: { name: 'RetryAfterError', message: 'not yet' },
      });
      const started = await world.notes(id, 'fail started');
      expect(started.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
      for (const { wait, planned } of await retriesOf(world, id)) {
        expect(planned).toBe(3_000);
        expect(wait).toBeGreaterThanOrEqual(planned - 20);
      }
    },
  },
  {
    name: 'a thousand events that wait for their retry hold up no healthy one',
    alone: true,
    async run(world) {
      const [id, healthy] = [world.newId(), world.newId()];
      const failing = { topic: 'patient', data: { id, how: 'raise', times: 1 } };
      await world.post('/emit', { events: Array.from({ length: 1_000 }, () => failing), awaited: false });
      await world.waitForNotes(id, 'fail started', 1_000, 20_000);
      await world.emit('patient', { id: healthy, how: 'none', times: 0 });
      await world.waitForNotes(healthy, 'fail ended');
      expect((await world.notes(id, 'fail ended')).length, 'most of them wait still').toBeLessThan(500);
      const all = await world.waitForNotes(id, 'fail ended', 1_000, 30_000);
      expect(new Set(all.map(({ attempt }) => attempt))).toEqual(new Set([2]));
    },
  },
  {
    name: 'no more runs at a time than the global concurrency, over all workers, and each says what it has',
    alone: true,
    async run(world) {
      await withVictim(world, async () => {
        const id = world.newId();
        await world.emit('few.everywhere', ...Array.from({ length: 30 }, () => ({ id })));
        const queues = new QueueAdmin(world.broker, world.names);
        await waitFor(async () => {
          const [{ workers: [holder] = [] } = {}] = await queues.list('FewEverywhere');
          return holder && holder.events > 0 && holder.host === hostname() && process.kill(holder.pid, 0);
        });
        let running = 0;
        let most = 0;
        const notes = await world.waitForNotes(id, 'few', 60, 20_000);
        for (const { change } of notes) {
          running += change as number;
          most = Math.max(most, running);
        }
        expect([most, running]).toEqual([3, 0]);
      });
    },
  },
  {
    name: 'no more starts than the rate limit, over all workers, and a restart in between loses nothing',
    alone: true,
    async run(world) {
      const id = world.newId();
      await withVictim(world, async (victim) => {
        await world.emit('paced', ...Array.from({ length: 30 }, () => ({ id })));
        await world.waitForNotes(id, 'paced', 8);
        await victim.stop('SIGTERM');
        const notes = await world.waitForNotes(id, 'paced', 30, 20_000);
        await world.waitUntilIdle('Paced', 'paced');
        const at = notes.map((note) => note.at).sort((a, b) => a - b);
        // 200 ms apart. A start may be late, which brings it closer to the next one; two workers that did not know of each
        // other would need half the time.
        for (const [n, time] of at.slice(10).entries()) expect(time - (at[n] ?? 0)).toBeGreaterThan(10 * 200 - 1_400);
        expect((at.at(-1) ?? 0) - (at[0] ?? 0)).toBeGreaterThan(29 * 200 - 1_400);
        expect(await world.notes(id, 'paced')).toHaveLength(30);
      });
    },
  },
  {
    name: 'events of a lost worker come again after the visibilityTimeout, and longer runs of others are left in peace',
    alone: true,
    async run(world) {
      await withVictim(world, async (victim) => {
        const ids = Array.from({ length: 40 }, () => world.newId());
        await world.emit('impatient', ...ids.map((id) => ({ id, ms: 5_000 })));
        for (const id of ids) await world.waitForNotes(id, 'impatient started');
        const ofVictim = new Set<string>();
        for (const id of ids) {
          const [started] = await world.notes(id);
          if (started?.worker === 'victim') ofVictim.add(id);
        }
        expect(ofVictim.size).toBeGreaterThan(5);
        await world.killWorker(victim);
        const killedAt = Date.now();
        const done = async () => {
          const ended = await Promise.all(ids.map((id) => world.notes(id, 'impatient ended')));
          return ended.every(({ length }) => length > 0);
        };
        await waitFor(done, { what: 'all events to be handled', within: 20_000, every: 100 });
        for (const id of ids) {
          const started = await world.notes(id, 'impatient started');
          expect(started.map(({ attempt }) => attempt)).toEqual(ofVictim.has(id) ? [1, 1] : [1]);
          if (started[1]) expect(started[1].at - killedAt).toBeLessThan(ACK_WAIT_MS); // which is that of others
        }
      });
    },
  },
];
