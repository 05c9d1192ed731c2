/** Runs after the caller has its answer, and again if it fails. */
import type { EventConfig, FlowContext } from 'motia';
import { z } from 'zod';

const input = z.object({ greetingId: z.string(), name: z.string() });

export const config: EventConfig = {
  name: 'StoreGreeting',
  type: 'event',
  subscribes: ['greeting.sent'],
  emits: [],
  input,
  flows: ['hello'],
};

export const handler = async ({ greetingId, name }: z.infer<typeof input>, { state, logger }: FlowContext) => {
  await state.set('greetings', greetingId, { name, at: new Date().toISOString() });
  logger.info('Greeting stored', { greetingId });
};
