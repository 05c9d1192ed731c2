/** Runs after the caller has its answer, and again if it fails. */

/** @type {import('motia').EventConfig} */
export const config = {
  name: 'StoreGreeting',
  type: 'event',
  subscribes: ['greeting.sent'],
  emits: [],
  flows: ['hello'],
};

/** @type {(greeting: { greetingId: string, name: string }, ctx: import('motia').FlowContext) => Promise<void>} */
export const handler = async ({ greetingId, name }, { state, logger }) => {
  await state.set('greetings', greetingId, { name, at: new Date().toISOString() });
  logger.info('Greeting stored', { greetingId });
};
