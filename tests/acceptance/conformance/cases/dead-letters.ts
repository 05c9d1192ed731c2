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
];
