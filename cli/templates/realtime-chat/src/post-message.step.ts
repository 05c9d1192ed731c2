/** POST /rooms/:room/messages adds a message to a room. */
import { randomUUID } from 'node:crypto';
import type { ApiRequest, ApiRouteConfig, FlowContext } from 'motia';
import { messageSchema } from './message.stream.ts';

export const config: ApiRouteConfig = {
  name: 'PostMessage',
  type: 'api',
  method: 'POST',
  path: '/rooms/:room/messages',
  bodySchema: messageSchema,
  emits: [],
  flows: ['chat'],
};

export const handler = async (req: ApiRequest, { streams }: FlowContext) => {
  const parsed = messageSchema.safeParse(req.body);
  if (!parsed.success) return { status: 400, body: { error: 'A message has an author and a text' } };
  const message = await streams.message.set(req.pathParams.room ?? '', randomUUID(), parsed.data);
  return { status: 201, body: message };
};
