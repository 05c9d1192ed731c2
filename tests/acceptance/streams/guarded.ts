/** Files of a project that asks who may follow its streams: a token is a name, and gives the groups and items of that name. */

/** `stranger…` is refused until there is a file of that name in the project. Who brings no token is anonymous. */
const CONFIG = `
import { existsSync } from 'node:fs';

export default {
  streamAuth: {
    contextSchema: { type: 'object', required: ['name'] },
    async authenticate({ headers, url }) {
      const protocols = headers['sec-websocket-protocol']?.split(',') ?? [];
      const name = new URL(url, 'http://localhost').searchParams.get('authToken') ?? protocols.at(-1)?.trim();
      if (name === undefined) return null;
      if (name.startsWith('stranger') && !existsSync(name)) throw new Error(name + ' is not known');
      return { name };
    },
  },
};
`;

const TYPESCRIPT_STREAM = `
import type { StreamConfig } from 'motia';

export const config: StreamConfig = {
  name: 'room.ts',
  schema: { type: 'object' },
  baseConfig: { storageType: 'default' },
  canAccess: async ({ groupId, id }, user: { name: string } | null) => user !== null && [groupId, id].includes(user.name),
};
`;

const PYTHON_STREAM = `
config = {"name": "room.py", "schema": {"type": "object"}, "baseConfig": {"storageType": "default"}}


async def can_access(subscription, user):
    return user is not None and user["name"] in (subscription["groupId"], subscription.get("id"))
`;

/** `room.ts`, and `room.py` if there is to be something in Python. */
export function guardedFiles({ python }: { python: boolean }): Record<string, string> {
  const files = { 'motia.config.ts': CONFIG, 'steps/room.stream.ts': TYPESCRIPT_STREAM };
  return python ? { ...files, 'steps/room_stream.py': PYTHON_STREAM } : files;
}
