/** GET /hello-world is the chat itself. Open it in two windows. */
import { readFile } from 'node:fs/promises';
import type { ApiRouteConfig } from 'motia';

export const config: ApiRouteConfig = {
  name: 'Page',
  type: 'api',
  method: 'GET',
  path: '/hello-world',
  emits: [],
  flows: ['chat'],
  includeFiles: ['./page.html'],
};

export const handler = async () => ({
  status: 200,
  headers: { 'content-type': 'text/html; charset=utf-8' },
  body: await readFile(new URL('./page.html', import.meta.url), 'utf8'),
});
