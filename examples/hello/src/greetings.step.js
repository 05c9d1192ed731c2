/** GET /greetings lists all greetings so far. Plain JavaScript, in the same project. */
export const config = {
  name: 'Greetings',
  type: 'api',
  method: 'GET',
  path: '/greetings',
  emits: [],
  flows: ['hello'],
};

/** @type {import('motia').ApiRouteHandler} */
export const handler = async (_req, { state }) => {
  const greetings = await state.getGroup('greetings');
  return { status: 200, body: { greetings } };
};
