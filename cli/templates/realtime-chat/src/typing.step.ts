/** POST /rooms/:room/typing tells those who follow the room that somebody writes. Such an event is not kept. */
import type { ApiRequest, ApiRouteConfig, FlowContext } from 'motia';

export const config: ApiRouteConfig = {
  name: 'Typing',
  type: 'api',
  method: 'POST',
  path: '/rooms/:room/typing',
  emits: [],
  flows: ['chat'],
};

export const handler = async (req: ApiRequest<{ author?: string }>, { streams }: FlowContext) => {
  const { author = 'somebody' } = req.body;
  await streams.message.send({ groupId: req.pathParams.room ?? '' }, { type: 'typing', data: { author } });
  return { status: 204 };
};
