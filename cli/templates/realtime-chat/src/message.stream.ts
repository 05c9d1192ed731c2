/** The messages of the chat: one group for each room. Clients that follow a group see each change as it happens. */
import type { StreamConfig } from 'motia';
import { z } from 'zod';

export const messageSchema = z.object({ author: z.string(), text: z.string() });
export type Message = z.infer<typeof messageSchema>;

export const config: StreamConfig = {
  name: 'message',
  schema: messageSchema,
  baseConfig: { storageType: 'default' },
};
