/** The last of the chain: reads the state that the Python step has stored. All three are one trace. */

/** @type {import('motia').EventConfig} */
export const config = {
  name: 'LogGreeting',
  type: 'event',
  subscribes: ['letters.counted'],
  emits: [],
  flows: ['hello'],
};

/** @type {(counted: { greetingId: string }, ctx: import('motia').FlowContext) => Promise<void>} */
export const handler = async ({ greetingId }, { state, logger }) => {
  const { name, letters } = await state.get('greetings', greetingId);
  await state.set('greetings', greetingId, { name, letters, done: true });
  logger.info(`${name} has ${letters} letters`);
};
