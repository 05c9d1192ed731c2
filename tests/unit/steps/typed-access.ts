/** Right and wrong ways to say who may follow streams, for the compiler: it must find an error where one is expected. */
import { z } from 'zod';
import { defineConfig } from '../../../index.ts';
import type { StreamAuthConfig, StreamAuthRequest, StreamConfig, StreamSubscription } from '../../../shared/types.ts';

interface User {
  userId: string;
}

const authenticate = async ({ headers, url }: StreamAuthRequest): Promise<User | null> =>
  headers.authorization === undefined ? null : { userId: url };

export const streamAuth: StreamAuthConfig<User> = { contextSchema: z.object({ userId: z.string() }), authenticate };
export const configs = [
  defineConfig({ streamAuth }),
  defineConfig({ streamAuth: { contextSchema: z.toJSONSchema(z.object({ userId: z.string() })), authenticate } }),
  defineConfig({ streamAuth: { authenticate: () => null } }),
  // @ts-expect-error nobody could be asked
  defineConfig({ streamAuth: { contextSchema: z.object({}) } }),
];

const base = { name: 'chat', schema: z.object({}), baseConfig: { storageType: 'default' } } as const;
export const streams: StreamConfig[] = [
  { ...base, canAccess: ({ groupId, id }) => groupId === id },
  { ...base, canAccess: async (_: StreamSubscription, user: Partial<User>) => user.userId !== undefined },
  // @ts-expect-error a yes or a no is expected
  { ...base, canAccess: () => 'yes' },
];
