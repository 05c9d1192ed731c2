/** GET /greetings/:id gives one of the stored greetings. */

/** @type {import('motia').ApiRouteConfig} */
export const config = {
  name: 'Greeting',
  type: 'api',
  method: 'GET',
  path: '/greetings/:id',
  emits: [],
  flows: ['hello'],
};

/** @type {(req: import('motia').ApiRequest, ctx: import('motia').FlowContext) => Promise<import('motia').ApiResponse>} */
export const handler = async (req, { state }) => {
  const greeting = await state.get('greetings', req.pathParams.id);
  return greeting ? { status: 200, body: greeting } : { status: 404, body: { error: 'No such greeting' } };
};
