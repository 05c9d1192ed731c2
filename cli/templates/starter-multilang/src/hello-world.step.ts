/** GET /hello-world?name=… answers at once, and leaves the slow part to an event step. */
import type { ApiRequest, ApiRouteConfig, FlowContext } from 'motia';
import { z } from 'zod';

export const config: ApiRouteConfig = {
  name: 'HelloWorld',
  type: 'api',
  method: 'GET',
  path: '/hello-world',
  description: 'Greets, and has the greeting stored in the background',
  queryParams: [{ name: 'name', description: 'Who to greet' }],
  responseSchema: { 200: z.object({ message: z.string(), greetingId: z.string() }) },
  emits: ['greeting.sent'],
  flows: ['hello'],
};

export const handler = async (req: ApiRequest, { emit, logger, traceId }: FlowContext) => {
  const name = String(req.queryParams.name ?? 'world');
  await emit({ topic: 'greeting.sent', data: { greetingId: traceId, name } });
  logger.info('Greeting sent', { name });
  return { status: 200, body: { message: `Hello, ${name}!`, greetingId: traceId } };
};
