import type { EventConfig, StepHandler } from 'motia';
import { z } from 'zod';

export const config = {
  name: 'CountBooks',
  type: 'event',
  subscribes: ['book.added'],
  emits: [],
  input: z.object({ author: z.string() }),
} as const satisfies EventConfig;

export const handler: StepHandler<typeof config> = async ({ author }, { state }) => {
  await state.update<number>('authors', author, [{ type: 'increment' }]);
};
