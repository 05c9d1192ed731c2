/** Steps with `queue.type: 'fifo'`: what is in order, what is not, and what nothing may stop. */
import { expect } from 'vitest';
import { waitFor } from '../../../helpers/wait-for.ts';
import type { Case } from '../cases.ts';
import { withVictim } from '../with-victim.ts';
import type { Note, World } from '../world.ts';

/** These three are in three partitions. */
const GROUPS = ['g1', 'g2', 'g3'];

interface Ordered {
  id: string;
  number: number;
  group?: string;
  ms?: number;
  fails?: number;
  /** Seconds until it is due. */
  delay?: number;
}

/** By one run, which emits one right after the other, however busy the machine is. */
async function emit(world: World, events: Ordered[], topic = 'ordered'): Promise<void> {
  const emitted = events.map(({ delay, ...data }) => ({
    ...{ topic, data, messageGroupId: data.group },
    ...(delay !== undefined && { delay }),
  }));
  expect((await world.post('/emit', { events: emitted, awaited: false })).status).toBe(200);
}

/**
 * Checks that each event of a group was done before the next one began.
 * @returns how many were begun again after they had been done, because a worker was killed before it could say so
 */
function expectOrder(notes: readonly Note[]): number {
  const next = new Map<unknown, number>();
  let again = 0;
  for (const { what, group, number } of notes) {
    const wanted = next.get(group) ?? 0;
    if (number === wanted - 1) {
      if (what === 'ordered started') again++;
      continue;
    }
    expect([what, group, number]).toEqual([what, group, wanted]);
    if (what === 'ordered ended') next.set(group, wanted + 1);
  }
  return again;
}

const span = (notes: readonly Note[]) => ({
  began: Math.max(...notes.filter(({ what }) => what === 'ordered started').map(({ at }) => at)),
  ended: Math.min(...notes.filter(({ what }) => what === 'ordered ended').map(({ at }) => at)),
});

export const fifoCases: Case[] = [
  {
    name: 'FIFO: 1,000 events of 10 groups on three workers are in order, through a retry and kill -9, and none is lost',
    alone: true,
    async run(world) {
      const other = await world.startWorker('other');
      await withVictim(world, async (victim) => {
        const id = world.newId();
        const events: Ordered[] = [];
        for (let number = 0; number < 100; number++) {
          for (let group = 0; group < 10; group++) {
            events.push({ id, group: `group ${group}`, number, ms: 10, fails: number === 50 && group < 3 ? 1 : 0 });
          }
        }
        await emit(world, events);
        await world.waitForNotes(id, 'ordered ended', 250, 20_000);
        await world.killWorker(victim);
        const done = async () =>
          new Set((await world.notes(id, 'ordered ended')).map(({ group, number }) => `${group} ${number}`)).size;
        await waitFor(async () => (await done()) === 1_000, { what: 'all events', within: 30_000, every: 100 });
        const notes = await world.notes(id);
        expect(expectOrder(notes)).toBeLessThanOrEqual(10);
        expect(new Set(notes.map(({ worker }) => worker)).size).toBe(3);
        const retried = notes.filter(({ what, attempt }) => what === 'ordered started' && attempt === 2);
        expect(retried.map(({ number }) => number)).toEqual([50, 50, 50]);
      });
      await other.stop();
    },
  },
  {
    name: 'FIFO: groups do not wait for each other, nor do events without one, which have an order of their own',
    alone: true,
    async run(world) {
      const id = world.newId();
      const events = GROUPS.map((group) => ({ id, group, number: 0, ms: 2_000 }));
      await emit(world, [...events, { id, number: 0, ms: 2_000 }, { id, number: 1 }, { id, number: 2 }]);
      await world.waitForNotes(id, 'ordered ended', 6);
      const notes = await world.notes(id);
      expect(expectOrder(notes)).toBe(0);
      const { began, ended } = span(notes.filter(({ number }) => number === 0));
      expect(began).toBeLessThan(ended);
    },
  },
  {
    name: 'FIFO: an event that fails is tried again in its place, and its dead letter stops nobody',
    alone: true,
    async run(world) {
      const id = world.newId();
      await emit(world, [
        { id, group: 'g1', number: 0 },
        { id, group: 'g1', number: 1, fails: 99 },
        { id, group: 'g1', number: 2 },
        { id, group: 'g2', number: 0 },
      ]);
      const letter = await world.waitForDeadLetter('Ordered', id);
      expect(letter).toMatchObject({ attempt: 3, topic: 'ordered', body: { number: 1 } });
      await world.waitForNotes(id, 'ordered ended', 3);
      const group = (await world.notes(id)).filter((note) => note.group === 'g1');
      expect(group.map(({ what, number, attempt }) => [what, number, attempt])).toEqual([
        ['ordered started', 0, 1],
        ['ordered ended', 0, 1],
        ['ordered started', 1, 1],
        ['ordered started', 1, 2],
        ['ordered started', 1, 3],
        ['ordered started', 2, 1],
        ['ordered ended', 2, 1],
      ]);
      const at = group.map((note) => note.at);
      expect((at[3] ?? 0) - (at[2] ?? 0)).toBeGreaterThanOrEqual(480);
      expect((at[4] ?? 0) - (at[3] ?? 0)).toBeGreaterThanOrEqual(980);
      // The other group did not wait for it.
      const [other] = (await world.notes(id, 'ordered ended')).filter((note) => note.group === 'g2');
      expect(other?.at).toBeLessThan(at[4] ?? 0);
    },
  },
  {
    name: 'FIFO: the attempt of an event that waits in its place survives kill -9 of the broker and of the worker',
    alone: true,
    async run(world) {
      const id = world.newId();
      await withVictim(world, async (victim) => {
        await emit(world, [
          { id, group: 'g1', number: 0, fails: 2 },
          { id, group: 'g1', number: 1 },
        ]);
        await world.waitForNotes(id, 'ordered started', 2);
        await world.killWorker(victim);
        await world.crashBroker();
        await world.waitForNotes(id, 'ordered ended', 2, 20_000);
        const started = await world.notes(id, 'ordered started');
        expect(started.map(({ number }) => number)).toEqual([...started.slice(1).map(() => 0), 1]);
        expect([...new Set(started.slice(0, -1).map(({ attempt }) => attempt))]).toEqual([1, 2, 3]);
      });
    },
  },
  {
    name: 'FIFO: an event with a delay takes its place in its group when its time has come',
    alone: true,
    async run(world) {
      const id = world.newId();
      const events = [...GROUPS, undefined].flatMap((group, n) => {
        const of = { id: `${id} ${n}`, ...(group !== undefined && { group }) };
        return [
          { ...of, number: 1, delay: 1 },
          { ...of, number: 0, ms: 1_800 }, // goes on when the other is due, and ends within the visibilityTimeout
        ];
      });
      await emit(world, events);
      for (let n = 0; n <= GROUPS.length; n++) {
        // After the crash in a test before, the broker may take 12 s to link its streams again.
        await world.waitForNotes(`${id} ${n}`, 'ordered ended', 2, 20_000);
        expect(expectOrder(await world.notes(`${id} ${n}`))).toBe(0);
      }
    },
  },
  {
    name: 'FIFO: delaySeconds holds back each event, in order',
    alone: true,
    async run(world) {
      const id = world.newId();
      const emittedAt = Date.now();
      const events = Array.from({ length: 6 }, (_, number) => ({ id, group: 'g1', number, ms: 10 }));
      await emit(world, events, 'ordered.late');
      const [first] = await world.waitForNotes(id, 'ordered started');
      expect((first?.at ?? 0) - emittedAt).toBeGreaterThanOrEqual(2_000 - 20);
      await world.waitForNotes(id, 'ordered ended', 6);
      const notes = await world.notes(id);
      expect(expectOrder(notes)).toBe(0);
      expect(new Set(notes.map(({ attempt }) => attempt))).toEqual(new Set([1]));
    },
  },
];
