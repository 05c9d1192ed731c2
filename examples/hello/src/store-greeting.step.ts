/** Keeps every greeting. Runs after the caller has the answer, and again if it fails. */
import type { EventConfig, FlowContext } from 'motia';
import { z } from 'zod';

const input = z.object({ name: z.string(), at: z.string() });

export const config: EventConfig = {
  name: 'StoreGreeting',
  type: 'event',
  subscribes: ['greeting.sent'],
  emits: [],
  input,
  flows: ['hello'],
};

export const handler = async (greeting: z.infer<typeof input>, { state, logger, traceId }: FlowContext) => {
  await state.set('greetings', traceId, greeting);
  logger.info('Greeting stored', greeting);
};
