/** Workers that are killed or asked to end, and handlers that are bad neighbours. Each case has the app for itself. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { ACK_WAIT_MS } from '../../../../shared/broker/consumers.ts';
import { waitFor } from '../../../helpers/wait-for.ts';
import type { Case } from '../cases.ts';
import { withVictim } from '../with-victim.ts';
import type { World } from '../world.ts';

const misbehave = ({ call }: World, how: string, id: string) => call(`/misbehave/${how}?id=${id}`, { method: 'POST' });

/** Some calls that take a while and may be had twice: whatever happens beside them, they are answered. */
const siblings = ({ call }: World, id: string) =>
  Promise.all(Array.from({ length: 6 }, async () => (await call(`/slow?id=${id}&ms=400`)).status));
const ALL_FINE = Array.from({ length: 6 }, () => 200);

/** Calls `/quick` again and again while something else goes on; every call has to be answered. @returns what came of it. */
async function besideNeighbours<T>({ call }: World, work: () => Promise<T>): Promise<T> {
  let going = true;
  const calls = Array.from({ length: 4 }, async () => {
    while (going) {
      expect((await call('/quick')).status).toBe(200);
      await sleep(5);
    }
  });
  const working = work().finally(() => {
    going = false;
  });
  const [result] = await Promise.all([working, ...calls]);
  return result;
}

export const failureCases: Case[] = [
  {
    name: 'a handler that computes without a pause: other steps answer meanwhile, before it ends',
    alone: true,
    async run(world) {
      const id = world.newId();
      const computing = misbehave(world, 'compute', id);
      await world.waitForNotes(id, 'compute');
      // Whoever waited for it would be told that the deadline is over.
      const calls = Array.from({ length: 4 }, async () => {
        for (let n = 0; n < 10; n++) expect((await world.call('/quick')).status).toBe(200);
      });
      await Promise.all(calls);
      await world.endComputing(id);
      expect((await computing).status).toBe(200);
    },
  },
  {
    name: 'a handler that ends its process: its own run fails, others go on',
    alone: true,
    async run(world) {
      for (const how of ['exit', 'exit-politely']) {
        const id = world.newId();
        await world.emit('work', ...Array.from({ length: 10 }, () => ({ id, ms: 300 })));
        const [response, others] = await besideNeighbours(world, () =>
          Promise.all([misbehave(world, how, id), siblings(world, id)]),
        );
        expect([response.status, others], how).toEqual([500, ALL_FINE]);
        expect(response.json()).toMatchObject({ error: 'Internal server error' });
        await world.waitForNotes(id, 'work ended', 10);
        expect((await world.notes(id, 'work started')).every(({ attempt }) => attempt === 1)).toBe(true);
      }
    },
  },
  {
    name: 'a handler that ends its process from a timer, or where it is no coroutine: its own run fails, others go on',
    alone: true,
    async run(world) {
      for (const how of ['timer', 'plain']) {
        const id = world.newId();
        const [response, others] = await besideNeighbours(world, () =>
          Promise.all([
            how === 'timer' ? misbehave(world, 'exit-later', id) : world.post('/plain', { id, ms: 50, exit: true }),
            siblings(world, id),
          ]),
        );
        expect([response.status, others], how).toEqual([500, ALL_FINE]);
      }
    },
  },
  {
    name: 'an event whose handler ends its process has lost an attempt, and no other event has',
    alone: true,
    async run(world) {
      const [id, other] = [world.newId(), world.newId()];
      await world.emit('work', ...Array.from({ length: 20 }, () => ({ id: other, ms: 100 })));
      // Not emitted by a step: the answer of that one could be cut off by this event.
      world.broker.nc.publish(world.names.event('fail'), JSON.stringify({ id, how: 'exit', times: 1 }));
      expect(await world.waitForNotes(id, 'fail ended')).toMatchObject([{ attempt: 2 }]);
      expect(await world.notes(id, 'fail started')).toMatchObject([{ attempt: 1 }, { attempt: 2 }]);
      await world.waitForNotes(other, 'work ended', 20);
      expect((await world.notes(other, 'work started')).every(({ attempt }) => attempt === 1)).toBe(true);
    },
  },
  {
    name: 'an error where nobody awaits it is in the log, and disturbs no other run',
    alone: true,
    async run(world) {
      const id = world.newId();
      const [, others] = await besideNeighbours(world, () =>
        Promise.all([misbehave(world, 'stray', id), siblings(world, id)]),
      );
      expect(others).toEqual(ALL_FINE);
      const record = await world.worker.waitForLog(({ err }) =>
        JSON.stringify(err ?? '').includes(`nobody awaits ${id}`),
      );
      expect(record.level).toBe('error');
    },
  },
  {
    name: 'SIGTERM: no call fails, what runs is finished, nothing runs twice, exit code 0',
    alone: true,
    async run(world) {
      const leaving = await world.startWorker('leaving');
      const ids = Array.from({ length: 60 }, () => world.newId());
      await world.emit('work', ...ids.map((id) => ({ id, ms: 800 })));
      const calls = ids.slice(0, 20).map((id) => world.call(`/slow?id=${id}&ms=500`, { method: 'POST' }));
      for (const id of ids) await world.waitForNotes(id, 'work started');
      for (const id of ids.slice(0, 20)) await world.waitForNotes(id, 'POST started');
      expect(await besideNeighbours(world, () => leaving.stop('SIGTERM'))).toBe(0);
      expect((await Promise.all(calls)).map(({ status }) => status)).toEqual(calls.map(() => 200));
      const workers = new Set<string>();
      for (const id of ids) {
        await world.waitForNotes(id, 'work ended', 1, ACK_WAIT_MS / 2); // and not after it
        const notes = (await world.notes(id)).filter(({ what }) => what.startsWith('work'));
        expect(notes.map(({ what }) => what)).toEqual(['work started', 'work ended']);
        for (const { worker } of notes) workers.add(worker);
      }
      expect(workers).toEqual(new Set(['first', 'leaving']));
    },
  },
  {
    name: 'kill -9 in the middle of calls: unsafe ones are answered with 502 within seconds, safe ones by another worker',
    alone: true,
    async run(world) {
      await withVictim(world, async (victim) => {
        const calls = ['GET', 'POST'].flatMap((method) =>
          Array.from({ length: 12 }, () => ({ method, id: world.newId() })),
        );
        const answers = calls.map(async ({ method, id }) => {
          const { status, json } = await world.call(`/slow?id=${id}&ms=2000`, { method });
          return { status, body: json() };
        });
        for (const { method, id } of calls) await world.waitForNotes(id, `${method} started`);
        await world.killWorker(victim);
        let lost = 0;
        for (const [n, { status, body }] of (await Promise.all(answers)).entries()) {
          const { method, id } = calls[n] as { method: string; id: string };
          const started = await world.notes(id, `${method} started`);
          if (method === 'POST' && started[0]?.worker === 'victim') {
            lost++;
            // A 504, if only the deadline had ended it.
            expect([status, body]).toEqual([502, { error: 'The outcome of this call is unknown' }]);
          } else expect(status, method).toBe(200);
          if (method === 'POST') expect(started).toHaveLength(1);
        }
        expect(lost).toBeGreaterThan(0);
      });
    },
  },
  {
    name: 'kill -9 with events in flight: all are handled, none of the others twice, and it costs no attempt',
    alone: true,
    async run(world) {
      await withVictim(world, async (victim) => {
        const ids = Array.from({ length: 60 }, () => world.newId());
        await world.emit('work', ...ids.map((id) => ({ id, ms: 2_000 })));
        for (const id of ids) await world.waitForNotes(id, 'work started');
        await world.killWorker(victim);
        const killedAt = Date.now();
        const lost = new Set<string>();
        for (const id of ids) {
          const [started, ended] = await world.notes(id);
          if (started?.worker === 'victim' && !ended) lost.add(id);
        }
        expect(lost.size).toBeGreaterThan(10);
        const done = async () => {
          const ended = await Promise.all(ids.map((id) => world.notes(id, 'work ended')));
          return ended.every(({ length }) => length > 0);
        };
        await waitFor(done, { what: 'all events to be handled', within: ACK_WAIT_MS + 8_000, every: 100 });
        for (const id of ids) {
          const started = await world.notes(id, 'work started');
          expect(started.map(({ attempt }) => attempt)).toEqual(lost.has(id) ? [1, 1] : [1]);
          if (started[1]) expect(started[1].at - killedAt).toBeLessThan(2 * ACK_WAIT_MS);
          expect(await world.notes(id, 'work ended')).toHaveLength(1);
        }
      });
    },
  },
  {
    name: 'SIGTERM of a worker that has nothing to do any more, after all of this: it ends at once, with exit code 0',
    alone: true,
    async run({ worker }) {
      const began = Date.now();
      expect(await worker.stop('SIGTERM')).toBe(0);
      expect(Date.now() - began).toBeLessThan(10_000); // and not when 25 s are over, which runs have to end
    },
  },
];
