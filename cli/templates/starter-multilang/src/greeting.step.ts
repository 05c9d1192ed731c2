/** GET /greetings/:id gives one of the stored greetings. */
import type { ApiRequest, ApiRouteConfig, FlowContext } from 'motia';

export const config: ApiRouteConfig = {
  name: 'Greeting',
  type: 'api',
  method: 'GET',
  path: '/greetings/:id',
  emits: [],
  flows: ['hello'],
};

export const handler = async (req: ApiRequest, { state }: FlowContext) => {
  const greeting = await state.get('greetings', req.pathParams.id ?? '');
  return greeting ? { status: 200, body: greeting } : { status: 404, body: { error: 'No such greeting' } };
};
