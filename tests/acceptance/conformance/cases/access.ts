/** Who may follow a stream: what becomes of `canAccess`, however it ends. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { askAccess } from '../../../helpers/stream-access.ts';
import { waitFor } from '../../../helpers/wait-for.ts';
import type { Case } from '../cases.ts';
import type { World } from '../world.ts';

interface Answered {
  question: { subscription: { groupId: string; id?: string }; authContext: unknown };
  answer: { allowed: boolean };
}

const golden = JSON.parse(
  readFileSync(new URL('../../../../shared/protocol/golden/access.json', import.meta.url), 'utf8'),
) as { answers: Answered[] };

async function asking({ broker, names }: World, timeoutMs?: number) {
  const asking = await askAccess(broker, names, timeoutMs);
  await waitFor(() => asking.manifest());
  return asking;
}

export const accessCases: Case[] = [
  {
    name: 'access: a function decides by group, item and what is known of the client; without one everyone is let in',
    async run(world) {
      await using asked = await asking(world);
      const door = ({ question }: Answered) =>
        asked.access.canAccess('door', question.subscription, question.authContext);
      expect(await Promise.all(golden.answers.map(door))).toEqual(golden.answers.map(({ answer }) => answer.allowed));
      const plain = ['chat', 'a.stream of:others', 'chta'];
      const answers = plain.map((stream) => asked.access.canAccess(stream, { groupId: 'g' }, null));
      expect(await Promise.all(answers)).toEqual([true, true, false]);
      const odd = ['truthy', 'falsy'].map((groupId) => asked.access.canAccess('door', { groupId }, null));
      expect(await Promise.all(odd)).toEqual([true, false]);
    },
  },
  {
    name: 'access: a function that throws or ends the process denies, and the log says why',
    async run(world) {
      await using asked = await asking(world);
      const answers = ['throw', 'exit', 'open'].map((groupId) => asked.access.canAccess('door', { groupId }, null));
      expect(await Promise.all(answers)).toEqual([false, false, true]);
      const failed = await waitFor(() => {
        const lines = world.worker.logs({ action: 'request_failed', step: '=canAccess:door' });
        return lines.length >= 2 ? lines : undefined;
      });
      const thrown = failed.find(({ msg }) => msg.includes('the key is lost'));
      expect(thrown).toMatchObject({
        level: 'error',
        err: { stack: expect.stringMatching(/door[._]stream\.(ts|py)/) },
      });
      const told = { level: 'warn', action: 'access_undecided', status: 500 };
      expect(asked.lines).toMatchObject([told, told]);
      expect(failed.map(({ errorId }) => errorId)).toEqual(
        expect.arrayContaining(asked.lines.map(({ errorId }) => errorId)),
      );
      expect(JSON.stringify(asked.lines)).not.toContain('the key is lost'); // which is for whoever reads the worker's log
    },
  },
  {
    name: 'access: a function that never ends denies, and one that computes does not hold up others',
    alone: true,
    async run(world) {
      await using asked = await asking(world);
      await using hasty = await asking(world, 1_500);
      const began = Date.now();
      const late = ['never', 'compute'].map((groupId) => hasty.access.canAccess('door', { groupId }, null));
      while (Date.now() - began < 2_000) {
        expect(await asked.access.canAccess('chat', { groupId: 'g' }, null)).toBe(true);
        expect((await world.call('/quick')).status).toBe(200);
      }
      expect(await Promise.all(late)).toEqual([false, false]);
      expect(hasty.lines.map(({ status }) => status)).toEqual([504, 504]);
      expect(await asked.access.canAccess('door', { groupId: 'open' }, null)).toBe(true);
    },
  },
];
