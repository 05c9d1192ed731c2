/** GET /hello-world: is anybody there? */
import type { ApiRouteConfig } from 'motia';

export const config: ApiRouteConfig = {
  name: 'HelloWorld',
  type: 'api',
  method: 'GET',
  path: '/hello-world',
  emits: [],
  flows: ['orders'],
};

export const handler = async () => ({ status: 200, body: { message: 'Hello! Now POST an order to /orders.' } });
