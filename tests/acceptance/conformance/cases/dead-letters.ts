/** What becomes of dead letters that a person has tried again. */
import { expect } from 'vitest';
import { DeadLetterAdmin } from '../../../../shared/broker/dead-letter-admin.ts';
import { waitFor } from '../../../helpers/wait-for.ts';
import type { Case } from '../cases.ts';

export const deadLetterCases: Case[] = [
  {
    name: 'a dead letter that is retried has all its attempts again, and is one again, however soon, when they fail',
    async run({ broker, names, newId, emit, notes, waitForDeadLetter }) {
      const id = newId();
      const traceId = await emit('steady-dead', { id, how: 'raise', times: 99 });
      await waitForDeadLetter('SteadyDead', id);
      const letters = new DeadLetterAdmin(broker, names);
      const mine = async () =>
        (await letters.list({ step: 'SteadyDead' })).deadLetters.find((letter) => letter.traceId === traceId);
      const first = await mine();
      expect(first).toMatchObject({ topic: 'steady-dead', attempts: 2, error: { name: 'KnownError' } });
      await letters.retry(first?.id ?? '');
      const second = await waitFor(async () => {
        const letter = await mine();
        return letter?.id === first?.id ? undefined : letter;
      });
      expect(second).toMatchObject({ ...first, id: second.id, diedAt: second.diedAt, error: expect.anything() });
      const started = (await notes(id, 'fail started')).map((note) => [note.attempt, note.traceId]);
      expect(started).toEqual([1, 2, 1, 2].map((attempt) => [attempt, traceId]));
    },
  },
  {
    name: 'FIFO: a dead letter that is retried comes last in its group, in its order, and to no other step',
    async run({ broker, names, newId, post, notes, waitForNotes, waitForDeadLetter }) {
      const id = newId();
      const emit = async (number: number, more: object = {}) => {
        const data = { id, group: id, number, watched: true, ...more };
        const events = [{ topic: 'ordered', data, messageGroupId: id }];
        expect((await post('/emit', { events, awaited: true })).status).toBe(200);
      };
      await emit(1, { fails: 99 });
      await waitForDeadLetter('Ordered', id);
      await emit(2, { ms: 2_000 });
      await waitForNotes(id, 'ordered started', 4);
      const letters = new DeadLetterAdmin(broker, names);
      const { deadLetters } = await letters.list({ step: 'Ordered', limit: 500 });
      const mine = deadLetters.find(({ group }) => group === id);
      await letters.retry(mine?.id ?? '');
      await emit(3);
      await waitForNotes(id, 'ordered started', 8);
      const order = (await notes(id, 'ordered started')).map(({ number, attempt }) => `${number}/${attempt}`);
      expect(order).toEqual(['1/1', '1/2', '1/3', '2/1', '1/1', '1/2', '1/3', '3/1']);
      await waitForNotes(id, 'ordered seen', 3);
      expect((await notes(id, 'ordered seen')).map(({ number }) => number).sort()).toEqual([1, 2, 3]);
    },
  },
];
